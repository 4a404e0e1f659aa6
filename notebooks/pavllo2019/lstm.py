# %% [markdown]
# # Convolutions or a memory? An LSTM that costs as much
#
# *Pavllo et al. 2019, section 6.1, tables 3 and 5.*
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
# kinds are trained on the same data, in as many steps. Of the two LSTMs the paper has the totals
# alone, so that this is **an LSTM of ours**: two layers, read forwards and backwards, with as many
# channels as make it cost what the convolutions over 243 frames cost.

# %% tags=["parameters"]
# Parameters
channels = 128  # of the convolutions (the paper has 1024); those of the LSTM follow from the cost
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
preset = "auto"  # "smoke" (seconds), "laptop" (over an hour), "paper" (a GPU); "auto": which fits
seed = 0  # of weights, shuffling and dropout
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace

import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import LSTMModel, TemporalModel, channels_for, filter_widths
from paperlib.models import count_parameters, flops_per_frame  # isort: skip
from paperlib.recordings import count_frames
from paperlib.results import interval, over_seeds, select, shown
from paperlib.training import Recipe, Supervised

plotting.use_style()

# %%
experiment = Experiment.begin("pavllo2019/lstm", globals(), channels=None)
experiment

# %% [markdown]
# ## Equal cost
#
# As in [table 5](table5.ipynb): every trainable number, and for one more frame of an endless video
# two operations for each weight of a matrix product. In both kinds each weight is used once a
# frame, so that equal operations mean nearly equal parameters as well.
#
# A cell holds for as long as it was taught to: a small LSTM that had learnt from windows of 12
# frames failed on films of 48 (in a test of this project). So windows are as long in testing as in
# training. They overlap by half; each frame is read twice and the answers averaged, more of the one
# in whose middle it lies. In fact the LSTM thus takes **twice** the operations that are counted for
# it below.

# %%
data = experiment.load()
examples = 2 * count_frames(data.train)
recipe = Recipe.pavllo2019(experiment.preset, examples).but(channels=channels)
joints, dropout = (len(data.keypoint_skeleton), 2, len(data.skeleton)), recipe.dropout
FIELDS = (27, 243)


def convolutions(frames):
    return TemporalModel(*joints, filter_widths(frames), channels=channels, dropout=dropout)


def lstm(frames, width):
    return LSTMModel(*joints, frames, channels=width, dropout=dropout)


# %%
with torch.device("meta"):  # counting needs no memory
    counted = {f"temporal, {frames} frames": convolutions(frames) for frames in FIELDS}
equal = flops_per_frame(counted["temporal, 243 frames"])
width = channels_for(lambda number: lstm(27, number), equal, flops_per_frame)
with torch.device("meta"):
    counted |= {f"LSTM, {frames} frames": lstm(frames, width) for frames in FIELDS}
costs = {n: (count_parameters(m), flops_per_frame(m)) for n, m in counted.items()}
costs = pd.DataFrame(costs, index=["parameters", "FLOPs a frame"]).T
costs["of the LSTM's FLOPs"] = costs["FLOPs a frame"] / costs.loc["LSTM, 27 frames"].iloc[1]
print(f"{width} channels make the LSTM cost as much")
costs.style.format({"of the LSTM's FLOPs": "{:.2f}"}, thousands=" ")

# %% [markdown]
# ## Trained alike
#
# The convolutions take 256 windows a step, and learn the pose in the middle of each. An LSTM
# answers all frames of its window, and learns them all: 64 windows of 27 frames, or 7 of 243, make
# a step, about seven times as many poses as the convolutions have in one. All take about as many
# steps, with the same optimiser and the same rate, which falls alike. (Tried on takes held out of
# the training part of the embedded data, in short trainings, for an LSTM of 27 frames: 0.001, 0.002
# and 0.004. The largest, which is the convolutions' own, was the best for it, too.)
#
# Its windows lie end to end. So that they begin at other frames as well, its recordings are there
# three times: whole, and without their first 2/3 and 4/3 of a window.

# %%
A_STEP = 64 * 27  # frames in a batch of the LSTM
STEPS = recipe.epochs * recipe.steps(examples)


def windows_of(frames):
    """The data with two more copies of each training recording that begin later."""

    def later(r, by):
        return replace(r.cut(by, None), clip=f"{r.clip}, from {by}")

    starts = [round(share * frames) for share in (2 / 3, 4 / 3)]
    copies = [later(r, by) for by in starts for r in data.train if len(r) > by + frames]
    return replace(data, name=f"{data.name}-later", train=(*data.train, *copies))


