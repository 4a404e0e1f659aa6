# %% [markdown]
# # Start here
#
# **How far off is a pose that was lifted from 2D keypoints?** The temporal model's joints are 52.6
# mm from the truth on average, those of a model that always answers with the mean pose 209.5 mm;
# depth is the hardest, with 40.2 mm in one recording (one fold of the data, one seed).
# <a href="#how">How it was found.</a>
#
# This companion lets you read five papers on 3D human pose from video beside code that runs: open
# a notebook, change a parameter, run it again, and the paper's table comes out anew. On embedded
# data on any laptop; on real motion capture where you have it; on the papers' own data set where
# you have its licence.
#
# Here you meet the three things that all of them are made of: **a recording**, **a detector** and
# **a model**. It takes a minute on embedded data, and a few on real motion capture, most of it for
# training.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk
interactive = False  # True shows a body that you can turn and play (in a running JupyterLab)

# %%
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from paperlib import plotting
from paperlib.cameras import project
from paperlib.detection import DETECTORS
from paperlib.evaluation import compare, evaluate
from paperlib.experiment import Experiment
from paperlib.models import TemporalModel, count_parameters, filter_widths
from paperlib.prediction import predict
from paperlib.recordings import count_frames
from paperlib.rendering import joint_visibility
from paperlib.training import Recipe, Supervised

plotting.use_style()
experiment = Experiment.begin(
    "start_here", globals(), detector=DETECTORS, interactive=(False, True)
)
experiment

# %% [markdown]
# ## A recording
#
# One person, one camera, over time. Positions are metres in the camera's space: x to the right, y
# down, z away from it. Keypoints are pixels.

# %%
exact = experiment.exact
recording = max(exact.test, key=lambda r: len(r) * (r.action in ("walking", "boxing", "soccer")))
print(recording)
print("positions  (T, J, 3)", tuple(recording.positions.shape), "metres")
print("keypoints  (T, J, 2)", tuple(recording.keypoints.shape), "pixels")
print("confidence (T, J)   ", tuple(recording.confidence.shape), "from 0 to 1")

# %% [markdown]
# The camera ties the two together: a keypoint is the projection of a position, lens and all.

# %%
gap = (project(recording.positions, recording.camera) - recording.keypoints).abs().max()
print(f"largest difference: {gap:.4f} pixels")

# %% [markdown]
# ## A detector
#
# In a real video nobody knows the exact keypoints; a network finds them, with errors. The
# simulated detector errs as real ones do: it trembles, it drifts, it loses hidden joints, it
# takes the left leg for the right.
#
# **Before you look:**<a id="how"></a> A hidden joint is harder to find than one in sight. By what
# factor is the detector's error larger there?

# %%
data = experiment.load()
detected = next(r for r in data.test if r.name == recording.name)
frame = len(recording) // 2
figure, axes = plt.subplots(1, 2, figsize=(6.4, 4.2))
for ax, version, title in zip(axes, (recording, detected), ("exact", detector), strict=True):
    plotting.draw_keypoints(ax, version.keypoints[frame], version.keypoint_skeleton)
    ax.invert_yaxis()
    ax.set_title(title)

# %%
error = (detected.keypoints - recording.keypoints).norm(dim=-1)
seen = joint_visibility(recording.positions, recording.skeleton)
print(f"mean error of joints in sight   {error[seen].mean():5.1f} pixels")
print(f"mean error of hidden joints     {error[~seen].mean():5.1f} pixels")
print(
    f"confidence in sight and hidden  {detected.confidence[seen].mean():.2f}, "
    f"{detected.confidence[~seen].mean():.2f}"
)

# %% [markdown]
# ## A model
#
# It takes keypoints over time, `(B, T, J, 2)`, and gives poses, `(B, T - 26, J, 3)`: each pose
# comes from 27 frames, its own in their middle. It is the *temporal* one of
# [the companion's table](table1.ipynb), trained alike; where that has three folds of the data, this
# is the first of them.

# %%
recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(data.train))
joints = len(data.skeleton)


