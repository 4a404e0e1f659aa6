# %% [markdown]
# # Convolutions or a memory? An LSTM that costs as much
#
# *Pavllo et al. 2019, section 6.1, tables 3 and 5.*
#
# **Do convolutions over time err less than an LSTM that costs as much?** Not here: the LSTM has 9.4
# ± 0.5 mm less than convolutions over 243 frames, which cost the same, and 7.3 ± 0.7 less than
# those over 27. That it learns more poses in a step is not why: convolutions that learn as many
# have 10.1 ± 1.6 mm more than it. So it is with networks as small as these after a few thousand
# steps; the paper's are eight times as wide, and train far longer.
# <a href="#how">How it was found.</a>
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
# channels as make it cost what the convolutions over 243 frames cost. (That of Hossain and Little
# sees five frames at a time; ours 27.)

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "ground_truth"  # as in the paper's tables; or "simulated", "simulated_v2_coarse", …
channels = 128  # of the convolutions (the paper has 1024); those of the LSTM follow from the cost
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
experiment = Experiment.begin(
    "pavllo2019/lstm", globals(), detector=DETECTORS + FILES, channels=None
)
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
WINDOW = 27  # of the LSTM


def convolutions(frames):
    return TemporalModel(*joints, filter_widths(frames), channels=channels, dropout=dropout)


def lstm(width):
    return LSTMModel(*joints, WINDOW, channels=width, dropout=dropout)


# %%
with torch.device("meta"):  # counting needs no memory
    counted = {f"temporal, {frames} frames": convolutions(frames) for frames in (27, 243)}
equal = flops_per_frame(counted["temporal, 243 frames"])
width = channels_for(lstm, equal, flops_per_frame)
with torch.device("meta"):
    counted["LSTM"] = lstm(width)
costs = {n: (count_parameters(m), flops_per_frame(m)) for n, m in counted.items()}
costs = pd.DataFrame(costs, index=["parameters", "FLOPs a frame"]).T
costs["of the LSTM's FLOPs"] = costs["FLOPs a frame"] / costs.loc["LSTM", "FLOPs a frame"]
print(f"{width} channels make the LSTM cost as much")
costs.style.format({"of the LSTM's FLOPs": "{:.2f}"}, thousands=" ")

# %% [markdown]
# ## Trained alike
#
# The convolutions take 256 windows a step, and learn the pose in the middle of each. The LSTM
# answers all 27 frames of its window, and learns them all: 64 windows make a step, about seven
# times as many poses as the convolutions have in one. All take about as many steps, with the same
# optimiser and the same rate, which falls alike. (Tried on takes held out of the training part of
# the embedded data, in short trainings of the LSTM: 0.001, 0.002 and 0.004. The largest, which is
# the convolutions' own, was the best for it, too.)
#
# Its windows lie end to end. So that they begin at other frames as well, its recordings are there
# three times: whole, and without their first 18 and 36 frames.
#
# Is it the kind of network that tells, then, or that the LSTM learns more poses in a step? The
# convolutions of 27 frames are trained a second time as it is: on the same pieces of recordings, of
# which they learn all 27 frames, in as many steps.

# %%
STEPS = recipe.epochs * recipe.steps(examples)


def later(recording, by):
    return replace(recording.cut(by, None), clip=f"{recording.clip}, from {by}")


copies = [later(r, by) for by in (18, 36) for r in data.train if len(r) > by + WINDOW]
seen = replace(data, name=f"{data.name}-later", train=(*data.train, *copies))
windows = 2 * sum(-(-len(r) // WINDOW) for r in seen.train)  # the last ones reach beyond
AT_ONCE = 64  # windows
steps = -(-windows // AT_ONCE)
all_frames = recipe.but(chunk=WINDOW, batch_size=AT_ONCE * WINDOW, stride=1)
all_frames = all_frames.but(epochs=max(1, round(STEPS / steps)))
print(f"LSTM: {all_frames.epochs * steps} steps; convolutions: {STEPS}")
AS_MANY = "temporal, 27 frames, as many poses"

# %%
runs = {}
for name in counted:
    if name == "LSTM":
        runs[name] = experiment.train(name, Supervised(lambda: lstm(width), seen), all_frames)
    else:
        field = int(name.split()[1])
        objective = Supervised(lambda field=field: convolutions(field), data)
        runs[name] = experiment.train(name, objective, recipe)
objective = Supervised(lambda: convolutions(27), seen)
runs[AS_MANY] = experiment.train(AS_MANY, objective, all_frames)

# %%
rows = []
for name, run in runs.items():
    for answers, flip in (("one answer", False), ("averaged", True)):
        found = evaluate(run.model, data.test, flip, device)
        rows += experiment.rows(f"{name}; {answers}", found, run)
usual = channels == 128  # rows on record do not say, so that they are of these
saved = experiment.record(rows) if usual else None
measured = experiment.measured(rows) if usual else pd.DataFrame(rows)

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
# By the tests of the [ledger](../claims.ipynb), seed by seed. *Half the cost* is what the costs
# above say it is, a little more than half.

# %%
errors = claims.by_seed(measured, "mpjpe", action="average")


def less(frames, answers):
    return errors[f"temporal, {frames} frames; {answers}"] - errors[f"LSTM; {answers}"]


at_equal_cost = {"equal cost": less(243, "one answer"), "half the cost": less(27, "one answer")}
averaged = less(243, "averaged")
as_many = errors[f"{AS_MANY}; one answer"] - errors["LSTM; one answer"]
others = {"averaged": averaged, "half the cost, as many poses a step": as_many}
for name, change in {**at_equal_cost, **others}.items():
    print(f"{name}: {shown(*interval(change))} mm")
c12 = experiment.judge("pavllo2019-c12", averaged)
c19 = experiment.judge("pavllo2019-c19", at_equal_cost)
Markdown(claims.table([c12, c19]))

# %% [markdown]
# The paper has for the LSTM of Hossain and Little 41.6 mm, for its own networks 40.6 (27 frames)
# and 37.8 (243 frames), on Human3.6M.
#
# ## Try next
#
# * `-p channels 64`: which of the two kinds loses more? (It does not go on record.)
# * The convolutions compute all frames at once, an LSTM one after the other: compare the minutes.
# * Recipes with a `chunk` give a network several targets in a row. What that does to one which sees
#   a single frame is in the [appendix](appendix.ipynb).