# %%
def chunks_of(frames, seen):
    """The recipe for windows of so many frames, all of them targets, in as many steps."""
    at_once = max(1, A_STEP // frames)
    other = recipe.but(chunk=frames, batch_size=at_once * frames, stride=1)
    windows = 2 * sum(-(-len(r) // frames) for r in seen.train)  # the last ones reach beyond
    steps = -(-windows // at_once)
    return other.but(epochs=max(1, round(STEPS / steps))), steps


# %%
def train(name):
    kind, frames = name.split(", ")
    frames = int(frames.removesuffix(" frames"))
    if kind == "temporal":
        return experiment.train(name, Supervised(lambda: convolutions(frames), data), recipe)
    seen = windows_of(frames)
    how, steps = chunks_of(frames, seen)
    print(f"{name}: {how.epochs * steps} steps; convolutions: {STEPS}")
    return experiment.train(name, Supervised(lambda: lstm(frames, width), seen), how)


runs = {name: train(name) for name in counted}

# %%
rows = []
for name, run in runs.items():
    for answers, flip in (("one answer", False), ("averaged", True)):
        found = evaluate(run.model, data.test, flip, device)
        of_one = experiment.rows(f"{name}, {answers}", found, run, clips=True)
        field = int(name.split()[1])  # the LSTM's receptive field is its window
        rows += [row | {"receptive_field": field} for row in of_one]
saved = experiment.record(rows)
measured = experiment.measured(rows)

# %% [markdown]
# ## The table

# %%
metrics = ("mpjpe", "p_mpjpe", "mpjve")
averages = select(measured, action="average")
averages = averages[averages["metric"].isin(metrics)]
table = over_seeds(averages, columns="metric")[list(metrics)]
answers = {name: f"{name}, one answer" for name in runs}
table = table.loc[list(answers.values())].set_axis(list(answers))
seconds = averages.groupby("system")["seconds"].mean() / 60
table["minutes to train"] = [f"{seconds[answers[name]]:.0f}" for name in table.index]
columns = {"mpjpe": "MPJPE, mm", "p_mpjpe": "P-MPJPE, mm", "mpjve": "MPJVE, mm/frame"}
table = table.rename(columns=columns).rename_axis(index=None, columns=None)
table.style.set_caption(f"one answer; {experiment.caption}; ± 95 % over seeds")

# %%
protocol = experiment.protocol(data, recipe, 27, measured["seed"], clips=True)
Markdown(f"*{protocol} Of the LSTM see above; fields, and averaging, are those of each row.*")

# %% [markdown]
# ## The claims
#
# Each is set against whichever of the two LSTMs has the lower mean error over the seeds, which is
# kind to the LSTM. *Half the cost* is what the costs above say it is, a little more than half.


# %%
def errors(answers):
    wide = claims.by_seed(measured, "mpjpe", action="average")
    own = wide[[f"{name}, {answers}" for name in runs]].set_axis(list(runs), axis=1)
    lstms = own[[name for name in runs if name.startswith("LSTM")]]
    return own, lstms[lstms.mean().idxmin()]


alone, best = errors("one answer")
both, best_of_both = errors("averaged")
at_equal_cost = {
    "equal cost": alone["temporal, 243 frames"] - best,
    "half the cost": alone["temporal, 27 frames"] - best,
}
changes = at_equal_cost | {"averaged": both["temporal, 243 frames"] - best_of_both}
pd.DataFrame({name: {"MPJPE, mm": shown(*interval(e))} for name, e in changes.items()}).T

# %%
c12 = experiment.judge("pavllo2019-c12", changes["averaged"])
c19 = experiment.judge("pavllo2019-c19", at_equal_cost)
Markdown(claims.table([c12, c19]))

# %% [markdown]
# All claims of the papers stand in the [ledger](../claims.ipynb). The paper has for the LSTM of
# Hossain and Little 41.6 mm, for its own networks 40.6 (27 frames) and 37.8 (243 frames), on
# Human3.6M.
#
# ## Try next
#
# * `-p channels 64`: which of the two kinds loses more?
# * The convolutions compute all frames at once, an LSTM one after the other: compare the minutes.
