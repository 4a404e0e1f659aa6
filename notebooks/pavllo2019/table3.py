# %% [markdown]
# # Table 3: how good must the 2D detector be?
#
# *Pavllo et al. 2019, section 6.1, table 3.*
#
# Lifting starts from 2D keypoints that somebody else found. How much of the error in 3D is theirs?
# The paper trains and tests one model on keypoints of several detectors, and on exact ones, where
# the error that is left is the lifting's own. Its claims:
#
# 1. with exact keypoints the error is far below that with any detector: 37.2 mm against 46.8;
# 2. better detectors give better poses, and a detector tuned to the data is better than the same
#    one as it comes;
# 3. on the same keypoints the temporal model beats the linear baseline of Martinez et al., so the
#    gain is not the detector's alone.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # frames that the temporal model sees: 3, 9, 27, 81, 243 or 729
dataset = "auto"  # "synthetic" (embedded), "cmu" (real motion capture) or "human36m"
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Markdown

from paperlib import plotting
from paperlib.detection import FILES, simulated
from paperlib.errors import MissingDataError
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import RECEPTIVE_FIELDS, LinearModel, TemporalModel, filter_widths
from paperlib.results import over_seeds, paper_table, select
from paperlib.training import Recipe, Supervised

plotting.use_style()
experiment = Experiment.begin("pavllo2019/table3", globals(), receptive_field=RECEPTIVE_FIELDS[1:])
experiment

# %% [markdown]
# ## The detectors
#
# On Human3.6M these are the field's files of keypoints, as many of them as lie there. Other data
# have no pictures to detect anything in: exact projections are disturbed as a detector would, with
# jitter and drift that grow to the ends of the limbs, left and right confused, and outliers. The
# profiles are those of the [first version](../detector.ipynb), and differ in how strongly. What
# counts for us is their **error in pixels**, since it orders them by what they do and not by what
# they are called.

# %%
known = FILES if experiment.dataset == "human36m" else simulated.PROFILES
names = ("ground_truth", *known)
recipe = Recipe.pavllo2019(experiment.preset)
if experiment.preset == "laptop":
    recipe = recipe.shortened(6)  # ten models are trained here: half of the usual epochs

views, data, pixels = {}, {}, {}
for name in names:
    view = experiment.with_detector(name)
    try:
        data[name] = view.load()
    except MissingDataError:
        continue  # no such file here
    views[name] = view
    pixels[name] = view.protocol(data[name], recipe, receptive_field).keypoint_error

pixels = pd.Series(pixels).sort_values()
pixels.rename("2D error, pixels").to_frame().style.format("{:.1f}", na_rep="other joints")

# %% [markdown]
# ## Two models on each
#
# Each model is trained and tested on the keypoints of one detector, so that it can learn how that
# one errs. Both follow the recipe of the temporal model; the baseline's own had another loss and
# another batch size, and here only the network shall differ. Poses are averaged over the mirrored
# input, as in the paper.


# %%
def systems(joints):
    widths = filter_widths(receptive_field)
    size = {"channels": recipe.channels, "dropout": recipe.dropout}
    return {
        "linear baseline": lambda: LinearModel(*joints, **size),
        "temporal": lambda: TemporalModel(*joints, widths, **size),
    }


# %%
def measure(view, seen):
    rows = []
    joints = (len(seen.keypoint_skeleton), 2, len(seen.skeleton))
    for system, build in systems(joints).items():
        objective = Supervised(build, seen)
        run = view.train(f"{system}, {view.detector}", objective, recipe)
        rows += view.rows(system, evaluate(run.model, seen.test, recipe.test_flip, device), run)
    experiment.record(rows)
    return view.measured(rows)


measured = pd.concat([measure(views[name], data[name]) for name in pixels.index])
measured = select(measured, action="average")

# %% [markdown]
# ## The table


# %%
def by_detector(metric):
    return over_seeds(select(measured, metric=metric), columns="detector").T.loc[pixels.index]


protocols = {"P1: MPJPE, mm": "mpjpe", "P2: P-MPJPE, mm": "p_mpjpe"}
table = pd.concat({title: by_detector(metric) for title, metric in protocols.items()}, axis=1)
table.insert(0, ("2D", "error, px"), pixels.map("{:.1f}".format))
table.index = table.index.str.replace("_", " ")
table.rename_axis(columns=[None, None]).style.set_caption(experiment.caption)

# %%
exact = views["ground_truth"]
protocol = exact.protocol(data["ground_truth"], recipe, receptive_field, measured["seed"])
Markdown(f"*First row: {protocol} The other rows differ in the detector alone.*")

# %% [markdown]
# ## 3D error against 2D error

