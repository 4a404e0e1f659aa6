# %% [markdown]
# # Multi-scale features: what does a map hold that its peak does not?
#
# *Cheng et al. 2020, "Multi-scale features for pose estimation", figure 2.*
#
# **What does a heat map hold that its peak does not?** How sure the detector is (its height, whose
# rank correlation with the error is -0.25), and second peaks: where a keypoint is badly wrong,
# 31 % of maps with two peaks are bright at the truth, and 1 % of those with one. The network
# hardly goes by the height: 75.5 ± 1.7 mm, and 75.4 ± 1.7 with all heights alike.
# <a href="#how">How it was found.</a>
#
# Networks that find keypoints answer **heat maps**: for each joint a picture that is bright where
# they take it to be. Most lifting networks see nothing of it but the place of the highest point.
# The paper embeds the maps as they are, $r_t = f_E(m_t)$, and says that this keeps more of what the
# picture shows. From there temporal convolutions of several strides lead to poses, and a
# discriminator judges them: figure 2, which is drawn on this page from a network at work.
#
# Our maps are not a network's. They are **drawn from keypoints and their confidence**, so that all
# that they hold can be said, and measured. Whether embedded maps lower the error of the poses
# (claim `cheng2020-c01`) is judged in [table 2](table2.ipynb).

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "simulated_v2_coarse", …: one that errs
confused = 0.4  # height of a second peak where left and right may be confused, 0 to 1
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
from matplotlib.colors import PowerNorm

from paperlib import plotting
from paperlib.cameras import normalize_screen_coordinates, project
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate
from paperlib.experiment import METRIC_NAMES, Experiment
from paperlib.kinematics import bone_vectors, kinematic_chain_space
from paperlib.kinematics import temporal_kinematic_chain_space  # isort: skip
from paperlib.occlusion import SimulatedMaps, peaks
from paperlib.results import over_seeds, select
from paperlib.training import spatio_temporal, withhold_positions
from paperlib.windows import network_input

# %%
plotting.use_style()
experiment = Experiment.begin(
    "cheng2020/section_multi_scale_features",
    globals(),
    detector=DETECTORS[1:] + FILES,  # not the truth: it has no errors
    confused=None,
)
experiment

# %% [markdown]
# ## By hand
#
# A keypoint in the middle of a map of 8 cells, of which the detector is sure (confidence 1), and
# one of which it is not (0.5): its map is half as high, and one and a half times as wide. At the
# peak there are left the place, to the fraction of a cell, and the height of the highest cell. That
# is a little less than the confidence where the peak lies between cells.

# %%
small, crop = SimulatedMaps(size=8, blur=1.0), torch.tensor([[[0.0, 0.0, 2.0]]])
for confidence in (1.0, 0.5):
    point = torch.tensor([[[[0.1, 0.0]]]])
    maps = small.draw(point, torch.full((1, 1, 1), confidence), crop)
    print(f"confidence {confidence}, one row of the map: {maps[0, 0, 0, 4].numpy().round(2)}")
    print("  peak at x, y, height:", peaks(maps, crop)[0, 0, 0].numpy().round(3))

# %% [markdown]
# ## A frame of the test
#
# The frame in which the detector most mistakes left for right, of those whose joints all lie within
# the maps, and there the four joints whose keypoints are furthest off, and not half as far from the
# other side's joint. The circle is where the joint is,
# the cross the map's peak. Above the maps that the companion trains with; below with a second peak
# at the other side's keypoint, the higher the less sure the detector is: as maps of real networks
# have it where they take left for right. (Brightness is the root of the value, or nobody would see
# it.)

# %%
data = experiment.load()
joints = data.keypoint_skeleton
camera = data.test[0].camera.name
test = [r for r in data.test if r.camera.name == camera]
drawing = {"one peak": SimulatedMaps(size=32, sigma=1.0)}
drawing["two peaks"] = replace(
    drawing["one peak"], confused=confused, mirrored=tuple(joints.mirrored)
)


# %%
def exact(recording):
    """Where the joints are, in the unit of the keypoints that a network sees."""
    camera = recording.camera
    return normalize_screen_coordinates(
        project(recording.truth, camera), camera.width, camera.height
    )


def drawn(recording, how):
    """The maps of a recording, one window of all frames, and their crops."""
    x = network_input(recording, confidence=True)[None]
    crops = how.crops(x[..., :2], x[..., 2])
    return how.draw(x[..., :2], x[..., 2], crops), crops


# %%
mirrored = list(joints.mirrored)


def errors(recording):
    """How far each keypoint is from its joint; whether it is not half as far from the other side's;
    and whether all joints of a frame lie within its maps."""
    seen, truth = network_input(recording), exact(recording)
    wrong = (seen - truth).norm(dim=-1)
    crops = drawing["one peak"].crops(seen[None], recording.confidence[None])[0, :, None]
    inside = (truth - crops[..., :2]).abs().amax(dim=-1) < crops[..., 2] / 2
    swapped = (seen - truth[:, mirrored]).norm(dim=-1) < wrong / 2
    return wrong, swapped, inside.all(dim=-1)


