# %% [markdown]
# # Other joints in than out
#
# *Pavllo et al. 2019, sections 5.2 and 6.1, table 3.*
#
# **COCO keypoints in, Human3.6M joints out: by hand, or learned?** Learned: 51.9 ± 0.6 mm, where
# Human3.6M's own keypoints give 52.7 ± 0.5 and a map by hand 61.0 ± 1.4.
# <a href="#how">How it was found.</a>
#
# Detectors that work on any picture were trained on COCO, and COCO's 17 keypoints are not the 17
# joints of Human3.6M. COCO has nose, eyes and ears; Human3.6M has a spine, a neck and the top of
# the head. Even what shares a name differs: COCO's annotators clicked on a hip, motion capture
# computes where the thigh bone turns, some centimetres deeper and lower.
#
# Two ways lead from one to the other:
#
# * **by hand**: write each joint of Human3.6M as a mean of COCO's keypoints, and give that to a
#   model that was trained on Human3.6M's;
# * **learned**: give COCO's keypoints to the network as they are. Input and output need not be the
#   same joints; which is which, the first layer finds out from the data.
#
# The paper learns it. Here both are measured, with the model that never needed a map as the limit.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # frames that the models see: 3, 9, 27, 81, 243 or 729
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # a simulated detector; for "human36m" also "detectron_pt_coco"
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import datasets, plotting
from paperlib.claims import by_seed
from paperlib.detection import DETECTORS, detect
from paperlib.detection.coco import as_coco
from paperlib.evaluation import evaluate
from paperlib.experiment import METRIC_NAMES, Experiment
from paperlib.models import RECEPTIVE_FIELDS, TemporalModel, filter_widths

# %%
from paperlib.prediction import predict
from paperlib.recordings import count_frames
from paperlib.results import interval, over_seeds, paper_table, select, shown
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.training import Recipe, Supervised

plotting.use_style()

# %%
experiment = Experiment.begin(
    "pavllo2019/other_joints",
    globals(),
    detector=(*DETECTORS, "detectron_pt_coco"),
    receptive_field=RECEPTIVE_FIELDS[1:],
)
experiment

# %% [markdown]
# ## Data that carry both
#
# Human3.6M has both as files: what Detectron finds as it comes (`detectron_pt_coco`), and after it
# was tuned to Human3.6M's joints. Free data have no photographs that someone could have clicked on,
# so `as_coco` places COCO's points on the body: the face ahead of the head's axis, hips lower than
# the joints, shoulders a little higher and wider. **This is our model of the annotators, from the
# proportions of adults and of one body, and no measurement.** How large the effect is here follows
# from it; what kind of effect it is does not. The simulated detector then errs on both kinds about
# alike; by how much, the line below the table says.

# %%
if detector in DETECTORS:
    exact = experiment.exact.map(as_coco)
    placed = f"{exact.source} COCO's points: placed on the body by a model, not measured."
    coco = replace(detect(exact, detector, seed), source=placed)
    h36m = experiment.load()
else:
    exact, coco = None, experiment.load()
    h36m = datasets.load("human36m", experiment.preset == "smoke", keypoints="detectron_ft_h36m")
print(f"COCO:       {coco}, {coco.keypoint_skeleton.name}")
print(f"Human3.6M:  {h36m}, {h36m.keypoint_skeleton.name}")

# %% [markdown]
# ## The map by hand
#
# The obvious choice. Joints of the same name are taken as they are; for what COCO does not have,
# the nearest of what it has.

# %%
HAND_MAP = {
    "pelvis": "left_hip right_hip",
    "spine": "left_hip right_hip left_shoulder right_shoulder",
    "thorax": "left_shoulder right_shoulder",
    "neck_nose": "nose",
    "head_top": "left_eye right_eye",
}
SOURCES = [
    [COCO_17.index(name) for name in HAND_MAP.get(joint, joint).split()] for joint in H36M_17.joints
]


def by_hand(recording):
    keypoints = [recording.keypoints[:, js].mean(dim=1) for js in SOURCES]
    confidence = [recording.confidence[:, js].mean(dim=1) for js in SOURCES]
    return recording.with_keypoints(
        torch.stack(keypoints, dim=1), torch.stack(confidence, dim=1), H36M_17
    )


# %%
example = coco.test[0]
middle = len(example) // 2
kinds = {
    "Human3.6M": (h36m.test[0], H36M_17),
    "COCO": (example, COCO_17),
    "COCO, by hand": (by_hand(example), H36M_17),
}
figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.4), sharex=True, sharey=True)
for ax, (title, (recording, skeleton)) in zip(axes, kinds.items(), strict=True):
    plotting.draw_keypoints(ax, recording.keypoints[middle].numpy(), skeleton)
    ax.set_title(title, fontsize=10)
axes[0].invert_yaxis()
saved = experiment.save_figure(figure, "pavllo2019_other_joints_keypoints")

# %% [markdown]
# ## Two models, three ways to use them
#
# Both models have the same size and follow the paper's recipe. They differ in the keypoints that
# they were trained on; their targets are Human3.6M's joints.

# %%
recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(h36m.train))
size = {"channels": recipe.channels, "dropout": recipe.dropout}


def train(data, name):
    joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
    widths = filter_widths(receptive_field)
    build = lambda: TemporalModel(*joints, widths, **size)  # noqa: E731
    return experiment.train(name, Supervised(build, data), recipe)


on_h36m, on_coco = train(h36m, "on Human3.6M's keypoints"), train(coco, "on COCO's keypoints")
systems = {
    "COCO, mapped by hand": (on_h36m, [by_hand(r) for r in coco.test]),
    "COCO, learned": (on_coco, coco.test),
    "Human3.6M keypoints": (on_h36m, h36m.test),
}

