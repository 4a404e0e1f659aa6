# %% [markdown]
# # How long to train: error against epochs
#
# **How far from trained out are the numbers of this companion?** Another doubling of the epochs,
# from four to eight, still gives 3.0 mm with 27 frames (47.9 to 44.9 mm). It is one seed, so that
# nothing finer is decided. <a href="#how">How it was found.</a>
#
# Every number of this companion hangs on how long its networks were trained, and an effect of one
# millimetre means little where another epoch is worth three. Two of the papers say how long they
# train, one of them on Human3.6M: 80 epochs. The `laptop` preset, with which all pages here were
# measured, has minutes on two CPU cores. This page shows what that costs: the error after one, two,
# four, … epochs, each with a **schedule of its own**, so that every point is what one gets who
# stops there on purpose.
#
# It is measured on **takes held out of the training part**, since the budget is a choice, and
# choices are not made on the test split.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), …
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …
receptive_fields = "1,27,243"  # frames; 1: as many layers as for 27, every kernel one frame wide
most_epochs = "8,8,2"  # up to which epochs are doubled, for each of these
preset = "auto"  # "smoke" (seconds), "laptop", "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import matplotlib.pyplot as plt
from IPython.display import Markdown

from paperlib import plotting
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment, listed
from paperlib.models import TemporalModel, filter_widths
from paperlib.recordings import count_frames
from paperlib.results import select
from paperlib.training import Recipe, Supervised

plotting.use_style()
experiment = Experiment.begin(
    "budget", globals(), detector=DETECTORS + FILES, receptive_fields=None, most_epochs=None
)
experiment

# %%
fields = [int(n) for n in listed("receptive_fields", receptive_fields)]
most = [int(n) for n in str(most_epochs).split(",")]  # one may stand there twice
if experiment.preset == "smoke":
    most = [2] * len(fields)
held = experiment.load().validation()
whole = 2 * count_frames(experiment.exact.train)  # windows, mirrored ones included
recipe = Recipe.pavllo2019(experiment.preset, whole)
steps, used = recipe.steps(2 * count_frames(held.train)), recipe.epochs * recipe.steps(whole)
print(held.source)
print(f"an epoch of them has {steps:,} steps of {recipe.batch_size} windows;")
print(f"preset {experiment.preset} takes {used:,} steps on the whole training part")

# %% [markdown]
# ## Training
#
# The schedule of the `laptop` preset is its own: the learning rate begins four times as high as in
# the paper and falls steadily, with each step, to nothing. The last row of the table below has the
# paper's (0.001, which falls by a factor with each epoch, as far as in 80).


# %%
def build(field):
    widths = filter_widths(field) if field > 1 else (1, 1, 1)
    joints = (len(held.keypoint_skeleton), 2, len(held.skeleton))
    size = {"channels": recipe.channels, "dropout": recipe.dropout}
    return lambda: TemporalModel(*joints, widths, **size)


def measure(field, epochs, recipe=recipe, how=""):
    shorter, name = recipe.shortened(epochs), f"{field} frames, {epochs} epochs{how}"
    run = experiment.train(name, Supervised(build(field), held), shorter)
    found = experiment.rows(name, evaluate(run.model, held.test, recipe.test_flip, device), run)
    return [row | {"receptive_field": field} for row in found if row["action"] == "average"]


# %%
THEIRS = ", the paper's schedule"
doublings = {
    field: [2**n for n in range(last.bit_length())]
    for field, last in zip(fields, most, strict=True)
}
rows = [row for f, several in doublings.items() for epochs in several for row in measure(f, epochs)]
middle = fields[len(fields) // 2]
papers = recipe.but(schedule="exponential", learning_rate=Recipe().learning_rate)
rows += measure(middle, 2, papers.but(epochs=80, decay=0.95), THEIRS)
saved = experiment.record(rows)

# %% [markdown]
# ## Error against epochs
#
# **Before you look:**<a id="how"></a> Error falls with every doubling of the epochs. Will 243
# frames be ahead of 27 after two epochs?

# %%
measured = select(experiment.measured(rows), metric="mpjpe", seed=seed)
errors = {
    field: measured[measured["receptive_field"] == field]
    .set_index("system")["value"]
    .loc[[f"{field} frames, {epochs} epochs" for epochs in several]]
    for field, several in doublings.items()
}
figure, ax = plt.subplots(figsize=(6.4, 3.6))
for field, several in doublings.items():
    label = "1 frame" if field == 1 else f"{field} frames"
    ax.plot([steps * epochs for epochs in several], errors[field], "o-", label=label)
ax.set(xscale="log", xlabel="steps, each point with its own schedule", ylabel="MPJPE, mm, held out")
ticks = sorted({e for several in doublings.values() for e in several})
ax.set_xticks([steps * e for e in ticks], [f"{steps * e:,}\n{e} epochs" for e in ticks])
ax.xaxis.set_minor_locator(plt.NullLocator())
ax.axvline(used, color="0.8", zorder=0)
ax.legend()
saved = experiment.save_figure(figure, "budget_epochs")

# %% [markdown]
# What another doubling gives, for each:

# %%
lines = ["| frames | epochs | MPJPE, mm | the doubling gave |", "|---|---|---|---|"]
for field, several in doublings.items():
    before = None
    for epochs, error in zip(several, errors[field], strict=True):
        gain = "" if before is None else f"{before - error:.1f} mm"
        lines.append(f"| {field} | {epochs} | {error:.1f} | {gain} |")
        before = error
error = measured.set_index("system")["value"][f"{middle} frames, 2 epochs{THEIRS}"]
lines.append(f"| {middle}{THEIRS} | 2 | {error:.1f} | |")
Markdown("\n".join(lines))

# %% [markdown]
# The grey line is the budget of the pages here. The knee would be where another doubling gives less
# than a millimetre; no line has reached it here, and past the grey line a doubling still gives
# three. So errors on the pages are those of networks that are not trained out: two systems on a
# page have had the same number of steps, and that is what is compared. On this one seed the
# distance between 1 and 27 frames hardly changes while both errors fall, and 243 frames are no
# better than 27 at this budget.

# %%
protocol = experiment.protocol(held, recipe, fields[-1], (seed,), experiment.exact.validation())
Markdown(f"*{protocol}*")

# %% [markdown]
# ## Try next
#
# * `-p receptive_fields 27 -p most_epochs 16`: where is the knee?
# * `-p receptive_fields 243 -p most_epochs 8`: do longer windows take longer to learn from?
# * `-p detector ground_truth`: do exact keypoints take longer to learn from?
