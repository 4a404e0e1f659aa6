# %% [markdown]
# # Table 2: what each part is worth
#
# *Cheng et al. 2020, "Ablation studies", table 2.*
#
# **What is each part of the system worth?** Heat maps with all that comes with them gain 38.7 ±
# 2.2 mm, several strides 4.2 ± 1.5 and films 1.5 ± 0.6. The loss of two views costs 5.4 ± 1.7 mm,
# the spatial discriminator 1.2 ± 0.5, and the temporal one changes nothing. Left out of the whole,
# maps are missed by 13.8 ± 4.1 mm, several strides by 5.4 ± 2.4.
# <a href="#how">How it was found.</a>
#
# The system has six parts over a baseline that lifts the coordinates of keypoints. The paper adds
# them one after the other, and each lowers the error. In that order a part is judged with what came
# before it and without what comes after. So with `-p left_out True` each is also **left out of the
# whole**: what is missed when it is gone?
#
# And one question that the paper does not ask. A network of five strides has five branches: is it
# better because it has several strides, or because it has more parameters?

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …
preset = "auto"  # "smoke" (seconds), "laptop" (half an hour), "paper" (a GPU); "auto": which fits
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk
left_out = False  # True trains the whole without each part, too, which takes as long again

# %%
from dataclasses import replace
from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Markdown

from paperlib import plotting
from paperlib.claims import by_seed
from paperlib.claims import table as claims_table
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import MultiStrideTCN, as_large
from paperlib.results import interval, over_seeds, paper_table, select, shown
from paperlib.training import collapse, spatio_temporal, withhold_positions

plotting.use_style()

# %%
experiment = Experiment.begin(
    "cheng2020/table2", globals(), detector=DETECTORS + FILES, left_out=(False, True)
)
experiment

# %% [markdown]
# ## The parts
#
# * **Base**: coordinates of the keypoints, temporal convolutions of one stride; people are turned
#   at random in training, and what the camera sees of them with them.
# * **embedding**: heat maps in the place of their peaks. A map cannot be turned, so that nothing is
#   turned from here on. (Maps also show how sure the detector is, by their height; coordinates do
#   not.)
# * **multi-stride TCN**: the strides 1, 2, 3, 5 and 7 side by side.
# * **multi-view loss**: two views of a moment must be one pose.
# * **spatial KCS**, **temporal KCS**: what the [discriminator](section_pose_discriminator.ipynb)
#   sees beside the coordinates.
# * **2D data**: films without 3D. Of the training takes every second one is given without its
#   poses: in this row alone they are learnt from at all.
#
# Masks over what is seen are part of every training.

# %%
data, films = withhold_positions(experiment.load())
print(data.source)
ONE, PEAKS = {"strides": (1,)}, {"cells": 0}
NO_VIEWS, NOBODY_JUDGES, NO_TEMPORAL = {"views": 0.0}, {"adversarial": 0.0}, {"intervals": ()}
plain = NO_VIEWS | NOBODY_JUDGES
added = {
    "Base": PEAKS | ONE | plain | {"rotated": True},
    "+embedding": ONE | plain,
    "+multi-stride TCN": plain,
    "+Multi-view loss": NOBODY_JUDGES,
    "+Spatial KCS": NO_TEMPORAL,
    "+Temporal KCS": {},
    "+2D Data": {"films": films},
}

# %%
missing = {
    "embedding": PEAKS,
    "multi-stride TCN": ONE,
    "multi-view loss": NO_VIEWS,
    "spatial KCS": {"spatial": False},
    "temporal KCS": NO_TEMPORAL,
    "discriminator": NOBODY_JUDGES,
}
missing = missing if left_out else {}
systems = added | {f"whole without {part}": {"films": films} | o for part, o in missing.items()}

# %% [markdown]
# ## Training
#
# Tested are the films of one camera: all networks then answer to the same, in a quarter of the
# time.


# %%
def learning(options, wide=False):
    objective, recipe = spatio_temporal(data, experiment.preset, **options)
    if wide:  # one stride and a third block, and as many parameters as the five
        config = as_large(spatio_temporal(data, experiment.preset)[0].build().config, **WIDER)
        objective = replace(objective, build=lambda: MultiStrideTCN(**config))
    return objective, recipe


WIDER, WIDE = {"strides": (1,), "num_blocks": 3}, "one stride, as many parameters"
runs = {name: experiment.train(name, *learning(options)) for name, options in systems.items()}
runs[WIDE] = experiment.train(WIDE, *learning(plain, wide=True))
recipe = learning({})[1]

# %%
camera = data.test[0].camera.name
test = [r for r in data.test if r.camera.name == camera]
rows = []
for name, run in runs.items():
    found = evaluate(run.model, test, recipe.test_flip, device)
    rows += experiment.rows(name, found, run, clips=True)
saved = experiment.record(rows)
measured = experiment.measured(rows)
words = {n: collapse(r.history) for n, r in runs.items() if r.history[-1]["adversarial"]}
print("\n".join(f"{n}: {w}" for n, w in words.items() if w) or "no discriminator collapsed")

# %% [markdown]
# ## One after the other
#
# **Before you look:**<a id="how"></a> After a rigid alignment (P2), will the loss of two views
# still cost something? Which kinds of error can two views tell apart?

# %%
paper = paper_table("cheng2020_table2").set_index("module_added_cumulatively")
protocols = {"P1: MPJPE": ("mpjpe", "p1_mpjpe_mm"), "P2: P-MPJPE": ("p_mpjpe", "p2_p_mpjpe_mm")}
errors = {title: by_seed(measured, m, action="average") for title, (m, _) in protocols.items()}