# %%
rows = []
for name, (run, test) in systems.items():
    rows += experiment.rows(name, evaluate(run.model, test, recipe.test_flip, device), run)
experiment.record(rows)
measured = experiment.measured(rows)

# %% [markdown]
# ## The table
#
# **Before you look:**<a id="how"></a> How much of what the map by hand costs will a rigid
# alignment (P-MPJPE) take away: nearly all, or little?

# %%
average = select(measured, action="average").query("metric in ('mpjpe', 'p_mpjpe')")
table = over_seeds(average).reindex(systems).rename(columns=METRIC_NAMES)
table.insert(0, "trained on", ["Human3.6M keypoints", "COCO keypoints", "Human3.6M keypoints"])
table.style.set_caption(f"mm; {experiment.caption}")

# %%
protocol = experiment.protocol(coco, recipe, receptive_field, measured["seed"], exact)
other = experiment.protocol(h36m, recipe, receptive_field).keypoint_error
known = "" if pd.isna(other) else f" Human3.6M's keypoints: {other:.1f} px mean error."
Markdown(f"*{protocol}{known}*")

# %% [markdown]
# ## Where the error is
#
# On the left, how far each keypoint that was mapped by hand lies from Human3.6M's own, in the image
# and converted to millimetres at the person's distance; on free data the ankles are the same in
# both, and what is left there are the detector's errors. On the right, how wrong each joint of the
# pose is. A network sees all keypoints at once: a few wrong ones can spoil other joints as well.

# %%
camera = coco.test[0].camera.name
chosen = [i for i, r in enumerate(coco.test) if r.camera.name == camera]


def shift(i):
    one, other = by_hand(coco.test[i]), h36m.test[i]
    metres = other.trajectory[:, 2] / torch.tensor(other.camera.focal).mean()
    return 1000 * metres[:, None] * (one.keypoints - other.keypoints).norm(dim=-1)


def wrong(run, recordings):
    poses = [predict(run.model, recordings[i], recipe.test_flip) for i in chosen]
    parts = [(p - coco.test[i].pose).norm(dim=-1) for p, i in zip(poses, chosen, strict=True)]
    return 1000 * torch.cat(parts).mean(dim=0)


moved = torch.cat([shift(i) for i in chosen]).mean(dim=0)
by_joint = pd.DataFrame({name: wrong(*pair).tolist() for name, pair in systems.items()})
by_joint.index = [joint.replace("_", " ") for joint in H36M_17.joints]

# %%
looks = [plotting.colour_of(name) for name in ("single frame", "temporal", "other")]
COLOURS, MARKS = (dict(zip(systems, each, strict=True)) for each in (looks, "sov"))
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 4.6), sharey=True, layout="constrained")
places = range(len(by_joint))
left.barh(places, moved, color=COLOURS["COCO, mapped by hand"], height=0.6)
left.set_xlabel("2D shift of the hand map, mm")
for name in by_joint:
    right.plot(by_joint[name], places, MARKS[name], color=COLOURS[name], label=name)
right.set(xlabel="3D error, mm", xlim=(0, None))
left.set_yticks(places, by_joint.index)
left.invert_yaxis()
figure.legend(loc="outside upper right", ncols=3)
saved = experiment.save_figure(figure, "pavllo2019_other_joints_errors")

# %%
errors = by_seed(measured, "mpjpe", action="average")
hand, learned, limit = (errors[name] for name in systems)
by_map, by_network, between = (
    shown(*interval(gain)) for gain in (hand - limit, learned - limit, hand - learned)
)
Markdown(
    "MPJPE, against that of the model that is given Human3.6M's joints: mapped by hand "
    f"**{by_map} mm** more, learned **{by_network} mm**; the map by hand "
    f"costs **{between} mm** more than the learned one "
    f"({experiment.caption}; ± 95 % over seeds, each difference seed by seed)."
)

# %% [markdown]
# ## The paper's rows
#
# The paper has no row for a map by hand. It has detectors as they come, trained on COCO, whose 17
# keypoints the model learns to lift to Human3.6M's joints, beside the same detectors tuned to those
# joints. Tuning changes the joints and the pictures at once, so that the difference is an upper
# bound on what a learned map loses.

# %%
paper = paper_table("pavllo2019_table3").query("own_model == 'yes' and uses_gt_2d == 'no'")
coco_trained = paper[paper["detector_2d"] != "stacked_hourglass"]
printed = coco_trained.pivot(
    index="detector_2d", columns="detector_training", values=["p1_mpjpe_mm", "p2_p_mpjpe_mm"]
)
printed = printed.rename(columns={"p1_mpjpe_mm": "MPJPE", "p2_p_mpjpe_mm": "P-MPJPE"})
printed.index = printed.index.str.replace("_", " ")
printed = printed.rename_axis(index=None, columns=[None, None])
printed.style.format("{:.1f}").set_caption("Table 3 of the paper, mm; Human3.6M, 243 frames")

# %% [markdown]
# Their status is *not run (licence)*: with Human3.6M and the two Detectron files in place,
# `dataset="human36m"`, `detector="detectron_pt_coco"`, `preset="paper"` and `receptive_field=243`
# measure that detector's two rows, and the hand map beside them.
#
# ## Try next
#
# * `-p detector ground_truth`: without a detector's noise, is the learned map free?
# * Train on keypoints that were mapped by hand, `train(coco.map(by_hand), "by hand")`, and test on
#   them. Which part of the cost was what the map loses, and which that the model had never seen
#   such joints?
# * Write a better map, one that extrapolates from the ears and eyes to the top of the head. How far
#   does it get?
# * Exercises 21 and 22 of [the exercises](exercises.ipynb), with solutions.
