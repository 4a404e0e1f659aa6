# %% [markdown]
# # Figure 3: fast motion, and several strides
#
# *Cheng et al. 2020, "Multi-scale features for pose estimation", figure 3.*
#
# **Do several strides help where motion is fast?** They gain 3.7 ± 1.7 mm over one stride, and 6.9
# ± 2.7 mm more on the fastest frames than on the slowest. Over one stride with as many parameters
# it is 1.1 ± 1.0 mm and no growth is decided (-1.3 ± 3.1); and where the same clips are played
# four times as fast the gain over one stride *falls*, by 2.9 ± 0.7.
# <a href="#how">How it was found.</a>
#
# Motion may be fast or slow, and a network that looks at neighbouring frames knows it at the speed
# that it has learnt from. The paper puts temporal convolutions of several **strides** side by side:
# one looks at every frame, another at every second one, and so on. Its picture shows a baseball
# player, whom a network of a single stride gets wrong while he moves fast.
#
# Here the picture becomes two curves, and gets a third network:
#
# 1. error against the **speed** of the body, on the test clips as they are. Fast frames also have
#    unusual poses, so that this alone does not tell of time;
# 2. error on the same frames when the clips are **played faster**: the poses stay, speed alone
#    changes;
# 3. a network of one stride with **as many parameters** as the one of several.
#
# Whether several strides lower the error at all (claim `cheng2020-c02`) is judged in
# [table 2](table2.ipynb), where these networks come from.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from IPython.display import Markdown

from paperlib import plotting
from paperlib.claims import by_seed
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import fastest, joint_speed
from paperlib.experiment import Experiment
from paperlib.metrics import mpjpe
from paperlib.models import MultiStrideTCN, as_large
from paperlib.prediction import predict
from paperlib.results import interval, over_seeds, shown
from paperlib.training import spatio_temporal, withhold_positions

# %%
plotting.use_style()
experiment = Experiment.begin("cheng2020/figure3", globals(), detector=DETECTORS + FILES)
experiment

# %% [markdown]
# ## Three networks
#
# Heat maps, windows of 64 frames, squared error: rows 2 and 3 of table 2. Neither views nor a
# discriminator play a part, so that they differ in the strides alone.

# %%
data, _ = withhold_positions(experiment.load())
ONE, SEVERAL, WIDE = "one stride", "strides 1, 2, 3, 5, 7", "one stride, as many parameters"
plain = {"views": 0.0, "adversarial": 0.0}
several, recipe = spatio_temporal(data, experiment.preset, **plain)
single, _ = spatio_temporal(data, experiment.preset, strides=(1,), **plain)
config = as_large(several.build().config, strides=(1,), num_blocks=3)
wide = replace(several, build=lambda: MultiStrideTCN(**config))
learning = {ONE: single, WIDE: wide, SEVERAL: several}
runs = {name: experiment.train(name, objective, recipe) for name, objective in learning.items()}

# %% [markdown]
# ## How fast do people move?
#
# The speed of a frame is the mean speed of all joints but the root, relative to it, from the true
# pose: walking through the room does not count. The films are those of one camera.

# %%
camera = data.test[0].camera.name
test = [r for r in data.test if r.camera.name == camera]
speed = np.concatenate([joint_speed(r) for r in test])
edges = [0.0, 0.25, 0.5, 1.0, 1.5, np.inf]
names = [f"{low:g} to {high:g} m/s" for low, high in pairwise(edges[:-1])]
names.append(f"above {edges[-2]:g} m/s")
class_of = pd.cut(speed, edges, labels=names, include_lowest=True)
frames = pd.DataFrame({"frames": class_of.value_counts()}).reindex(names)
frames["share"] = frames["frames"] / len(speed)
frames["mean speed, m/s"] = pd.Series(speed).groupby(class_of, observed=True).mean()
frames.style.format({"share": "{:.1%}", "mean speed, m/s": "{:.2f}"}, na_rep="")

# %% [markdown]
# ## Error against speed, and against playing faster
#
# Only clips that are windows of full length even when played at the highest speed take part in the
# second. Compared are the frames that all speeds share.
#
# **Before you look:**<a id="how"></a> Clips are played four times as fast. By how many millimetres
# does the error of the network of one stride rise?


# %%
def error(run, recording):
    """``(T,)``: the error of each frame, mm."""
    poses = predict(run.model, recording, recipe.test_flip)
    return 1000 * mpjpe(poses, recording.pose, reduction="none").mean(dim=-1).numpy()