def build():
    size = {"channels": recipe.channels, "dropout": recipe.dropout}
    return TemporalModel(len(data.keypoint_skeleton), 2, joints, filter_widths(27), **size)


run = experiment.train("temporal", Supervised(build, data), recipe)
print(f"{count_parameters(run.model):,} numbers, trained for {run.epoch} epochs")

# %% [markdown]
# How far is a joint from where it should be, on average over frames, and then over actions? That is
# MPJPE. And how well would we do by always answering with the mean pose? Any model must beat that.

# %%
mean_pose = sum(r.pose.mean(dim=0) for r in data.train) / len(data.train)
evaluations = {
    "always the mean pose": compare((mean_pose.expand_as(r.pose) for r in data.test), data.test),
    "temporal model": evaluate(run.model, data.test, recipe.test_flip, device),
}
errors = {name: 1000 * evaluation.average("mpjpe") for name, evaluation in evaluations.items()}
pd.Series(errors, name="MPJPE, mm").round(1).to_frame()

# %% [markdown]
# What goes in, and what comes out: keypoints above, below them the poses that the model makes of
# them, in colour, over the true ones in grey.

# %%
poses = predict(run.model, detected).numpy()
middle = len(detected) // 2
step = max(1, min(10, middle // 8))
moments = range(middle, middle + 8 * step, step)
figure = plotting.pose_sequence(detected, {"temporal": poses}, moments)
saved = experiment.save_figure(figure, "start_here_poses")

# %% [markdown]
# Of the three coordinates one is much harder than the others: how far away something is, a camera
# can hardly tell.

# %%
off = 1000 * abs(poses - detected.pose.numpy()).mean(axis=(0, 1))
for direction, error in zip(("to the side", "in height", "in depth"), off, strict=True):
    print(f"mean error {direction:<11} {error:5.1f} mm")

# %% [markdown]
# In a running notebook `paperlib.show(detected, {"temporal": poses})` is a player: turn the body,
# play it, point at a joint to see how far off it is. `.save("player.html")` makes a page of it.

# %%
if interactive:
    import paperlib

    display(paperlib.show(detected, {"temporal": poses}))

# %% [markdown]
# ## Where to go from here
#
# | Pavllo et al. 2019, or ours | what it shows |
# |---|---|
# | [the companion's own table](table1.ipynb) | every system on one benchmark |
# | [section 3](pavllo2019/section3_temporal_convolutions.ipynb) | the model, drawn and probed |
# | [Table 1](pavllo2019/table1.ipynb) | errors action by action, Protocols 1 and 2 |
# | [Table 2](pavllo2019/table2.ipynb) | smooth motion: the velocity error |
# | [Table 5](pavllo2019/table5.ipynb) | parameters and operations, to the printed digit |
#
# | Véges & Lőrincz 2020 | what it shows |
# |---|---|
# | [section 3.2](veges2020/section3_2_pose_refinement.ipynb) | through occlusions, with sliders |
# | [section 4.1](veges2020/section4_1_muco_temp.ipynb) | four people, and who hides whom |
# | [Table 2](veges2020/table2.ipynb) | bridging occlusions: the network, filters, refinement |
#
# | Wang et al. 2020 | what it shows |
# |---|---|
# | [section 4.1](wang2020/section4_1_clustered_occlusions.ipynb) | which joints are hidden? |
# | [Tables 1 to 5](wang2020/table1_to_5.ipynb) | does knowing what is hidden help a network? |
#
# | Cheng et al. 2020 | what it shows |
# |---|---|
# | [maps and strides](cheng2020/section_multi_scale_features.ipynb) | maps, and their peaks |
# | [Table 2](cheng2020/table2.ipynb) | what each part of the whole is worth |
#
# | Kato et al. 2020 | what it shows |
# |---|---|
# | [Figure 1](kato2020/figure1.ipynb) | from pictures to joints and their depths |
# | [Table 2](kato2020/table2.ipynb) | before and after the second stage |
#
# And with what is yours: [a film of your own](own_video.ipynb), and which of the papers'
# [claims](claims.ipynb) hold here.
#
# Change something above and run it again: another `detector`, another test recording, another
# `frame`.
