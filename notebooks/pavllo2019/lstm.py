# %% [markdown]
# # Convolutions or a memory? An LSTM that costs as much
#
# *Pavllo et al. 2019, section 6.1, tables 3 and 5.*
#
# **With as many poses a step, convolutions err less.** With 1,728 on both sides, convolutions over
# 27 frames err by 1.0 ± 0.8 mm less than an LSTM that costs nearly twice as much, and averaged over
# the mirrored input by 1.7 ± 0.9; with 256 and 243, by 6.8 ± 0.4, and over 243 frames by 4.0 ± 0.9
# less than the LSTM of equal cost. An LSTM that has 1,728 is ahead of both with 256, by 6.2 ± 0.5
# and, of 27 frames, by 3.4 ± 0.4. About seven times as many poses lower the error of convolutions
# by 4.5 ± 0.8, that of the LSTM by 10.3 ± 0.5. Both claims are of 243 frames, which were not
# trained with as many: not decided. <a href="#how">How it was found.</a>
#
# Before this paper, poses over time were a matter of recurrent networks: an LSTM reads frame after
# frame and keeps in its cells what it needs later. The paper compares its convolutions with two of
# them, on exact keypoints, and claims:
#
# * they err less than both (table 3, averaged over the mirrored input);
# * **at equal cost** less than that of Hossain and Little (243 frames, table 5, one answer), and
#   with **half of the operations**, too (27 frames).
#
# It compares with numbers of others' networks, whose training differed in more than that. Here both
# kinds are trained on the same data, in as many steps. Of one LSTM the paper has the totals alone,
# and of the other not even these, so that this is **an LSTM of ours**: two layers, read forwards
# and backwards, with as many channels as make it cost what the convolutions over 243 frames cost.
# That of Hossain and Little sees five frames at a time, ours 27: so against the convolutions of 27
# frames it is one kind against the other, and against those of 243 one cost against the same.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "ground_truth"  # as in the paper's tables; or "simulated", "simulated_v2_coarse", …
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling and dropout
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace

import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate
from paperlib.experiment import METRIC_NAMES, Experiment
from paperlib.models import LSTMModel, TemporalModel, channels_for, filter_widths
from paperlib.models import count_parameters, flops_per_frame  # isort: skip
from paperlib.recordings import count_frames
from paperlib.results import interval, over_seeds, select, shown
from paperlib.training import Recipe, Supervised

# %%
plotting.use_style()
experiment = Experiment.begin("pavllo2019/lstm", globals(), detector=DETECTORS + FILES)
experiment

# %% [markdown]
# ## Equal cost
#
# As in [table 5](table5.ipynb): every trainable number, and for one more frame of an endless video
# two operations for each weight of a matrix product.
#
# The LSTM reads windows of 27 frames, in testing as in training, since its cells were never asked
# to hold anything for longer. The windows overlap by half: each frame is read twice and the answers
# averaged, more of the one in whose middle it lies. So its weights are used twice a frame, and
# **count twice** here; with equal operations it has about half the parameters. (*One answer* in the
# table is without the mirrored input; of the LSTM it is still the mean of two windows'.)

# %%
data = experiment.load()
examples = 2 * count_frames(data.train)
recipe = Recipe.pavllo2019(experiment.preset, examples)
joints, dropout = (len(data.keypoint_skeleton), 2, len(data.skeleton)), recipe.dropout
WINDOW = 27  # of the LSTM


def convolutions(frames):
    widths = filter_widths(frames)
    return TemporalModel(*joints, widths, channels=recipe.channels, dropout=dropout)


def lstm(width):
    return LSTMModel(*joints, WINDOW, channels=width, dropout=dropout)


def operations(model):
    return flops_per_frame(model) * (2 if isinstance(model, LSTMModel) else 1)


# %%
with torch.device("meta"):  # counting needs no memory
    counted = {f"temporal, {frames} frames": convolutions(frames) for frames in (27, 243)}
width = channels_for(lstm, operations(counted["temporal, 243 frames"]), operations)
with torch.device("meta"):
    counted["LSTM"] = lstm(width)
costs = {n: (count_parameters(m), operations(m)) for n, m in counted.items()}
costs = pd.DataFrame(costs, index=["parameters", "FLOPs a frame"]).T
costs["of the LSTM's FLOPs"] = costs["FLOPs a frame"] / costs.loc["LSTM", "FLOPs a frame"]
print(f"{width} channels make the LSTM cost as much")
costs.style.format({"of the LSTM's FLOPs": "{:.2f}"}, thousands=" ")

# %% [markdown]
# ## Trained alike
#
# The convolutions take windows from all over the data, 256 a step with the preset `laptop`, and
# learn the pose in the middle of each, which is every second frame of a recording. The LSTM answers
# all 27 frames of its window, and learns them all: 64 windows make a step, and 1,728 poses, about
# seven times as many. It learns in full precision, the convolutions in half. All take as many
# steps, with the same optimiser, dropout and rate, which falls alike. (Of the rates 0.001, 0.002
# and 0.004 the last, the convolutions' own, was the best for the LSTM of 64 windows, too, on takes
# held out of the training part of the embedded data, in short trainings; larger ones were not
# tried.)
#
# Its windows lie end to end. So that they begin at other frames as well, its recordings are there
# three times: whole, and without their first 18 and 36 frames.
#
# Is it the kind of network that tells, then, or how many poses it learns in a step? So convolutions
# over 27 frames are trained once more, with as many poses a step as the LSTM has, and of every
# frame. (Those over 243 would take an hour and a half.) And there is an LSTM of about as many poses
# a step as the convolutions usually have. They are 9 windows, and neighbours in a window are nearly
# alike: a step shows it far less of the data than it shows the convolutions, so that no claim is
# judged by it.

