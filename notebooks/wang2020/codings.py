# %% [markdown]
# # What stands in the place of a hidden keypoint?
#
# *Beside Wang et al. 2020, section 4.3.*
#
# **What stands in the place of a hidden keypoint?** That decides most of what hiding costs.
# The same marks cost 14.30 ± 0.28 mm with zero, as in the paper, 7.10 ± 0.42 with the root's
# keypoint and 2.56 ± 0.41 with a straight line over time. To leave the keypoint where it was found
# and set a mask beside it neither costs nor gains what five seeds can tell (0.15 ± 0.38).
# <a href="#how">How it was found.</a>
#
# The paper zeroes the keypoints that it takes to be hidden. In screen coordinates zero is a place:
# the middle of the image. To a network that lifts keypoints, a wrist at zero is a wrist somewhere
# beside the body, found there without any doubt. So when zeroing costs something, it may not be
# the labels that are at fault, nor the thought that hidden keypoints are worth little, but only
# what is put in their place.
#
# Here the same marks are coded in five ways, all else alike:
#
# * **zero**, as in the paper;
# * **zero and mask**: zero, and a third number says that the keypoint was hidden (0.05, else 0, as
#   keypoints move by hundredths, too);
# * **mask**: the keypoint as it was found, and that number beside it;
# * **root**: the root's keypoint of the same frame, which is at least within the body (so the root
#   itself stays as it was found, even where it is marked);
# * **interpolated**: a straight line over time between where it was last seen and where next.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "humaneva" (licensed), "cmu", "mocap" (real motion), "humaneva_like" (embedded)
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …: keypoints of the same joints
labelling = "boxed_man"  # what is taken to be hidden: "boxed_man", "clustered"
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.detection import DETECTORS
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import CODINGS, OcclusionAware, TemporalModel, filter_widths
from paperlib.occlusion import GUESSES, scores, with_labels
from paperlib.prediction import predict_occlusion
from paperlib.recordings import count_frames
from paperlib.results import interval, over_seeds, select, shown
from paperlib.training import PoseAndOcclusion, Recipe, Supervised
from paperlib.windows import network_input

plotting.use_style()

# %%
experiment = Experiment.begin(
    "wang2020/codings",
    globals(),
    dataset=("auto", "humaneva", "cmu", "mocap", "humaneva_like"),
    detector=DETECTORS,
    labelling=GUESSES,
)
experiment

# %% [markdown]
# ## One keypoint over time
#
# The wrist that the rule marks most often, over the second in which it does: where it was found,
# and where each coding puts it. (With *mask* it stays where it was found.) Where a detection is far
# off and yet taken to be visible, a line over time leads far off, too.

# %%
data = experiment.load()
labelled = data.map(lambda r: with_labels(r, labelling, labelling))
joints, widths, root = len(data.skeleton), filter_widths(27), data.skeleton.root
network = {"vectors": "many", "root": root}


def aware(coding, **size):
    return OcclusionAware(joints, 3, joints, widths, coding=coding, **network, **size)


wrists = [data.skeleton.index(f"{side}_wrist") for side in ("left", "right")]
film = max(labelled.test, key=lambda r: (r.confidence[:, wrists] == 0).sum() * (len(r) > 60))
wrist = max(wrists, key=lambda j: (film.confidence[:, j] == 0).sum())
middle = int((film.confidence[:, wrist] == 0).float().cumsum(0).ge(8).nonzero()[0])
around = film.cut(max(0, middle - 30), min(len(film), middle + 30))

# %%
places, kept = network_input(around)[None], around.confidence[None, ..., None]
figure, ax = plt.subplots(figsize=(7.2, 3.2))
for coding in ("zero", "root", "interpolated"):
    line = aware(coding, channels=8).coded(places, kept)[0, :, wrist, 0]
    ax.plot(line, label=coding, color=plotting.colour_of(coding))
ax.plot(places[0, :, wrist, 0], ".", color=plotting.COLOURS["truth"], label="as it was found", ms=4)
ax.set(xlabel="frame", ylabel="x in screen coordinates")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
saved = experiment.save_figure(figure, "wang2020_codings_wrist")

