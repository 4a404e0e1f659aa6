# %% [markdown]
# # Figure 1: from keypoints over time to a pose
#
# *Pavllo et al. 2019, figure 1.*
#
# **What does seeing 27 frames in place of one change, in one picture?** In the part of a recording
# that is shown, 42.5 mm of error in place of 50.7, and 5.4 mm/frame of velocity error in place of
# 17.6. It is an example, of one recording and one seed. <a href="#how">How it was found.</a>
#
# The paper opens with a picture of its whole idea: 2D keypoints over time go in at the bottom,
# layers of convolutions join ever more distant frames, a 3D pose comes out on top. Here that
# picture is drawn by the code it is about: real keypoints, the layers of a model that was trained
# on such keypoints, and the pose that it gives. Then the same in motion.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # frames that the model sees: 3, 9, 27 or 81
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", … (a file's name on human36m)
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import torch
from IPython.display import Image, Markdown

from paperlib import metrics, plotting
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import TemporalModel, filter_widths
from paperlib.prediction import predict
from paperlib.recordings import count_frames
from paperlib.training import Recipe, Supervised
from paperlib.windows import network_input

plotting.use_style()
experiment = Experiment.begin(
    "pavllo2019/figure1", globals(), detector=DETECTORS + FILES, receptive_field=(3, 9, 27, 81)
)
experiment

# %% [markdown]
# ## Two models
#
# One sees a window of frames, the other the same number of layers but a single frame. They are
# those of [the companion's table](../table1.ipynb): what was trained there is found again here.

# %%
data = experiment.load()
recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(data.train))
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
widths = filter_widths(receptive_field)
size = {"channels": recipe.channels, "dropout": recipe.dropout}

systems = {
    "single frame": lambda: TemporalModel(*joints, (1,) * len(widths), **size),
    "temporal": lambda: TemporalModel(*joints, widths, **size),
}
runs = {
    name: experiment.train(name, Supervised(build, data), recipe) for name, build in systems.items()
}
model = runs["temporal"].model

# %% [markdown]
# ## A typical recording, and a moment in it
#
# Typical is the test recording on which the temporal model's error is the median. Of its moments we
# take the liveliest: the one around which the joints travel farthest.

# %%
evaluation = evaluate(model, data.test, recipe.test_flip, device)
errors = evaluation.values["mpjpe"]
long = [i for i, r in enumerate(data.test) if len(r) > 2 * receptive_field]
typical = data.test[sorted(long, key=errors.__getitem__)[len(long) // 2]]
poses = {name: predict(run.model, typical, recipe.test_flip) for name, run in runs.items()}

half = receptive_field // 2
travelled = typical.pose.diff(dim=0).norm(dim=-1).sum(dim=-1)
frame = travelled.unfold(0, 2 * half, 1).sum(dim=-1).argmax().item() + half
print(f"{typical}, frame {frame}")

# %% [markdown]
# ## Which frames does the pose listen to?
#
# All 27 reach it, but not all count alike. How much would the pose move if the keypoints of one
# frame moved? That is the derivative of the pose by each frame's keypoints, taken here along a few
# random directions and averaged over windows of the recording.
#
# **Before you look:**<a id="how"></a> Of the 27 frames, which share of the model's attention lies
# on the middle nine?

# %%
where = next(model.parameters()).device
windows = network_input(typical).unfold(0, receptive_field, 5).permute(0, 3, 1, 2)
windows = windows[:64].to(where).requires_grad_()
generator = torch.Generator().manual_seed(seed)
squares = torch.zeros(receptive_field, device=where)
for _ in range(8):
    out = model(windows)
    directions = torch.randn(out.shape, generator=generator).to(where)
    (gradient,) = torch.autograd.grad((out * directions).sum(), windows)
    squares += gradient.square().sum(dim=(0, 2, 3))
influence = (squares / squares.sum()).sqrt().cpu().numpy()
near = (influence[half - half // 3 : half + half // 3 + 1] ** 2).sum()
print(f"the middle third of the frames has {100 * near:.0f} % of the squared derivative")

# %% [markdown]
# ## The picture
#
# Below, what the detector saw. Each dot is a frame of a layer, each line a tap of a kernel, as the
# model's own widths and dilations have it. Grey dots are what the same network computes for the
# other poses: as it slides along, each is computed once and shared.

# %%
figure = plotting.lifting(typical, model, poses["temporal"].numpy(), frame, influence)
saved = experiment.save_figure(figure, "pavllo2019_figure1")

# %% [markdown]
# ## Learning
#
# Training error of the two, epoch by epoch. With the keypoints of one frame only, many poses are
# equally likely and the detector's slips cannot be told from motion: no training repairs that. With
# dropout on, so errors in training are larger than the same model's without.

# %%
figure = plotting.training_curves({name: run.history for name, run in runs.items()})
saved = experiment.save_figure(figure, "pavllo2019_figure1_training")

# %% [markdown]
# ## In motion
#
# The same recording, once with each frame lifted on its own and once with the frames around it.
# Grey is the truth. Watch the hands: their trembling on the left is the detector's, seen through a
# model that has no way of knowing better.

# %%
start = max(0, min(frame - 72, len(typical) - 144))
frames = range(start, min(start + 144, len(typical)), 4)
shown = {name: sequence.numpy() for name, sequence in poses.items()}
animation = plotting.lifting_animation(typical, shown, frames)
saved = experiment.save_animation(animation, "pavllo2019_figure1")
Image(filename=saved, alt="2D keypoints, and the poses that two models make of them, in motion")

# %%
part = slice(frames[0], frames[-1] + 1)
truth = typical.pose[part]
for name, sequence in poses.items():
    error = 1000 * metrics.mpjpe(sequence[part], truth)
    speed = 1000 * metrics.mpjve(sequence[part], truth)
    print(f"{name:12}  MPJPE {error:5.1f} mm   MPJVE {speed:4.1f} mm/frame   in these frames")

# %%
Markdown(f"*{experiment.protocol(data, recipe, receptive_field)}*")

# %% [markdown]
# ## Try next
#
# * `-p receptive_field 81`: does the pose listen farther, now that it can?
# * `-p detector ground_truth`: without trembling below, what is left of it above?
# * [`section3`](section3_temporal_convolutions.ipynb) takes the model apart,
#   [`streaming`](streaming.ipynb) runs it frame by frame, as on a live camera.
# * Exercises 23 and 24 of [the exercises](exercises.ipynb), with solutions.