# %%
STEPS = recipe.epochs * recipe.steps(examples)


def later(recording, by):
    return replace(recording.cut(by, None), clip=f"{recording.clip}, from {by}")


copies = [later(r, by) for by in (18, 36) for r in data.train if len(r) > by + WINDOW]
seen = replace(data, name=f"{data.name}-later", train=(*data.train, *copies))
windows = 2 * sum(-(-len(r) // WINDOW) for r in seen.train)  # the last ones reach beyond


def budget(at_once, there_are, chunk=1):
    """As many steps as the usual recipe takes, of so many windows."""
    epochs = max(recipe.epochs, -(-STEPS * at_once // there_are))
    of_epoch = max(1, STEPS // epochs) * at_once
    how = recipe.but(chunk=chunk, batch_size=at_once * chunk, stride=1, epoch_examples=of_epoch)
    return how.shortened(epochs)


# %%
POSES = 64 * WINDOW  # a step
runs = {}


def trained(name, build, data, how):
    runs[name] = experiment.train(name, Supervised(build, data), how)


for frames in (27, 243):
    trained(f"temporal, {frames} frames", lambda frames=frames: convolutions(frames), data, recipe)
MORE, FEWER = "temporal, 27 frames, more poses a step", "LSTM, fewer poses a step"
trained(MORE, lambda: convolutions(27), data, budget(POSES, examples))
FEW = max(1, recipe.batch_size // WINDOW) * WINDOW  # poses
for name, poses in {"LSTM": POSES, FEWER: FEW}.items():
    how = budget(poses // WINDOW, windows, WINDOW).but(precision="float32")
    trained(name, lambda: lstm(width), seen, how)

# %%
rows = []
for name, run in runs.items():
    for answers, flip in (("one answer", False), ("averaged", True)):
        found = evaluate(run.model, data.test, flip, device)
        rows += experiment.rows(f"{name}; {answers}", found, run)
saved = experiment.record(rows)
measured = experiment.measured(rows)

# %% [markdown]
# ## The table
#
# **Before you look:**<a id="how"></a> A memory reads every frame one after the other, and in both
# directions. Which will tremble less from frame to frame (MPJVE), it or the convolutions?

# %%
averages = select(measured, action="average")
METRICS = ["mpjpe", "p_mpjpe", "mpjve"]
order = [f"{name}; {answers}" for answers in ("one answer", "averaged") for name in runs]
table = over_seeds(averages[averages["metric"].isin(METRICS)])[METRICS].reindex(order)
seconds = averages.groupby("system")["seconds"].mean() / 60
table["minutes to train"] = seconds.reindex(order).map("{:.0f}".format)
table.rename(columns=METRIC_NAMES).rename_axis(columns=None).style.set_caption(
    f"mm, mm/frame; {experiment.caption}; ± 95 % over seeds"
)

# %%
protocol = experiment.protocol(data, recipe, 243, measured["seed"])
Markdown(f"*{protocol} Of the LSTM see above; fields, and averaging, are those of each row.*")

# %% [markdown]
# ## Do the claims hold here?
#
# By the tests of the [ledger](../claims.ipynb), seed by seed. *Half the cost* is tested with as
# many poses a step on both sides, and so are the averaged errors: 27 frames of convolutions and the
# LSTM, 1,728 poses. Of 243 frames, which both claims are about, there is only a network with 256:
# what it says of equal cost stands below, and decides nothing.

# %%
errors = claims.by_seed(measured, "mpjpe", action="average")
WIDE, NARROW = "temporal, 243 frames", "temporal, 27 frames"


def less(one, other="LSTM", answers="one answer"):
    return errors[f"{one}; {answers}"] - errors[f"{other}; {answers}"]


at_cost = {"equal cost": less(WIDE), "half the cost": less(MORE)}
averaged = less(MORE, answers="averaged")
usual = recipe.batch_size  # poses a step
shown_as = {
    f"{POSES:,} poses a step, half the cost": at_cost["half the cost"],
    f"{POSES:,} poses a step, half the cost, averaged": averaged,
    f"{usual:,} against {POSES:,}, equal cost": at_cost["equal cost"],
    f"{usual:,} against {POSES:,}, half the cost": less(NARROW),
    f"{usual:,} against {FEW:,}, equal cost": less(WIDE, FEWER),
    f"{usual:,} against {FEW:,}, half the cost": less(NARROW, FEWER),
}

# %%
for name, change in shown_as.items():
    print(f"{name}: convolutions minus LSTM {shown(*interval(change))} mm")
gains = {
    f"{POSES:,} in the place of {usual:,}, convolutions": less(NARROW, MORE),
    f"{POSES:,} in the place of {FEW:,}, LSTM": less(FEWER),
}
for name, gain in gains.items():
    print(f"{name}: {shown(*interval(gain))} mm less")
wide = "243 frames, with as many poses a step as the LSTM has, take an hour and a half a seed"
but = wide if detector == "ground_truth" else "the claim is of exact keypoints"
c12 = experiment.judge("pavllo2019-c12", averaged, but)
c19 = experiment.judge("pavllo2019-c19", at_cost, but)
Markdown(claims.table([c12, c19]))

# %% [markdown]
# The paper has for the LSTM of Hossain and Little 41.6 mm, for its own networks 40.6 (27 frames)
# and 37.8 (243 frames), on Human3.6M.
#
# ## Try next
#
# * `WINDOW = 81` and `POSES = 1728`, in the code: an LSTM of longer windows costs no more. Does it
#   gain by them?
# * Its windows end to end, each frame read once (`runs["LSTM"].model` on cut recordings): what does
#   the overlap bring? It counts as half of the cost.
# * Recipes with a `chunk` give a network several targets in a row. What that does to one which sees
#   a single frame is in the [appendix](appendix.ipynb).