wrong, swapped, inside = zip(*map(errors, test), strict=True)
mistaken = [(w * s).sum(dim=1) * i for w, s, i in zip(wrong, swapped, inside, strict=True)]
film = max(range(len(test)), key=lambda i: mistaken[i].max().item())
frame = int(mistaken[film].argmax())
cut = test[film].cut(frame, frame + 1)
worst = (wrong[film] * swapped[film])[frame].argsort(descending=True)[:4].tolist()

# %%
figure, axes = plt.subplots(2, 4, figsize=(9, 4.9))
for row, (name, how) in zip(axes, drawing.items(), strict=True):
    maps, crops = drawn(cut, how)
    for ax, joint in zip(row, worst, strict=True):
        places = [peaks(maps, crops)[0, 0, joint, :2], exact(cut)[0, joint]]
        u, v = [((p - crops[0, 0, :2]) / crops[0, 0, 2] + 0.5) * how.size - 0.5 for p in places]
        ax.imshow(maps[0, 0, joint], "inferno", norm=PowerNorm(0.5, 0, 1))
        ax.plot(*u, "x", color="white")
        ax.plot(*v, "o", mfc="none", mec="#55d6be", ms=10, mew=1.6)
        ax.set(xticks=[], yticks=[], xlim=(-0.5, 31.5), ylim=(31.5, -0.5))
        if ax in axes[0]:
            ax.set_title(joints.joints[joint].replace("_", " "))
    row[0].set_ylabel(name, fontweight="bold")
saved = experiment.save_figure(figure, "cheng2020_maps_and_peaks")

# %% [markdown]
# ## What survives
#
# For maps of so many cells: how far the peak lies from the keypoint that was drawn (pixels of the
# image), how far its height from the confidence, and how many keypoints lie outside of the map and
# are lost. Between cells the place is found from three of them, which is exact for a Gaussian.

# %%
half = test[0].camera.width / 2  # pixels in a unit of screen coordinates
found = {}
for cells in (8, 16, 32, 64):
    how, apart, height, outside = SimulatedMaps(size=cells, sigma=max(1.0, cells / 32)), [], [], []
    for recording in test[:40]:
        seen = network_input(recording, confidence=True)
        maps, crops = drawn(recording, how)
        inside = ((seen[..., :2] - crops[0, :, None, :2]).abs() < crops[0, :, None, 2:] / 2).all(-1)
        there, top = seen[..., 2] > 0, peaks(maps, crops)[0]
        outside.append(~inside[there])
        apart.append((top[..., :2] - seen[..., :2]).norm(dim=-1)[there & inside])
        height.append((top[..., 2] - seen[..., 2]).abs()[there & inside])
    apart, height, outside = map(torch.cat, (apart, height, outside))
    found[cells] = {"place, pixels": half * apart.mean().item(), "height": height.mean().item()}
    found[cells]["outside, %"] = 100 * outside.float().mean().item()
pd.DataFrame(found).T.rename_axis("cells").style.format("{:.2f}")

# %% [markdown]
# So a map of one peak says where, and **how sure**, and no more than that: place and confidence as
# three numbers tell the same. To the paper's baseline, which has the place alone, the second is
# new.
#
# ## What the height tells
#
# Keypoints of the test in the order of their confidence, in ten parts: how wrong are they?

# %%
off = half * torch.cat([w.flatten() for w in wrong])
sure = torch.cat([r.confidence.flatten() for r in test])
tenth = pd.qcut(pd.Series(sure.numpy()).rank(method="first"), 10, labels=False)
parts = pd.DataFrame({"confidence": sure, "pixels": off}).groupby(tenth).mean()
rank = pd.Series(sure.numpy()).corr(pd.Series(off.numpy()), method="spearman")
figure, ax = plt.subplots(figsize=(5.4, 3.2))
ax.plot(parts["confidence"], parts["pixels"], "o-", color=plotting.colour_of("whole system"))
ax.set(xlabel="confidence, the height of a map", ylabel="mean error, pixels", ylim=(0, None))
saved = experiment.save_figure(figure, "cheng2020_height_and_error")
print(f"rank correlation of confidence and error: {rank:+.2f}")

# %% [markdown]
# ## What a second peak tells
#
# Of the keypoints that are wrong by more than a tenth of the crop: how many have a map that is not
# dark (above 0.05) where the joint really is? A peak knows of none of these. *Swapped* are those of
# them that lie not half as far from the true place of the other side's joint.
#
# **Before you look:**<a id="how"></a> A map may show a second peak at the other side's joint. Of
# the keypoints that are badly wrong, how many were swapped?

# %%
counts = {}
for name, how in drawing.items():
    bright, sides = [], []
    for recording, error, changed in zip(test[:40], wrong, swapped, strict=False):
        maps, crops = drawn(recording, how)
        far = (error > 0.1 * crops[0, :, 2:]) & (recording.confidence > 0)
        cell = ((exact(recording) - crops[0, :, None, :2]) / crops[0, :, None, 2:] + 0.5) * how.size
        x, y = cell.long().clamp(0, how.size - 1).unbind(-1)
        value = maps[0].flatten(-2).gather(-1, (y * how.size + x)[..., None])[..., 0]
        bright.append(value[far] > 0.05)
        sides.append(changed[far])
    bright, sides = torch.cat(bright).numpy(), torch.cat(sides).numpy()
    counts[name] = {"wrong": bright.mean(), "swapped": bright[sides].mean()}
