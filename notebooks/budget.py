# %% [markdown]
# # How long to train: error against epochs
#
# Every number of this companion hangs on how long its networks were trained, and an effect of one
# millimetre means little where another epoch is worth three. The papers train for 80 epochs on a
# GPU. The `laptop` preset, with which all pages here were measured, has minutes on two CPU cores.
# This page shows what that costs: the error after one, two, four, … epochs, each with a **schedule
# of its own**, so that every point is what one gets who stops there on purpose.
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
own = {"detector": DETECTORS + FILES, "receptive_fields": None, "most_epochs": None}
experiment = Experiment.begin("budget", globals(), **own)
experiment

# %%
fields = [int(n) for n in listed("receptive_fields", receptive_fields)]
most = [int(n) for n in listed("most_epochs", most_epochs)]
if experiment.preset == "smoke":
    fields, most = fields[:2], [2, 2]
held = experiment.load().validation()
recipe = Recipe.pavllo2019(experiment.preset)
steps = recipe.steps(2 * count_frames(held.train))
print(held.source)
print(f"an epoch has {steps:,} steps of {recipe.batch_size} windows")

# %% [markdown]
# ## Training
#
# The schedule of the `laptop` preset is its own: the learning rate begins four times as high as in
# the paper and falls steadily, with each step, to nothing. With the paper's (0.001, which falls by
# a factor with each epoch) two epochs end 5 mm higher on these takes.


# %%
def build(field):
    widths = filter_widths(field) if field > 1 else (1, 1, 1)
    joints = (len(held.keypoint_skeleton), 2, len(held.skeleton))
    size = {"channels": recipe.channels, "dropout": recipe.dropout}
    return lambda: TemporalModel(*joints, widths, **size)


def measure(field, epochs):
    shorter, name = recipe.shortened(epochs), f"{field} frames, {epochs} epochs"
    run = experiment.train(name, Supervised(build(field), held), shorter)
    found = experiment.rows(name, evaluate(run.model, held.test, recipe.test_flip, device), run)
    return [row | {"receptive_field": field} for row in found if row["action"] == "average"]


# %%
doublings = {
    field: [2**n for n in range(last.bit_length())]
    for field, last in zip(fields, most, strict=True)
}
rows = [row for f, several in doublings.items() for epochs in several for row in measure(f, epochs)]
saved = experiment.record(rows)

# %% [markdown]
# ## Error against epochs

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
    ax.plot(several, errors[field], "o-", label="1 frame" if field == 1 else f"{field} frames")
ax.set(xscale="log", xlabel="epochs, each with its own schedule", ylabel="MPJPE, mm, held out")
ax.set_xticks(sorted({e for several in doublings.values() for e in several}))
ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
ax.xaxis.set_minor_locator(plt.NullLocator())
ax.axvline(recipe.epochs, color="0.8", zorder=0)
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
Markdown("\n".join(lines))

# %%
protocol = experiment.protocol(held, recipe, fields[-1], (seed,), experiment.exact.validation())
Markdown(f"*{protocol}*")
