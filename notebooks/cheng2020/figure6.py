# %% [markdown]
# # Figures 1 and 6: the whole system at work
#
# *Cheng et al. 2020, introduction, figure 1; "Qualitative results", figure 6.*
#
# **What does the whole system do better than less of itself?** Hidden joints: 110.5 ± 5.0 mm,
# where several strides alone have 149.8 ± 4.3. Over all joints it is behind, with 76.0 ± 0.9
# against 68.6 ± 0.7, and bones vary about as much, 12.1 ± 0.9 and 12.3 ± 0.8 mm.
# <a href="#how">How it was found.</a>
#
# Figure 1 shows the whole system on motions of different speed; figure 6 sets it beside less of
# itself, on a baseball player whose limbs move fast and on somebody whom others hide while they
# pass. The paper reads from it:
#
# 1. the **baseline** fails on both, for it can handle neither fast motion nor occlusion;
# 2. with **several strides**, but without occlusion training and the discriminator, fast motion is
#    handled to some extent, the occluded clip is not, and poses are not always those of a body;
# 3. the **whole** does both.
#
# Pictures show what one looks for. So the clips are chosen here by their true motion, before
# anything is lifted, and below them are the errors of all clips.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout, simulated detections and what is hidden
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from IPython.display import Markdown

from paperlib import plotting
from paperlib.detection import DETECTORS, FILES, masked, without
from paperlib.evaluation import compare, fastest, hidden_mpjpe, joint_speed
from paperlib.experiment import Experiment
from paperlib.kinematics import bone_lengths
from paperlib.occlusion import OcclusionMasks
from paperlib.prediction import predict
from paperlib.results import over_seeds
from paperlib.training import spatio_temporal, withhold_positions

plotting.use_style()
experiment = Experiment.begin("cheng2020/figure6", globals(), detector=DETECTORS + FILES)
experiment

# %% [markdown]
# ## The three
#
# * **baseline**, of the paper's ablation: coordinates of the keypoints, one stride, people turned
#   at random in training.
# * **several strides**: heat maps, the strides 1, 2, 3, 5 and 7, two views. Nothing was hidden from
#   either of these two in training, and nobody judged their poses.
# * **whole system**: with films without 3D, masks, and the discriminator of spatial and temporal
#   KCS.

# %%
data, films = withhold_positions(experiment.load())
BASE, STRIDES, WHOLE = "baseline", "several strides", "whole system"
less = {"adversarial": 0.0, "masks": None}
base = less | {"strides": (1,), "cells": 0, "rotated": True, "views": 0.0}
learning = {
    BASE: spatio_temporal(data, experiment.preset, **base),
    STRIDES: spatio_temporal(data, experiment.preset, **less),
    WHOLE: spatio_temporal(data, experiment.preset, films),
}
runs = {name: experiment.train(name, *options) for name, options in learning.items()}
recipe = learning[WHOLE][1]

# %% [markdown]
# ## Figure 1: motion at different speeds
#
# The [speed](figure3.ipynb) of a clip is that of its fastest second, relative to the root. Shown
# are a slow clip, a moderate and a fast one: at a tenth, at half and at the end of all test clips
# in their order.

