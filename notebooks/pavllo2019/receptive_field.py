# %% [markdown]
# # Table 5, its errors: how much context?
#
# *Pavllo et al. 2019, section 6.1, table 5, the column of errors.*
#
# **How much context, and what does dilation cost?** After as many steps for all, 48.0 ± 0.6 mm with
# 243 frames, 45.5 ± 0.4 with 27, and 44.1 ± 0.2 with 27 without dilation, 1.4 ± 0.2 less. Those
# that err more are behind in training, too, so that these steps decide neither what context is
# worth nor what dilation costs. <a href="#how">How it was found.</a>
#
# The paper's [table 5](table5.ipynb) says what a frame costs, and beside it how far off the poses
# are: 40.6 mm where the model sees 27 frames, 38.7 over 81 and 37.8 over 243, with exact keypoints
# and without mirrored copies in testing. And 41.1 mm over 27 frames without dilation: dilation
# costs nothing. Its numbers make two claims:
#
# 1. the more frames, the lower the error, and each tripling gains less than the one before;
# 2. the dilated model is at least as good as the dense one, whose kernels are as wide as what they
#    span.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "ground_truth"  # as in the paper's table; or "simulated", "simulated_v2_coarse", …
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate
from paperlib.experiment import METRIC_NAMES, Experiment
from paperlib.models import TemporalModel, filter_widths
from paperlib.recordings import count_frames
from paperlib.results import interval, over_seeds, paper_table, select, shown
from paperlib.training import Recipe, Supervised

plotting.use_style()
experiment = Experiment.begin("pavllo2019/receptive_field", globals(), detector=DETECTORS + FILES)
experiment

# %% [markdown]
# ## One model, several widths
#
# The model is that of [section 3](section3_temporal_convolutions.ipynb): a block more for each
# tripling of what it sees. All learn by one recipe, with as many steps, on one fold of the data.

# %%
data = experiment.load()
recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(data.train)).but(test_flip=False)
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
size = {"channels": recipe.channels, "dropout": recipe.dropout}
FIELDS, DENSE = (9, 27, 81, 243), "27 frames, dense"
systems = {f"{field} frames": (field, False) for field in FIELDS}
systems[DENSE] = 27, True


def build(field, dense):
    return TemporalModel(*joints, filter_widths(field), dense=dense, **size)


# %%
rows = []
for name, (field, dense) in systems.items():
    objective = Supervised(lambda f=field, d=dense: build(f, d), data)
    run = experiment.train(name, objective, recipe)
    rows += experiment.rows(name, evaluate(run.model, data.test, recipe.test_flip, device), run)
    last = {"metric": "train_mpjpe", "value": 1000 * run.history[-1]["train_mpjpe"], "unit": "mm"}
    rows.append(experiment.about(name, run) | last | {"action": "average"})
saved = experiment.record(rows)
measured = experiment.measured(rows)

# %% [markdown]
# ## The table
#
# **Before you look:**<a id="how"></a> How much will the first tripling gain, from 9 to 27 frames,
# and how much the last one, from 81 to 243?

# %%
table = over_seeds(select(measured, action="average")).reindex(systems)
table = table[["mpjpe", "p_mpjpe", "mpjve"]].rename(columns=METRIC_NAMES)
paper = paper_table("pavllo2019_table5").set_index("model")["mpjpe_mm"]
names = {"27 frames": "Ours 27f", "81 frames": "Ours 81f", "243 frames": "Ours 243f"}
names[DENSE] = "Ours 27f w/o dilation"
table["the paper, Human3.6M"] = [f"{paper[names[n]]:.1f}" if n in names else "" for n in systems]
table.style.set_caption(f"mm, mm/frame; {experiment.caption}; ± 95 % over seeds")

# %%
protocol = experiment.protocol(data, recipe, max(FIELDS), measured["seed"])
Markdown(f"*{protocol} Other receptive fields are those of the table.*")

# %%
MPJPE = claims.by_seed(measured, "mpjpe", action="average")
means, halves = zip(*(interval(MPJPE[f"{field} frames"]) for field in FIELDS), strict=True)
figure, ax = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
look = {"fmt": "o-", "ms": 5, "capsize": 3, "color": plotting.colour_of("temporal")}
ax.errorbar(FIELDS, means, halves, label="with dilation", **look)
mean, half = interval(MPJPE[DENSE])
look |= {"fmt": "s", "color": plotting.colour_of("without dilation")}
ax.errorbar([27], [mean], [half], label="without", **look)
ax.set(xscale="log", xlabel="receptive field, frames", ylabel="MPJPE, mm")
ax.set_xticks(FIELDS, FIELDS)
ax.minorticks_off()
ax.legend()
saved = experiment.save_figure(figure, "pavllo2019_receptive_field")

