# %% [markdown]
# # The Temporal PoseNet: where is everybody?
#
# *Véges & Lőrincz 2020, section 3.1.*
#
# **Where is everybody?** Where people can be seen, the network puts them 313.8 ± 23.7 mm off on
# average (half of them less than 221.8 ± 12.2), and their joints 89.3 ± 2.9. Whom the detector
# loses is 2713.4 ± 738.1 mm off: no such frame is a target. <a href="#how">How it was found.</a>
#
# The models of Pavllo et al. give a pose relative to its root. With several people one also wants
# to know who stands where, so this network answers both: the place of the root in camera space, and
# the joints relative to it. It sees 81 frames of one person's keypoints; every person is lifted
# alone.
#
# From a single camera that is, strictly, impossible: a child near by and a giant far away give the
# same picture. It works as far as people are of similar size, and is the better the less the
# network depends on one camera. This notebook shows what is done for that.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "simulated_v2_coarse", "simulated_v2_smooth", "simulated_fine", …
receptive_field = 81  # frames that the network sees: 9, 27, 81 or 243
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace
from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import cameras, plotting
from paperlib.detection import PROFILES
from paperlib.evaluation import evaluate_scenes
from paperlib.experiment import METRIC_NAMES, Experiment, scene_protocol, scene_rows
from paperlib.experiment import several_people  # isort: skip
from paperlib.models import TemporalPoseNet, absolute, count_parameters, filter_widths
from paperlib.prediction import locate_scene
from paperlib.results import over_seeds, select
from paperlib.skeletons import COMMON_14
from paperlib.training import AbsolutePose
from paperlib.windows import draw_zoom, track_features, track_targets

# %%
plotting.use_style()
experiment = Experiment.begin(
    "veges2020/section3_1", globals(), detector=tuple(PROFILES), receptive_field=(9, 27, 81, 243)
)
experiment

# %% [markdown]
# ## What it sees: angles, not pixels
#
# A pixel means another thing in every camera. Multiplied by the inverse of the calibration matrix
# $K$, the same point has the same coordinates in all of them: the tangents of its angles to the
# optical axis.
#
# $$(x, y, 1)^\top = K^{-1} (u, v, 1)^\top$$
#
# The same person, filmed from the same place with two lenses:

# %%
example = experiment.exact.test[0]
wide = replace(example.camera.without_distortion(), focal=(600.0, 600.0))
long = replace(wide, focal=(1500.0, 1500.0), centre=(480.0, 540.0))
filmed = [
    replace(example, camera=c, keypoints=cameras.project(example.positions, c))
    for c in (wide, long)
]
pixels = (filmed[0].keypoints - filmed[1].keypoints).norm(dim=-1).max()
angles = (track_features(filmed[0]) - track_features(filmed[1])).abs().max()
print(f"the two pictures differ by up to {pixels:.0f} pixels, their features by {angles:.0e}")

# %% [markdown]
# Of the 14 joints that all detectors and data sets share, the hip is given as it is and the others
# relative to it, each with its score. A joint whose score is below 0.1 is worth nothing; it gets a
# constant far outside any picture, which the network learns to know.

# %%
doubtful = example.confidence.clone()
doubtful[:, example.keypoint_skeleton.index("left_wrist")] = 0.02
seen, hidden = track_features(example)[0], track_features(replace(example, confidence=doubtful))[0]
both = {"seen": seen[:, :2], "left wrist not seen": hidden[:, :2]}
columns = {(name, "xy"[i]): values[:, i] for name, values in both.items() for i in (0, 1)}
table = pd.DataFrame(columns, index=COMMON_14.joints)
table.loc[["hip", "neck", "left_wrist"]].style.format("{:.3f}")

# %% [markdown]
# ## What it answers: a place and a pose
#
# The place is $X$, $Y$ and $\log Z$: to be wrong by a tenth of the distance is equally wrong near
# and far. All 51 numbers are standardised by their mean and deviation over the training data, as
# are the inputs, and the loss is the mean absolute error of them, which forgives outliers. The
# answer and back:

# %%
answer = track_targets(example)
back = absolute(answer, example.skeleton.root)
print(f"root of the first frame: X, Y, log Z = {[round(v, 3) for v in answer[0, 0].tolist()]}")
off = 1e6 * (back - example.positions).abs().max()
print(f"back to metres: off by at most {off:.1f} micrometres")

# %% [markdown]
# ## The network
#
# That of Pavllo et al. with three residual modules, for 81 frames: a convolution over three frames
# to $C = 1024$ channels, three times a wide and a pointwise one, and a linear layer. With
# $14 \cdot 3 = 42$ numbers in and $17 \cdot 3 = 51$ out it has this many parameters:
#
# $$42 \cdot 3\,C + 2C + 3\,(3C^2 + 2C + C^2 + 2C) + 51\,C + 51$$

# %%
C = 1024
by_hand = 42 * 3 * C + 2 * C + 3 * (3 * C**2 + 2 * C + C**2 + 2 * C) + 51 * C + 51
built = count_parameters(TemporalPoseNet(num_joints_in=14, num_joints_out=17))
assert built == by_hand
print(f"{built:,} parameters")

