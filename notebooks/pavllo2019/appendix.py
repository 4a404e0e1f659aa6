# %% [markdown]
# # Flips, chunks, momentum: three choices in training
#
# *Pavllo et al. 2019, section 5.3, and what it refers to in the appendix.*
#
# **Do three choices in training matter: flips, one target frame, the momentum of batch norm?** The
# second does most: 199.9 ± 3.8 mm with chunks of 256 adjacent frames, 52.7 ± 0.2 with single ones.
# Averaging over the mirror image takes 0.9 ± 0.1 mm off. Of the momentum nothing is decided: with a
# constant one the epochs scatter by -0.1 ± 0.2 mm more. <a href="#how">How it was found.</a>
#
# Between an architecture and its number in a table stand choices that rarely get a table of their
# own. Section 5.3 names three, and of the last two says why they were made:
#
# 1. every example is there twice, as it is and **mirrored**, in training and again in testing;
# 2. a window has **one target frame**, though predicting many adjacent frames at once would be
#    cheaper: batch norm takes a batch for independent samples, and neighbours are anything but;
# 3. the **momentum** of batch norm falls during training, since with a constant one the error on
#    the test set goes up and down from epoch to epoch.
#
# Each can be undone by one field of the recipe. The text that this companion was made from ends
# before the appendix, so that sizes of the first two effects are not at hand to be set beside ours.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # frames that the temporal model sees: 3, 9, 27, 81, 243 or 729
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_pretrained", … (a file's name on human36m)
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, evaluation, plotting, recordings, windows
from paperlib.detection import DETECTORS, FILES
from paperlib.experiment import Experiment
from paperlib.models import RECEPTIVE_FIELDS, TemporalModel, filter_widths
from paperlib.results import interval, over_seeds, paper_table, select
from paperlib.training import Recipe, Supervised

plotting.use_style()
experiment = Experiment.begin(
    "pavllo2019/appendix",
    globals(),
    detector=DETECTORS + FILES,
    receptive_field=RECEPTIVE_FIELDS[1:],
)
experiment

# %% [markdown]
# The preset `laptop` would go through large data once or twice, where the paper has 80 epochs. Here
# it makes 20 short epochs with as many steps in all, each of a new random part of the examples,
# because the momentum falls by epochs. After each the error is looked at, on every 15th recording.

# %%
data = experiment.load()
examples = 2 * recordings.count_frames(data.train)
recipe = Recipe.pavllo2019(experiment.preset, examples)
if experiment.preset == "laptop":
    steps = recipe.epochs * recipe.steps(examples)
    shown_in_each = round(steps / 20) * recipe.batch_size
    recipe = recipe.but(stride=1, epochs=20, epoch_examples=shown_in_each)

# %%
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
widths = filter_widths(receptive_field)
size = {"channels": recipe.channels, "dropout": recipe.dropout}


def temporal():
    return TemporalModel(*joints, widths, **size)


def fit(name, recipe, build=temporal, **options):
    return experiment.train(name, Supervised(build, data), recipe, **options)


def rows_of(system, run, flip=recipe.test_flip):
    return experiment.rows(system, evaluation.evaluate(run.model, data.test, flip, device), run)


# %% [markdown]
# ## 1. Mirror images
#
# A mirrored person is a possible person: left and right change places, $x$ changes its sign. In
# training this doubles the examples. In testing the network is asked twice, about the frame and
# about its mirror image, and the second answer, mirrored back, is averaged with the first: the two
# err differently, and the mean of two errs less than either does on average.
#
# Without mirror images there are half the examples. Both models take as many steps.

# %%
from dataclasses import replace

some = replace(data, test=data.test[::15])  # looked at after every epoch, from all cameras
watching = evaluation.HeldOutError(some, recipe.test_flip)
half = recipe.but(train_flip=False)
if not recipe.epoch_examples:  # an epoch shows all there are
    half = half.shortened(2 * recipe.epochs)