# %% [markdown]
# ## Is it the short recordings?
#
# What a window shows beyond the ends of a recording is its first and its last frame, again and
# again. So most of a long window may say nothing:

# %%
lengths = pd.Series([len(r) for r in data.test])
whole = {f: 100 * (lengths - f + 1).clip(lower=0).sum() / lengths.sum() for f in FIELDS}
print(f"test recordings: half of them longer than {lengths.median():.0f} frames")
for field, share in whole.items():
    print(f"{field:4} frames: the whole window was filmed at {share:3.0f} % of the frames")

# %% [markdown]
# If that were it, the actions with long recordings should gain by context. Actions by the median
# length of their test recordings, averaged alike:

# %%
typical = lengths.groupby([r.action for r in data.test]).median()
bounds = {"up to 81 frames": (0, 81), "81 to 243": (81, 243), "longer": (243, float("inf"))}
of_action = select(measured, metric="mpjpe").query("action != 'average'")
found = {}
for name, (above, most) in bounds.items():
    actions = typical.index[(typical > above) & (typical <= most)]
    part = of_action[of_action["action"].isin(actions)]
    of_seeds = part.groupby(["seed", "system"])["value"].mean().unstack()
    for field in FIELDS[2:] if len(actions) else ():
        gain = of_seeds["27 frames"] - of_seeds[f"{field} frames"]
        found[f"{name}: {len(actions)} actions", f"27 to {field}"] = shown(*interval(gain))
pd.Series(found).unstack(sort=False).style.set_caption("MPJPE gained, mm; ± 95 % over seeds")

# %% [markdown]
# ## Or too few steps?
#
# A deeper model, or one of fewer weights, as the dilated one is beside the dense, may only need
# longer to learn. Then it is behind on what it learns from, too; one that has learnt too much by
# heart would be ahead there. The mean error over the last epoch, with dropout; on large data that
# is the later half of a small preset's training, so that a model that was late, and is not any
# more, looks behind:

# %%
learnt = claims.by_seed(measured, "train_mpjpe", action="average")
training = {name: shown(*interval(learnt[name])) for name in systems}
pd.DataFrame({"in training, mm": training, "in testing, mm": table["MPJPE"]}).style.set_caption(
    f"MPJPE; {experiment.caption}; ± 95 % over seeds"
)

# %% [markdown]
# ## Do the claims hold here?
#
# Paired by seed, by the tests of the [ledger](../claims.ipynb).

# %%
at = {field: MPJPE[f"{field} frames"] for field in FIELDS}
gains = {"9 to 27": at[9] - at[27], "27 to 81": at[27] - at[81], "81 to 243": at[81] - at[243]}
lines = ["| gain by a tripling | here, mm | the paper, mm |", "|---|---|---|"]
theirs = {"27 to 81": paper["Ours 27f"] - paper["Ours 81f"]}
theirs |= {"81 to 243": paper["Ours 81f"] - paper["Ours 243f"]}
for step, gain in gains.items():
    lines.append(f"| {step} | {shown(*interval(gain))} | {theirs.get(step, float('nan')):.1f} |")
Markdown("\n".join(lines).replace("nan", "–"))

# %%
first, second = gains["27 to 81"], gains["81 to 243"]
of = {"to 81": -first, "to 243": -second, "diminishing": second - first}
exact = "" if experiment.detector == "ground_truth" else "the claim is of exact keypoints"


def slow(what, name, other):
    behind, half = interval(learnt[name] - learnt[other])
    why = f"the {what} is behind in training too: it may take more steps"
    return exact or (why if behind > half else "")


wide = slow("model of 243 frames", "243 frames", "27 frames")
dilated = slow("dilated model", "27 frames", DENSE)
verdicts = [
    experiment.judge("pavllo2019-c17", of, wide),
    experiment.judge("pavllo2019-c16", at[27] - MPJPE[DENSE], dilated),
]
Markdown(claims.table(verdicts))

# %% [markdown]
# ## Try next
#
# * `-p detector simulated`: does context gain more where keypoints are noisy?
# * Exercises 15 and 16 of [the exercises](exercises.ipynb), with solutions.