smoke = experiment.preset == "smoke"
FASTER = (1, 2, 4)
length = several.build().length
long = [r for r in test if len(r) >= length * (1 if smoke else FASTER[-1])]
print(f"{len(test)} clips; played faster: {len(long)} of {len({r.action for r in long})} actions")
parts = []
for name, run in runs.items():
    found = pd.Series(np.concatenate([error(run, r) for r in test]))
    by_class = found.groupby(class_of, observed=True).mean()
    parts += [(name, f"mpjpe, {group}", value) for group, value in by_class.items()]
    parts.append((name, "mpjpe, all frames", found.mean()))
    for times in FASTER:
        played = [error(run, r.cut(0, None, times))[:: FASTER[-1] // times] for r in long]
        parts.append((name, f"mpjpe, played x{times}", np.concatenate(played).mean()))

# %%
rows = [
    experiment.about(name, runs[name])
    | {"receptive_field": length, "metric": metric, "action": "average"}
    | {"value": value, "unit": "mm"}
    for name, metric, value in parts
]
saved = experiment.record(rows)
measured = experiment.measured(rows)
table = over_seeds(measured).T.reindex(dict.fromkeys(metric for _, metric, _ in parts))
table.index = table.index.str.removeprefix("mpjpe, ")
table = table[list(runs)].rename_axis(index=None, columns=None)
table.style.set_caption(f"MPJPE, mm, frames pooled; {experiment.caption}; ± 95 % over seeds")

# %%
means = measured.groupby(["metric", "system"])["value"].mean().unstack()[list(runs)]
slow_to_fast = [name for name in names if f"mpjpe, {name}" in means.index]
by_speed = means.loc[[f"mpjpe, {name}" for name in slow_to_fast]]
by_speed.index = frames.loc[slow_to_fast, "mean speed, m/s"]
faster = means.loc[[f"mpjpe, played x{times}" for times in FASTER]]
faster.index = list(FASTER)
panels = {("speed of the body, m/s", "MPJPE, mm"): by_speed}
panels["played so many times as fast", "MPJPE, mm"] = faster
figure = plotting.error_curves(panels, {WIDE: "--"})
saved = experiment.save_figure(figure, "cheng2020_figure3_speed")

# %%
protocol = experiment.protocol(data, recipe, length, measured["seed"])
averaging = "frames of one camera pooled, whatever their action"
Markdown(f"*{protocol.but(averaging=averaging)}*")

# %% [markdown]
# If the paper's reason is the reason, what several strides gain should **grow** from the top of
# this table to its bottom; and on the right it should not be found, if strides are more than
# parameters.

# %%
gains = {}
for metric in dict.fromkeys(metric for _, metric, _ in parts):
    errors = by_seed(measured, metric)
    gained = {f"over {other}": errors[other] - errors[SEVERAL] for other in (ONE, WIDE)}
    gains[metric.removeprefix("mpjpe, ")] = gained
slowest_and_fastest = slow_to_fast[0], slow_to_fast[-1]
for first, last in (slowest_and_fastest, ("played x1", f"played x{FASTER[-1]}")):
    change = {over: gains[last][over] - gained for over, gained in gains[first].items()}
    gains[f"{last}, less {first}"] = change
lines = {
    name: {over: shown(*interval(gained)) for over, gained in found.items()}
    for name, found in gains.items()
}
pd.DataFrame(lines).T.style.set_caption("what several strides gain, mm, paired by seed")

# %% [markdown]
# Over one stride, several gain the more the faster the body moves. One stride with as many
# parameters, in three blocks, gains most of that as well, and between these two no growth with
# speed is seen. Played faster, where the poses stay and speed alone changes, what several strides
# gain does not grow: it shrinks, and of four times the speed no gain is seen any more. So it is
# not speed that they are good for here; fast frames have unusual poses, too.
#
# ## The picture
#
# The fastest half second of the test, by the true motion: who did better there played no part in
# the choice. A circle is drawn about each joint that is wrong by more than 150 mm.

# %%
moments = {r: fastest(joint_speed(r), round(r.fps / 2)) for r in test}
clip = max(moments, key=lambda r: moments[r][1])
start = moments[clip][0]
shown_frames = range(start, min(start + round(clip.fps / 2), len(clip)), 3)
poses = {name: predict(runs[name].model, clip).numpy() for name in (ONE, SEVERAL)}
figure = plotting.pose_sequence(clip, poses, shown_frames, circled=0.15)
print(f"{clip}, {moments[clip][1]:.2f} m/s")
saved = experiment.save_figure(figure, "cheng2020_figure3")

# %% [markdown]
# ## Try next
#
# * `strides=(7,)` alone: is it better than one stride of 1 on what is slow?
# * `strides=(1, 2, 4, 8)`, which the paper's introduction has.
# * `recording.cut(0, None, 2)` of the training part too: does a network that has learnt from both
#   speeds still need several strides?
# * Exercises 6 and 7 of [the exercises](exercises.ipynb), with solutions.