# %%
means = measured.groupby(["metric", "detector", "system"])["value"].mean().unstack()
errors = means.loc["mpjpe"].loc[pixels.index]
figure, ax = plt.subplots(figsize=(6.4, 3.8))
for system in errors:
    colour = plotting.colour_of(system)
    ax.plot(pixels, errors[system], color=colour, lw=1, alpha=0.5)
    ax.scatter(pixels, errors[system], s=44, color=colour, label=system, zorder=3)
for name, x in pixels.dropna().items():
    words = name.replace("ground_truth", "exact").removeprefix("simulated_").replace("_", " ")
    below = (x, errors.loc[name].min())
    ax.annotate(words, below, (0, -8), textcoords="offset points", va="top", ha="center")
ax.set(xlabel="mean error of the 2D keypoints, pixels", ylabel="MPJPE, mm")
ax.margins(x=0.09, y=0.16)
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
saved = experiment.save_figure(figure, "pavllo2019_table3_detectors")

# %% [markdown]
# At 0 pixels the detector is without fault, and what is left is the lifting's: a projection does
# not determine the pose. How steeply a line rises is what a pixel costs. The distance between the
# two is what the neighbouring frames are worth, together with the other network.
#
# ## The paper's rows
#
# Human3.6M, 243 frames. *SH*, the stacked hourglass, came with Martinez et al.; the others are new
# in this paper.

# %%
paper = paper_table("pavllo2019_table3")
keypoints = paper["detector_2d"] + ", " + paper["detector_training"].fillna("")
paper["2D keypoints"] = keypoints.str.strip(", ").str.replace("_", " ")
printed = paper.pivot(
    index="2D keypoints", columns="method", values=["p1_mpjpe_mm", "p2_p_mpjpe_mm"]
).sort_values(("p1_mpjpe_mm", "Ours"))
printed = printed.rename(columns={"p1_mpjpe_mm": "P1", "p2_p_mpjpe_mm": "P2"})
printed = printed.rename_axis(columns=[None, None])
printed.style.format("{:.1f}", na_rep="").set_caption("Table 3 of the paper, mm; Human3.6M")

# %% [markdown]
# ## Do the claims hold here?
#
# Millimetres on different data cannot be compared; the direction of an effect can. As the best
# detector counts the best of those that are like a real one: `simulated_fine` is not.


# %%
def change(new, old):
    return f"{100 * (new / old - 1):+.1f} %"


def row(claim, theirs, ours):
    return f"| {claim} | {theirs or 'not printed'} | {ours or 'not run'} |"


theirs, temporal = printed["P1"], errors["temporal"]
real = temporal.drop(["ground_truth", "simulated_fine"], errors="ignore")
TUNED = {
    "simulated_v1": "simulated_pretrained",
    "sh_ft_h36m": "sh_pt_mpii",
    "detectron_ft_h36m": "detectron_pt_coco",
}
tuned = [change(temporal[a], temporal[b]) for a, b in TUNED.items() if {a, b} <= {*temporal.index}]

# %%
own = theirs["Ours"]
DETECTOR_NAMES = ("stacked hourglass", "detectron mask rcnn", "cascaded pyramid network")
their_tuned = [change(own[f"{d}, finetuned"], own[f"{d}, pretrained"]) for d in DETECTOR_NAMES]
known = theirs.dropna(subset=["Martinez et al."])
their_gain = [change(r["Ours"], r["Martinez et al."]) for _, r in known.iterrows()]
our_gain = [change(r["temporal"], r["linear baseline"]) for _, r in errors.iterrows()]
truth, best = own["ground truth"], own.drop("ground truth").min()
lstm = " and ".join(
    change(truth, theirs.loc["ground truth", w]) for w in ("Lee et al.", "Hossain & Little")
)
order = f"{pixels.corr(temporal, method='spearman'):+.2f}" if pixels.count() > 2 else None
exact_gain = change(temporal["ground_truth"], real.min()) if len(real) else None
lines = [
    f"| MPJPE | paper, Human3.6M | here, {experiment.dataset} |\n|---|---|---|",
    row("temporal: exact keypoints against the best detector", change(truth, best), exact_gain),
    row("temporal: rank correlation of 2D and 3D error", None, order),
    row("temporal: tuned against pre-trained detector", ", ".join(their_tuned), ", ".join(tuned)),
    row("temporal against linear, rows as above", ", ".join(their_gain), ", ".join(our_gain)),
    row("exact keypoints: against the LSTMs of Lee and of Hossain", lstm, None),
]

# %%
Markdown("\n".join(lines))

# %% [markdown]
# The paper's own numbers need Human3.6M and the detectors' files: *not run (licence)*. CPN without
# tuning has no public file.
#
# ## Try next
#
# * `-p receptive_field 9`, and 81: whom do more frames help, the good detector or the poor one?
# * Evaluate the model that learnt on `simulated_v1` with the recordings of `simulated_coarse`, and
#   the other way round: is it better to have trained on what one will meet?
# * Plot P2 in place of P1. Which part of a detector's errors does the alignment take away?