print(f"{len(bright):,} keypoints are wrong by so much, {sides.sum():,} of them swapped")
pd.DataFrame(counts).T.style.format("{:.0%}").set_caption("maps that are bright at the truth")

# %% [markdown]
# The second peak was put there by a rule of ours, and its height by the same confidence; what maps
# of a real network know besides, only images can say. The systems of this companion learn from maps
# of one peak (`confused` of `SimulatedMaps` is 0).
#
# ## Figure 2, from a network at work
#
# The whole system on a window of the test. From top to bottom: the maps of its frames; what f_E
# makes of them, a column for each frame; for each stride, how much the middle frame's features
# change with each frame's embedding (a dot's size is the length of that gradient); the poses; and
# what the discriminator looks at, $\Psi$ and $\Phi$ of the middle frame. A positive logit says: a
# true motion.

# %%
part, films = withhold_positions(data)
learning, recipe = spatio_temporal(part, experiment.preset, films)
run = experiment.train("whole system", learning, recipe)
generator, judge = run.model.generator.cpu().eval(), run.model.discriminator.cpu().eval()
length = generator.length
shown = max(test, key=len)
window = network_input(shown.cut(0, length), confidence=True)[None]
maps, crops = generator.drawn(window)
caught, middle, parents = [], length // 2, part.skeleton.parents
hook = generator.embed.register_forward_hook(lambda *event: caught.append(event[-1].detach()))
poses = generator(maps, crops).detach()
hook.remove()
embedded = caught[0].float().requires_grad_(True)

# %%
reached = {}
for stride, branch in zip(generator.strides, generator.branches, strict=True):
    features = branch(embedded)[0, middle]
    (slope,) = torch.autograd.grad(features.square().sum(), embedded)
    reached[stride] = slope[0].norm(dim=-1).numpy()
psi = kinematic_chain_space(bone_vectors(poses[0], parents))
phi = temporal_kinematic_chain_space(psi, 1)
judged = {"Ψ, spatial KCS": psi[middle].numpy(), "Φ, temporal KCS": phi[middle].numpy()}
logit = judge(poses).mean().item()
vectors = embedded[0].detach().numpy()
window_of = maps[0].numpy(), vectors, reached, poses[0].numpy(), part.skeleton
figure = plotting.multi_stride_system(*window_of, judged, f"logit {logit:+.2f}")
print(shown)
saved = experiment.save_figure(figure, "cheng2020_figure2")

# %% [markdown]
# The rows of dots are the paper's idea in one picture: each branch has as many weights, and reads
# as many frames; the larger its stride, the further apart they lie.
#
# ## Does the network go by the height?
#
# The same network on the same clips, with heights that say nothing: all maps as high as the mean of
# the clip, or heights of other frames of it.


# %%
def with_heights(recording, confidence):
    there = torch.where(recording.confidence > 0, confidence, 0.0)  # what was not found stays so
    return recording.with_keypoints(recording.keypoints, there)


def even(recording):
    return with_heights(recording, recording.confidence[recording.confidence > 0].mean())


def shuffled(recording):
    chance = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(recording), generator=chance)
    return with_heights(recording, recording.confidence[order])


# %%
some = pd.Series(test).groupby([r.action for r in test]).head(3).tolist()
heights = {"as found": some, "all alike": [even(r) for r in some]}
heights["of other frames"] = [shuffled(r) for r in some]
rows = []
for name, recordings in heights.items():
    error = evaluate(run.model, recordings, recipe.test_flip, device)
    rows += experiment.rows(f"whole system, heights {name}", error, run)
saved = experiment.record(rows)
measured = select(experiment.measured(rows), action="average")
table = over_seeds(measured).rename(columns=METRIC_NAMES).rename_axis(index=None, columns=None)
table.style.set_caption(f"mm, mm/frame, mm/frame²; {experiment.caption}; ± 95 % over seeds")

# %%
protocol = experiment.protocol(part, recipe, length, measured["seed"])
averaging = f"{len(some)} clips of one camera, up to three of each action; actions averaged alike"
Markdown(f"*{protocol.but(averaging=averaging)}*")

# %% [markdown]
# This network hardly goes by the height: with heights that say nothing its error is the same. Those
# of other frames flicker, and the poses tremble with them.
#
# ## Try next
#
# * `-p confused 1`: the second peak is at most a quarter as high as the first can be. Why?
# * `-p detector simulated_v2_blazepose`: does its confidence tell as much of its error?
# * `cells=32` in `spatio_temporal`, and 8: what is a finer map worth to the poses?
# * `maps={"confused": 0.4, ...}` in `MultiStrideTCN`, with `mirrored`: a network that learns from
#   second peaks.
# * Exercises 4 and 5 of [the exercises](exercises.ipynb), with solutions.