def gains(title, names):
    """What each of ``names`` gains over the one before it."""
    wide = errors[title][list(names)]
    steps = -wide.diff(axis=1)
    return {name: shown(*interval(steps[name])) for name in list(names)[1:]}


# %%
columns = {}
for title, (metric, theirs) in protocols.items():
    averages = select(measured, metric=metric, action="average")
    columns[title, "here"] = over_seeds(averages, columns="metric")[metric].reindex(list(added))
    columns[title, "gain"] = pd.Series(gains(title, added)).reindex(list(added)).fillna("")
    columns[title, "paper"] = paper[theirs].reindex(list(added)).map("{:.1f}".format)
    gained = -paper[theirs].reindex(list(added)).diff()
    columns[title, "paper's gain"] = gained.map("{:.1f}".format).replace("nan", "")
table = pd.DataFrame(columns)
table.style.set_caption(f"mm; gain over the row above, paired by seed; {experiment.caption}")

# %%
protocol = experiment.protocol(data, recipe, runs["Base"].model.length, measured["seed"])
protocol = protocol.but(averaging=f"films of one camera; {protocol.averaging}")
Markdown(f"*{protocol}*")

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.8, 3.6), sharey=True)
for ax, (title, (_, theirs)) in zip(axes, protocols.items(), strict=True):
    found = [interval(errors[title][name]) for name in added]
    halves = [0.0 if half != half else half for _, half in found]
    means, look = [mean for mean, _ in found], {"fmt": "o-", "capsize": 3, "label": "here"}
    ax.errorbar(range(len(added)), means, halves, **look)
    printed = paper[theirs].reindex(list(added))
    ax.plot(range(len(added)), printed, "s--", color="0.6", label="the paper, Human3.6M")
    ax.set_xticks(range(len(added)), list(added), rotation=35, ha="right")
    ax.set(title=title)
axes[0].set(ylabel="mm")
axes[1].legend()
saved = experiment.save_figure(figure, "cheng2020_table2_steps")

# %% [markdown]
# The first part gives most here, and it is three changes in one: maps for peaks, the detector's
# confidence as their height, and people who are no longer turned. Several strides lower the error,
# and so do films. Views that must agree cost accuracy; the discriminator costs a little, and the
# temporal KCS changes nothing (in both rows it sees coordinates, too).
#
# These networks are far from trained out; what a loss beside that of the poses gives after 80
# epochs is not seen here. Tried on takes held out of the training part, with one seed each: pairs
# of views whose loss has no weight, which cost next to nothing: it is the loss that costs. And with
# larger steps, a fifth of that loss's weight, which costs less; a discriminator held by a gradient
# penalty, which learns nothing and changes nothing; and one of ten times the weight that may look
# closely, after which the poses are smoother, and further off.
#
# ## Left out of the whole

# %%
WHOLE = "+2D Data"
without = {part: f"whole without {part}" for part in missing} | {"2D data": "+Temporal KCS"}
missed = {
    title: {part: interval(found[name] - found[WHOLE]) for part, name in without.items()}
    for title, found in errors.items()
}
lines = {title: {n: shown(*v) for n, v in found.items()} for title, found in missed.items()}
caption = f"mm by which the error rises where a part is missing; {experiment.caption}"
pd.DataFrame(lines).style.set_caption(caption)

# %% [markdown]
# The parts of which nothing is said here were not left out (`-p left_out True`). The order matters
# little for most of them: strides, the loss of two views and the discriminator's two parts give or
# cost about as much here as where they were added. Maps are the exception: without them the whole
# loses about a third of what they gained over the base, in which people are turned as well.
#
# ## Strides, or parameters?

# %%
ours = errors["P1: MPJPE"]
one, several = "+embedding", "+multi-stride TCN"
pairs = {
    "several strides against one": ours[several] - ours[one],
    "as many parameters, one stride, against one": ours[WIDE] - ours[one],
    "several strides against as many parameters": ours[several] - ours[WIDE],
}
change = {name: {"MPJPE, mm": shown(*interval(effect))} for name, effect in pairs.items()}
pd.DataFrame(change).T.style.set_caption(f"paired by seed; {experiment.caption}")

# %% [markdown]
# Most of what five strides gain, one stride gains with as many parameters; whether the strides
# themselves give more than that, three seeds leave open.
#
# ## Do the claims hold here?
#
# By the tests that the [ledger of claims](../claims.ipynb) has for them. Millimetres on different
# data cannot be compared; the direction of an effect can.

# %%
order = list(added)
step = {new: ours[new] - ours[old] for old, new in pairwise(order)}
gain = pd.DataFrame({name: -effect for name, effect in step.items()})
large = ["+multi-stride TCN", "+Spatial KCS", "+Temporal KCS"]
small = [name for name in gain if name not in large]
others = gain.drop(columns="+Temporal KCS")
largest = {
    "three largest": gain[large].min(axis=1) - gain[small].max(axis=1),
    "temporal KCS": gain["+Temporal KCS"] - others.max(axis=1),
}
verdicts = [
    experiment.judge(f"cheng2020-c0{n}", effect) for n, effect in enumerate(step.values(), start=1)
]
Markdown(claims_table([*verdicts, experiment.judge("cheng2020-c07", largest)]))

# %% [markdown]
# In the paper the two protocols disagree about the largest gain: the temporal KCS in P1 (3.7 mm),
# the spatial one in P2 (2.9 mm).
#
# ## Try next
#
# * `-p detector ground_truth`: what is left to an embedding of maps where every peak is right?
# * `masks=None` in `spatio_temporal`: which parts gain more where nothing was hidden in training?
# * `penalty=10.0, spectral_norm=False`: another way to keep a discriminator from winning.
# * Exercises 10 and 11 of [the exercises](exercises.ipynb), with solutions.