flipped = {
    "mirrored": fit("mirrored", recipe, each_epoch=watching),
    "as they are": fit("as they are", half),
}
rows = []
for seen, run in flipped.items():
    for answers, flip in (("averaged", True), ("one answer", False)):
        rows += rows_of(f"examples {seen}, {answers}", run, flip)
experiment.record(rows)
flips = select(experiment.measured(rows), action="average")

# %%
table = over_seeds(select(flips, metric="mpjpe"))["mpjpe"]
table.index = table.index.str.removeprefix("examples ").str.split(", ", expand=True)
table = table.unstack(sort=False)
table.rename_axis(index="training examples", columns="in testing").style.set_caption(
    f"MPJPE, mm; {experiment.caption}"
)

# %%
protocol = experiment.protocol(data, recipe, receptive_field, flips["seed"])
Markdown(f"*{protocol} Flips, where the table names them, are those of the table.*")

# %% [markdown]
# The paper's main model is in two of its tables that should differ in nothing but the flip in
# testing: table 3 has it with exact keypoints, and table 5 once more "without test-time
# augmentation".

# %%
with_flip = paper_table("pavllo2019_table3").query("own_model == 'yes' and uses_gt_2d == 'yes'")
without = paper_table("pavllo2019_table5").query("model == 'Ours 243f'")
theirs = with_flip["p1_mpjpe_mm"].item(), without["mpjpe_mm"].item()
means = select(flips, metric="mpjpe").groupby("system")["value"].mean()
ours = means["examples mirrored, averaged"], means["examples mirrored, one answer"]
sources = ("paper, tables 3 and 5: Human3.6M, 243 frames, exact keypoints", experiment.caption)
effect = pd.DataFrame([theirs, ours], index=sources, columns=["averaged", "one answer"])
effect["effect, %"] = 100 * (effect["averaged"] / effect["one answer"] - 1)
effect.style.format("{:.1f}").set_caption("MPJPE, mm, of a model trained with mirror images")

# %% [markdown]
# ## 2. Many adjacent frames at once
#
# A window of one receptive field gives one pose. A window of $R + L - 1$ frames gives $L$ of them,
# and for large $L$ neighbours share nearly all of the work. So why not train on long pieces of
# video?
#
# Batch norm takes mean and variance of a batch for those of all the data. With $N$ independent
# frames the mean of a batch scatters with a variance of $\sigma^2 / N$. Frames of one piece of
# video show nearly the same pose: as many frames say less. What the scatter would have been the
# right one for,
#
# $$N_{\text{eff}} = \sigma^2 \,/\, \operatorname{Var}(\text{mean of a batch}),$$
#
# is the number of frames that the batch is worth. Below it is measured on the keypoints
# themselves; a batch has as many target frames whatever the length of the chunks.
#
# **Before you look:**<a id="how"></a> A batch of 256 frames is a single window. How many
# independent frames is it worth, by the keypoints in it?