# %%
camera = data.test[0].camera.name
test = [r for r in data.test if r.camera.name == camera]
second = {r: fastest(joint_speed(r), round(r.fps)) for r in test}
order = sorted(test, key=lambda r: second[r][1])
motions = {"slow": order[len(order) // 10], "moderate": order[len(order) // 2], "fast": order[-1]}


def lift(name, recording):
    return predict(runs[name].model, recording, recipe.test_flip)


def moments(recording):
    """Eight frames of its fastest second."""
    start = second[recording][0]
    return range(start, min(start + round(recording.fps), len(recording)), 7)


# %%
def moving(speed):
    clip = motions[speed]
    print(f"{speed}: {clip}, {second[clip][1]:.2f} m/s")
    poses = {WHOLE: lift(WHOLE, clip).numpy()}
    return plotting.pose_sequence(clip, poses, moments(clip), circled=0.15)


saved = experiment.save_figure(moving("slow"), "cheng2020_figure1_slow")
saved = experiment.save_figure(moving("moderate"), "cheng2020_figure1_moderate")
saved = experiment.save_figure(moving("fast"), "cheng2020_figure1_fast")

# %% [markdown]
# ## Figure 6: the fast clip
#
# A circle is drawn about each joint that is wrong by more than 150 mm.

# %%
fast = motions["fast"]
poses = {name: lift(name, fast).numpy() for name in runs}
figure = plotting.pose_sequence(fast, poses, moments(fast), circled=0.15)
saved = experiment.save_figure(figure, "cheng2020_figure6_fast")

# %% [markdown]
# ## Figure 6: somebody is hidden
#
# What somebody who passes would hide: a box that goes through the picture of a clip once, and
# covers what is in it. (It has no shape of a person, and no detector takes its joints for those of
# the one behind it, as would happen in a film.) Of the clips of an action with *walk* in its name,
# or of all where there is none, the one from which most is hidden is shown, about the middle of
# what is hidden.

# %%
hidden = {r: masked(r, OcclusionMasks(area=1.0), seed) for r in test}
walks = [r for r in test if "walk" in r.action] or test
walk = max(walks, key=lambda r: hidden[r].sum().item() / len(r))
film = without(walk, hidden[walk])
when = hidden[walk].nonzero()[:, 0].float().mean().round().int().item()
start = max(0, when - 28)
frames = range(start, min(start + 57, len(walk)), 7)
poses = {name: lift(name, film).numpy() for name in runs}
figure = plotting.pose_sequence(film, poses, frames, circled=0.15)
print(walk)
saved = experiment.save_figure(figure, "cheng2020_figure6_hidden")

# %% [markdown]
# ## All clips of one camera
#
# *Fast*: the tenth of the clips with the fastest second. *Hidden*: all clips behind such a box, and
# the error of the joints that it hides. *Bones*: how much the length of a bone varies within a
# clip, its standard deviation, the mean over bones: what the discriminator is to prevent. That of
# the truth is 0 where bones are rigid.
#
# **Before you look:**<a id="how"></a> On the fast clips, which of the three will be ahead?


# %%
def measured_on(name):
    seen = [lift(name, r) for r in test]
    behind = [lift(name, without(r, hidden[r])) for r in test]
    quick = {r.name for r in order[-max(1, len(order) // 10) :]}
    both = [(p, r) for p, r in zip(seen, test, strict=True) if r.name in quick]
    masks = [hidden[r] for r in test]
    bones = [bone_lengths(p, data.skeleton.parents).std(dim=0).mean().item() for p in seen]
    return {
        "mpjpe": compare(seen, test).average("mpjpe"),
        "mpjpe, fast": compare(*zip(*both, strict=True)).average("mpjpe"),
        "mpjpe, hidden joints": hidden_mpjpe(behind, test, masks)[1],
        "bone lengths": sum(bones) / len(bones),
    }


# %%
rows = []
for name, run in runs.items():
    about = experiment.about(name, run) | {"receptive_field": recipe.chunk, "unit": "mm"}
    values = measured_on(name)
    rows += [
        about | {"action": "average", "metric": m, "value": 1000 * v} for m, v in values.items()
    ]
saved = experiment.record(rows)
measured = experiment.measured(rows)
table = over_seeds(measured).reindex(list(runs)).rename_axis(index=None, columns=None)
table.style.set_caption(f"mm; {experiment.caption}; ± 95 % over seeds")

# %%
protocol = experiment.protocol(data, recipe, recipe.chunk, measured["seed"])
Markdown(f"*{protocol}*")

# %% [markdown]
# Hidden joints are what the whole is better at, by its masks; where all is seen, and on fast motion
# too, less of it is more. Bones vary as much with a discriminator as without.
#
# What the masks alone do is on [a page of its own](section_occlusion_augmentation.ipynb), what the
# strides do in [figure 3](figure3.ipynb); what each part is worth in [table 2](table2.ipynb).
#
# ## Try next
#
# * `-p seed 1`: another box hides other joints. How much do the pictures depend on it?
# * `elevation=0` in `pose_sequence`: from the camera itself all three look better. Why?
# * `-p detector simulated_v2_coarse`: which of the three suffers most from a poor detector?
# * Exercise 14 of [the exercises](exercises.ipynb), with its solution.
