# %% [markdown]
# # Streaming: one frame in, one pose out
#
# *Pavllo et al. 2019, sections 3 and 6.1: the causal model.*
#
# **Can the model run while a video is being filmed?** Yes, with the same poses as over a whole
# sequence. A streamed frame takes 1,126,912 operations, a window anew 2,593,280; the causal model
# answers at once, the symmetric one 260 ms later. <a href="#how">How it was found.</a>
#
# A causal model needs no frame of the future, so it could run **while a video is being filmed**.
# Run as it was trained, on a window of the last 27 or 243 frames, it would compute for each new
# frame what it mostly computed for the one before. `Streaming` keeps, in every layer, the columns
# that its kernels will meet again: a new frame then costs one column of each layer, whatever the
# receptive field.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # frames that the causal model sees: 3, 9, 27, 81 or 243
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_pretrained", … (a file's name on human36m)
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import time

import torch
from IPython.display import Markdown
from torch.utils.flop_counter import FlopCounterMode

from paperlib import evaluation, metrics, plotting, prediction, windows
from paperlib.detection import DETECTORS, FILES
from paperlib.experiment import Experiment
from paperlib.models import Streaming, TemporalModel, filter_widths, flops_per_frame, fold
from paperlib.recordings import count_frames
from paperlib.training import Recipe, Supervised

plotting.use_style()

# %%
experiment = Experiment.begin(
    "pavllo2019/streaming",
    globals(),
    detector=DETECTORS + FILES,
    receptive_field=(3, 9, 27, 81, 243),
)
experiment

# %%
small = TemporalModel(17, 2, 17, filter_widths(27), causal=True, channels=4)
figure = plotting.streaming(small)
saved = experiment.save_figure(figure, "pavllo2019_streaming_columns")

# %% [markdown]
# ## Three models
#
# Those of [the companion's table](../table1.ipynb), found again where they were trained: one that
# sees a single frame, the causal one, and the symmetric one, which sees as far ahead as back. That
# one can be streamed as well, if one can wait: its poses come `delay` frames late.

# %%
data = experiment.load()
recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(data.train))
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
widths = filter_widths(receptive_field)
size = {"channels": recipe.channels, "dropout": recipe.dropout}
builds = {
    "single frame": lambda: TemporalModel(*joints, (1,) * len(widths), **size),
    "temporal, causal": lambda: TemporalModel(*joints, widths, causal=True, **size),
    "temporal": lambda: TemporalModel(*joints, widths, **size),
}
models = {
    name: experiment.train(name, Supervised(build, data), recipe).model
    for name, build in builds.items()
}
delay = Streaming(models["temporal"]).delay
print(f"the symmetric model's poses come {1000 * delay / data.test[0].fps:.0f} ms late")

# %% [markdown]
# ## As a video comes
#
# Below is all that a live program needs. `step` takes a frame's keypoints in screen coordinates and
# gives the pose of the frame that is `delay` before it (`None` at first); `finish` gives the last
# ones.


# %%
def stream_through(model, recording):
    stream, poses = Streaming(model), []
    for keypoints in windows.network_input(recording).to(next(model.parameters()).device):
        poses.append(stream.step(keypoints))
    poses += stream.finish()
    return torch.stack([pose for pose in poses if pose is not None]).cpu()


causal = models["temporal, causal"]
errors = evaluation.evaluate(causal, data.test, False, device).values["mpjpe"]
ranked = sorted(range(len(errors)), key=errors.__getitem__)
recording = data.test[ranked[len(ranked) // 2]]
streamed = {name: stream_through(model, recording) for name, model in models.items()}
for name, model in models.items():
    apart = (streamed[name] - prediction.predict(model, recording, flip=False)).abs().max()
    same = "the same" if apart < 1e-5 else "NOT the same"
    print(f"{name:17} streamed and as a whole sequence: {same} poses (to 1e-5 m)")

# %% [markdown]
# The whole sequence was padded by repeating its first frame (and its last, where the model looks
# ahead), and so is the stream: from its first frame on it has poses.
#
# ## What a frame costs
#
# Counted, not timed: two operations for each weight of a matrix product, once.

# %%
causal = models["temporal, causal"].cpu()
stream, frame = Streaming(causal), windows.network_input(recording)[0]
stream.step(frame)
with FlopCounterMode(display=False) as counter:
    stream.step(frame)
window = torch.rand(1, receptive_field, *joints[:2])
with FlopCounterMode(display=False) as again, torch.no_grad():
    causal(window)
weights = flops_per_frame(causal)
print(f"weights x 2: {weights:,}; streamed: {counter.get_total_flops():,}")
print(f"on a window anew, strided: {again.get_total_flops():,}")

# %% [markdown]
# And timed, the two in turn on this machine's CPU; what counts is the ratio. (With the paper's
# 1,024 channels the numbers are in [`speed`](../speed.ipynb).)


# %%
def seconds(function, *given):
    began = time.perf_counter()
    function(*given)
    return time.perf_counter() - began


quick = fold(causal)
with torch.no_grad():
    pairs = [(seconds(stream.step, frame), seconds(quick, window)) for _ in range(300)]
ours, theirs = torch.tensor(pairs).quantile(0.5, dim=0)
print(f"a window anew takes {theirs / ours:.1f} times as long as a streamed frame")

# %% [markdown]
# ## What waiting buys
#
# One joint of the recording. The single frame trembles; the causal stream is smooth, but must guess
# where a motion is going; the symmetric one, a moment later, knows.
#
# **Before you look:**<a id="how"></a> The symmetric model waits for 13 frames. By how many
# millimetres is its error lower than the causal one's, in this recording?

# %%
wrist = data.skeleton.index("right_wrist")
start = len(recording) // 4
cut = slice(start, min(start + 150, len(recording)))
paths = {"truth": recording.pose[cut].numpy()}
paths |= {name: poses[cut].numpy() for name, poses in streamed.items()}
figure = plotting.joint_path(paths, wrist, 2, recording.fps, "right wrist,\ndepth in cm")
saved = experiment.save_figure(figure, "pavllo2019_streaming_wrist")

# %%
for name, poses in streamed.items():
    late = delay if name == "temporal" else 0
    error, speed = (1000 * f(poses, recording.pose) for f in (metrics.mpjpe, metrics.mpjve))
    print(f"{name:17} {late:3} frames late   MPJPE {error:5.1f} mm   MPJVE {speed:5.1f} mm/frame")

# %%
protocol = experiment.protocol(data, recipe.but(test_flip=False), receptive_field)
Markdown(f"*{protocol} The figures above are of one recording, a typical one.*")

# %% [markdown]
# ## Your own camera
#
# Any 2D detector will do whose joints the model was trained on:
#
# ```python
# stream = Streaming(model)
# for image in camera:
#     pixels = torch.as_tensor(detect(image))  # (17, 2), your detector
#     keypoints = normalize_screen_coordinates(pixels, width, height)  # of paperlib.cameras
#     pose = stream.step(keypoints)  # (17, 3), metres from the root
# ```
#
# Several people go side by side as `(P, 17, 2)`; so does the mirror image, if you want the flip of
# testing. For bfloat16 give it `fold(model, torch.bfloat16)`.
#
# ## Try next
#
# * `-p receptive_field 243`: how does the cost of a frame grow, streamed and on windows?
# * Begin a stream in the middle of a recording. For how many frames does one see that it began?
# * Exercises 23 and 24 of [the exercises](exercises.ipynb), with solutions.