# %% [markdown]
# ## Training
#
# The network of many vectors. What decides about hiding is trained by the cross-entropy: by the
# paper's absolute difference it comes to mark less, or nothing
# ([section 4.3](section4_3_occlusion_aware_tcn.ipynb)). With the hard gate it does not feel the
# error of the pose, so that all five have nearly the same marks; their share stands in the table.

# %%
recipe = (
    Recipe.wang2020(experiment.preset)
    if experiment.dataset.startswith("humaneva")
    else Recipe.pavllo2019(experiment.preset, 2 * count_frames(data.train))
)
size = {"channels": recipe.channels, "dropout": recipe.dropout}
PLAIN = "plain"
plain = lambda: TemporalModel(joints, 2, joints, widths, **size)  # noqa: E731
runs = {PLAIN: experiment.train(PLAIN, Supervised(plain, data), recipe)}
for coding in CODINGS:
    build = lambda coding=coding: aware(coding, **size)  # noqa: E731
    objective = PoseAndOcclusion(build, labelled, occlusion_loss="cross_entropy")
    runs[coding.replace("_", " ")] = experiment.train(coding, objective, recipe)
print(", ".join(f"{name} {run.seconds / 60:.1f} minutes" for name, run in runs.items()))

# %%
rows = []
for system, run in runs.items():
    found = evaluate(run.model, labelled.test, recipe.test_flip, device)
    rows += experiment.rows(system, found, run)
    if system != PLAIN:
        said = torch.cat([predict_occlusion(run.model, r) for r in labelled.test])
        said = said > run.model.threshold
        against = scores(said, ~torch.cat([r.visible for r in labelled.test]))
        about = experiment.about(system, run) | {"action": "average", "unit": "%"}
        for metric in ("marked", "hidden", "f1"):
            share = 100 * getattr(against, metric).item()
            rows.append(about | {"metric": metric, "value": share})
usual = labelling == "boxed_man"  # rows on record do not say, so that they are of these marks
saved = experiment.record(rows) if usual else None
measured = experiment.measured(rows) if usual else pd.DataFrame(rows)

# %% [markdown]
# ## What each coding costs
#
# **Before you look:**<a id="how"></a> Which of the five will cost least, and will any of them gain
# over a network that is told nothing?
#
# The difference to the plain network is paired by seed. *Marked* is the share of keypoints taken to
# be hidden in testing, *hidden* that of the labels.

# %%
average = select(measured, action="average")
table = over_seeds(average[average["metric"].isin(["mpjpe", "p_mpjpe", "marked", "hidden"])])
errors = claims.by_seed(measured, "mpjpe", action="average")
gaps = {s: shown(*interval(errors[s] - errors[PLAIN]), 2) for s in runs if s != PLAIN}
names = {"mpjpe": "MPJPE, mm", "p_mpjpe": "P-MPJPE, mm", "marked": "marked, %"}
table = table.reindex(list(runs)).rename(columns=names | {"hidden": "hidden, %"})
table.insert(1, "against plain, mm", pd.Series(gaps))
table.fillna("").rename_axis(columns=None).style.set_caption(
    f"{experiment.caption}; ± 95 % over seeds"
)

# %%
Markdown(f"*{experiment.protocol(data, recipe, 27, measured['seed'])}*")

# %% [markdown]
# *Interpolated* sees 26 frames more than the others, to know where a keypoint was seen last; what
# it gains by them may be due to that, too.
#
# ## Are they different from one another?
#
# Each coding against the paper's, seed by seed.

# %%
against = {
    s: {"MPJPE minus that of zero, mm": shown(*interval(errors[s] - errors["zero"]), 2)}
    for s in runs
    if s not in (PLAIN, "zero")
}
pd.DataFrame(against).T.style.set_caption(experiment.caption)

# %% [markdown]
# ## Try next
#
# * `-p labelling clustered`: other marks, and fewer of them. (These do not go on record.)
# * `gate="soft"` in `aware`: the keypoint is mixed with what stands in its place.
# * `-p detector ground_truth`: with exact keypoints, is any coding as good as none?