# %%
chunks = (1, 4, 16, 64, 256)
plain = recipe.but(stride=1)  # chunks are of adjacent frames
recipes = {
    chunk: plain.but(chunk=chunk, epoch_examples=plain.epoch_examples // chunk)
    for chunk in chunks
    if chunk <= plain.batch_size
}


def worth(pieces, size):
    """Independent frames that a batch of so many windows is worth, on average over coordinates."""
    parts = pieces.order(torch.Generator().manual_seed(seed)).split(size)
    whole = torch.stack([pieces.batch(part)[0] for part in parts if len(part) == size])
    frames = whole.flatten(3).flatten(0, 2)  # (batches x windows x frames, keypoints' coordinates)
    means = whole.flatten(3).mean((1, 2))  # (batches, keypoints' coordinates)
    return (frames.var(0) / means.var(0)).mean().item()


# %%
about = {}
for chunk, changed in recipes.items():
    pieces = windows.keypoint_windows(data.train, 1, chunk=chunk)  # the target frames alone
    targets = chunk * len(pieces)
    about[chunk] = {
        "windows in a batch": changed.batch_windows,
        "target frames in all": targets,
        "of them repeated, %": 100 * (1 - examples / targets),
        "a batch is worth, frames": worth(pieces, changed.batch_windows),
    }
about = pd.DataFrame(about).T.rename_axis("chunk")
about.style.format("{:,.0f}").set_caption(f"Batches of {plain.batch_size} target frames")

# %% [markdown]
# (A batch of single frames may be worth a little more than it has: an epoch takes each frame once,
# and what one batch has taken the others lack.)
#
# Chunks that reach beyond a clip are filled up with its first and last frame; some targets then
# stand still. With each length of chunk the model is trained by the same recipe, and beside them a
# model that has no use for time: every kernel one frame wide.

# %%
rows = []
for chunk, changed in recipes.items():
    there = flipped["mirrored"] if changed == recipe else None
    rows += rows_of(f"chunk {chunk}", there or fit(f"chunk {chunk}", changed))
single = fit("single frame", plain, lambda: TemporalModel(*joints, (1,) * len(widths), **size))
rows += rows_of("single frame", single)
experiment.record(rows)
chunked = select(experiment.measured(rows), action="average")
table = over_seeds(chunked[chunked["metric"].isin(["mpjpe", "p_mpjpe"])])
table = table.rename(columns={"mpjpe": "MPJPE, mm", "p_mpjpe": "P-MPJPE, mm"})
table.loc[[*dict.fromkeys(chunked["system"])]].style.set_caption(experiment.caption)

# %%
Markdown(f"*{experiment.protocol(data, plain, receptive_field, chunked['seed'])}*")

# %%
by_seed = claims.by_seed(chunked, "mpjpe")
errors = pd.DataFrame({chunk: interval(by_seed[f"chunk {chunk}"]) for chunk in recipes}).T
alone, half_alone = interval(by_seed["single frame"])
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2), layout="constrained")
blue, orange = map(plotting.colour_of, ("temporal", "single frame"))
left.errorbar(errors.index, errors[0], errors[1], fmt="o-", capsize=3, color=blue, label="temporal")
left.axhline(alone, color=orange, ls="--", label="single frame, chunk 1")
left.axhspan(alone - half_alone, alone + half_alone, color=orange, alpha=0.2)
left.set(ylabel="MPJPE, mm")
left.legend()
right.plot(about["a batch is worth, frames"], "o-", color=blue)
right.axhline(plain.batch_size, color=plotting.colour_of("other"), ls=":", label="frames in it")
right.legend()
right.set(ylabel="independent frames\nthat a batch is worth", yscale="log")
for ax in (left, right):
    ax.set_xscale("log", base=2)
    ax.set_xticks([*recipes], [*recipes])
    ax.set_xlabel("adjacent target frames in a window")
saved = experiment.save_figure(figure, "pavllo2019_appendix_chunks")

# %% [markdown]
# ## 3. The momentum of batch norm
#
# In training batch norm uses the statistics of the batch at hand. Beside that it keeps a running
# mean and variance for testing, into which each new batch enters with weight $m$. With PyTorch's
# default of 0.1 they remember little more than the last ten batches. The paper lets $m$ fall from
# 0.1 in the first of $E$ epochs to 0.001 in the end,
#
# $$m_e = 0.1 \cdot 0.01^{\,e/E}, \qquad e = 0, 1, \dots, E - 1,$$
#
# so that in the end a thousand batches are averaged.
#
# The running statistics play no part in training. Two runs from one seed that differ in $m$ alone
# have **the same weights** after every epoch (on a GPU up to the order in which sums are added
# up). Whatever their test errors differ by is due to the estimates of two numbers for each channel.