# %% [markdown]
# ## Zooming
#
# With few cameras in training a network could learn that who stands lower in the picture stands
# nearer, which holds for these cameras alone. So every track is there a second time: the root moved
# away (or nearer) by a random factor $s$, the pose kept, and the keypoints shrunk about the hip by
# the same factor. That is roughly what another focal length would show.

# %%
frame, factor = len(example) // 2, 1.4
figure, panels = plt.subplots(1, 2, figsize=(6.4, 3.6), sharex=True, sharey=True)
for ax, zoom in zip(panels, (1.0, factor), strict=True):
    points = track_features(example, zoom=zoom)[frame, :, :2]
    place = torch.where(torch.arange(14)[:, None] == COMMON_14.root, 0.0, points[COMMON_14.root])
    plotting.draw_keypoints(ax, (points + place).numpy(), COMMON_14)
    depth = track_targets(example, zoom=zoom)[frame, 0, 2].exp()
    ax.set(title=f"the root at {depth:.1f} m")
panels[0].invert_yaxis()  # y points down; both panels share it
saved = experiment.save_figure(figure, "veges2020_zoom")
print("drawn for ten tracks:", [round(draw_zoom(r), 2) for r in experiment.exact.train[:10]])

# %% [markdown]
# ## Training
#
# On people alone and on [videos of four](section4_1_muco_temp.ipynb), in which people are hidden
# and lost. Frames in which nobody was found are no targets, but they are seen in the windows of
# others. Each window is taken as it is or mirrored, by chance.
#
# **Before you look:**<a id="how"></a> People are some five metres away. How far off, in
# centimetres, is where the network puts them?

# %%
people = several_people(experiment)
data, truth, recipe = people.data, people.truth, people.recipe(experiment.preset)
widths = filter_widths(receptive_field)
run = experiment.train("Temporal PoseNet", AbsolutePose(data, widths), recipe)
pd.DataFrame(run.history).set_index("epoch").T.style.format("{:.3f}")

# %%
located = [locate_scene(run.model, scene, recipe.test_flip) for scene in truth]
rows = scene_rows(experiment, "Temporal PoseNet", evaluate_scenes(located, truth), run)
kept = experiment.record(rows)
measured = experiment.measured(rows)
COLUMNS = ["mrpe", "mrpe_median", "mpjpe", "pck3d", "n_mrpe", "n_mpjpe"]
measured = measured[measured["metric"].isin(COLUMNS)]
parts = {p: over_seeds(select(measured, action=p)) for p in ("all", "visible", "lost")}
table = pd.concat(parts).droplevel(1)[COLUMNS].rename(columns=METRIC_NAMES)
table.rename_axis(columns=None, index="poses").style.set_caption(
    f"mm and % (3D-PCK); {experiment.caption}; ± 95 % over seeds"
)

# %%
protocol = scene_protocol(experiment, people, recipe, receptive_field, measured["seed"])
Markdown(f"*{protocol}*")

# %% [markdown]
# ## Where it fails
#
# The error of the root against the share of the person's joints that are hidden. The last point is
# those whom the detector did not find at all: of them the network knows only the frames around.

# %%
errors, hidden = [], []
for scene, positions in zip(truth, located, strict=True):
    root = scene.people[0].skeleton.root
    errors.append((positions - scene.positions)[..., root, :].norm(dim=-1).flatten())
    share = torch.stack([1 - r.visible.float().mean(dim=1) for r in scene.people])
    hidden.append(torch.where(scene.score > 0, share, 1.25).flatten())
errors, hidden = torch.cat(errors), torch.cat(hidden)
edges = [0, 0.01, 0.2, 0.4, 0.6, 1.01, 1.5]
names = ["none", "to 0.2", "to 0.4", "to 0.6", "more", "not found"]
parts = [errors[(hidden >= low) & (hidden < high)] for low, high in pairwise(edges)]

# %%
figure, ax = plt.subplots(figsize=(6.4, 3.2))
parts = {name: 1000 * part for name, part in zip(names, parts, strict=True) if len(part)}
quarters = torch.stack([p.quantile(torch.tensor([0.25, 0.5, 0.75])) for p in parts.values()])
low, middle, high = quarters.T
reach = torch.stack([middle - low, high - middle])
ax.errorbar(list(parts), middle, yerr=reach, fmt="o", capsize=4, color=plotting.COLOURS["temporal"])
ax.set(xlabel="share of the joints that are hidden", ylabel="root error, mm: median, quartiles")
ax.set_yscale("log")
ax.yaxis.set_major_formatter("{x:g}")
saved = experiment.save_figure(figure, "veges2020_error_by_hidden")

# %% [markdown]
# What to do about the last point is the [next section](section3_2_pose_refinement.ipynb).
#
# ## Try next
#
# * `-p receptive_field 9`, or 243: does who sees more frames know more about those that are
#   missing?
# * Train with `zoom=False` and look at [figure 3](figure3.ipynb).
# * Give the network another camera's pixels without the inverse calibration.
# * Exercises 1 to 3 of [the exercises](exercises.ipynb), with solutions.