# %%
constant = recipe.but(momentum_end=recipe.momentum_start)
runs = {
    "momentum falls": flipped["mirrored"],
    "momentum 0.1": fit("momentum 0.1", constant, each_epoch=watching),
}
rows = [line for name, run in runs.items() for line in rows_of(name, run)]
histories = {name: pd.DataFrame(run.history).set_index("epoch") for name, run in runs.items()}
test = 1000 * pd.DataFrame({name: history["test_mpjpe"] for name, history in histories.items()})
learnt = [history["train_mpjpe"] for history in histories.values()]
print(
    "the training errors of the two differ by", f"{1000 * (learnt[0] - learnt[1]).abs().max()} mm"
)

# %%
later = test.iloc[len(test) // 3 :]
looks = [{"color": blue, "marker": "o"}, {"color": orange, "marker": "s", "ls": "--"}]
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), layout="constrained")
for ax, (title, part) in zip(axes, {"all": test, "the later": later}.items(), strict=True):
    for name, look in zip(test, looks, strict=True):
        ax.plot(part[name], ms=4, label=name, **look)
    ax.set(xlabel="epoch", title=f"{title} epochs")
    ax.xaxis.get_major_locator().set_params(integer=True)
axes[0].set_ylabel("MPJPE, mm,\nof every 15th test recording")
axes[0].legend()
saved = experiment.save_figure(figure, "pavllo2019_appendix_momentum")

# %% [markdown]
# How much does that error go up and down, apart from its way down? If single epochs scatter
# independently by $s$ about a smooth course, then the second differences
# $x_{e+1} - 2 x_e + x_{e-1}$ have a variance of $6 s^2$. Measured so over the later two thirds of
# the epochs, $s$ still holds what bend is left in the course, which is much the same for both.

# %%
scatter = later.diff().diff().pow(2).mean().div(6).pow(0.5)
for name, run in runs.items():
    swing = {"metric": "scatter", "action": "average", "value": scatter[name], "unit": "mm"}
    rows.append(experiment.about(name, run) | swing)
experiment.record(rows)
momentum = select(experiment.measured(rows), action="average")
table = over_seeds(momentum[momentum["metric"].isin(["mpjpe", "scatter"])])
names = {"mpjpe": "MPJPE at the end, mm", "scatter": "scatter of the later epochs, mm"}
table.rename(columns=names).rename_axis(columns=None).style.set_caption(experiment.caption)

# %%
Markdown(f"*{protocol}*")

# %% [markdown]
# ## Do the claims hold here?
#
# By the tests of the [ledger](../claims.ipynb), seed by seed. The paper's own sizes, on Human3.6M:
# *not run (licence)*; of the scatter it says "about ±1 mm". On the last claim, mind that the
# learning rate falls as well, so that the weights hardly move any more in the end, and that a part
# of the recordings scatters more than all of them would.

# %%
both = claims.by_seed(flips, "mpjpe")
gain = both["examples mirrored, averaged"] - both["examples mirrored, one answer"]
verdicts = [experiment.judge("pavllo2019-c20", gain)]
longer = by_seed[[f"chunk {chunk}" for chunk in recipes if chunk > 1]]
effects = {f"{n} frames": by_seed[f"chunk {n}"] - by_seed["single frame"] for n in (64, 256)}
effects["one is best"] = by_seed["chunk 1"] - longer[longer.mean().idxmin()]
verdicts.append(experiment.judge("pavllo2019-c23", effects))
swings = claims.by_seed(momentum, "scatter")
more = swings["momentum 0.1"] - swings["momentum falls"]
if more.notna().all():  # it takes four epochs at least
    verdicts.append(experiment.judge("pavllo2019-c24", more))
Markdown(claims.table(verdicts))

# %% [markdown]
# ## Try next
#
# * `-p detector ground_truth`: without a detector's noise, is the mean of two answers still better?
# * Give `chunk 64` more windows in a batch (`plain.but(chunk=64, batch_size=4096,
#   epoch_examples=243 * 64)`): does it recover with what the batch is worth, or was it something
#   else?
# * Train with `momentum_start=0.001, momentum_end=0.001`. Why is that no good either, in the first
#   epochs at least?
# * Exercises 19 and 20 of [the exercises](exercises.ipynb), with solutions.
