# %% [markdown]
# # Speed
#
# **How much sooner is it than the same written the usual way?** On two CPU threads a training step
# over 27 frames is 5.11 times as fast in bfloat16 and 1.56 times in float32, whole sequences 1.86
# times in bfloat16 and as fast as the usual way in float32 (1.00).
# <a href="#how">How it was found.</a>
#
# How long does a paper's experiment take here, against the same written the usual way, and against
# what the machine could do at best? The numbers are those that `make benchmarks` measured; this
# notebook reads them. Each is a **ratio within one run**: ours and the plain version take turns, so
# that whatever else the machine does slows both.
#
# The plain version (`benchmarks/reference.py`) is written as the public implementations are:
# `Conv1d` modules in float32, batches put together sample by sample in NumPy, the loss read back
# after each step.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # needed by no cell: the benchmarks bring their own
preset = "auto"  # needed by no cell: they have the paper's 1,024 channels
seed = 0  # needed by no cell
device = "auto"  # "cpu" or "cuda": whose measurements are shown; "auto": a GPU's if there are any
retrain = False  # needed by no cell: `make benchmarks` measures anew

# %%
import json

import pandas as pd
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.experiment import Experiment
from paperlib.paths import ROOT
from paperlib.results import interval
from paperlib.results import shown as stated
from paperlib.words import in_words

plotting.use_style()
experiment = Experiment.begin("speed", globals())

# %%
found = {}
for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
    name, where = path.stem.rsplit("_", 1)
    found.setdefault(where, {})[name] = json.loads(path.read_text("utf-8"))
where = device if device != "auto" else ("cuda" if "cuda" in found else "cpu")
shown = found.get(where, {})
benchmarks = in_words(", ".join(shown)) or "nothing yet"
print(f"measured on: {', '.join(found)}; shown: {where}, {benchmarks}")


# %%
def about(name):
    """Whose numbers these are."""
    what, best = shown[name], shown[name]["ceilings"]
    return (
        f"*{in_words(what['device'])}, PyTorch {what['torch']}, code {what['commit']}; at best "
        f"{1000 * best['float32_tflops']:.0f} GFLOP/s in float32, "
        f"{1000 * best['bfloat16_tflops']:.0f} in bfloat16, "
        f"copies {best['copy_gb_per_s']:.0f} GB/s*"
    )


def rows(name):
    return pd.DataFrame(shown[name]["rows"]) if name in shown else pd.DataFrame()


# %% [markdown]
# ## Training
#
# What makes a step fast, from the data up:
#
# * all windows lie on the device; a batch is **one gather**;
# * a strided convolution is a **matrix product over rows that lie in a row**, nothing is copied;
# * normalisation, ReLU and dropout are **one step**, and on the way back need but what came in and
#   what went out;
# * matrix products in **bfloat16**, weights and statistics in float32 (on a CPU only if asked for:
#   `Recipe(...).but(precision="bfloat16")`);
# * AMSGrad is fused, nothing is read back before an epoch's end, and on a GPU the step is compiled
#   and **recorded** once.
#
# **Before you look:**<a id="how"></a> Which share of the machine's ceiling will a training step in
# float32 reach?

# %%
training = rows("training")
columns = {
    "receptive_field": "frames",
    "batch": "batch",
    "precision": "precision",
    "ms": "ms a step",
    "reference_ms": "plain, ms",
    "ratio": "ratio",
    "share_of_ceiling": "share of the ceiling",
    "peak_mb": "peak MB",
    "reference_peak_mb": "plain, peak MB",
}
digits = {
    **dict.fromkeys(("ms a step", "plain, ms"), "{:.4g}"),
    **dict.fromkeys(("peak MB", "plain, peak MB"), "{:.0f}"),
    **{"ratio": "{:.2f}", "share of the ceiling": "{:.0%}"},
}
training[list(columns)].rename(columns=columns).style.format(digits).hide()

# %%
Markdown(about("training"))

# %%
figure = plotting.ratios(training, rows("inference"))
saved = experiment.save_figure(figure, "speed_ratios")

# %%
hours = training.set_index(["receptive_field", "precision"])["human36m_minutes"].unstack() / 60
hours.columns = [f"{name}, hours" for name in hours.columns]
caption = "the paper's whole schedule for Human3.6M on this machine: 250 million windows"
hours.style.format("{:.3g}").set_caption(caption)

# %% [markdown]
# Does bfloat16 cost accuracy? The same training in both precisions, on the embedded data; two seeds
# say how much of a difference is chance.

# %%
precision = rows("precision")
errors = precision.pivot(index="seed", columns="precision", values="mpjpe_mm")
errors["bfloat16 - float32"] = errors["bfloat16"] - errors["float32"]
errors.style.format("{:.2f}").set_caption("test MPJPE, mm, embedded data")

# %% [markdown]
# ## Whole sequences
#
# Once trained, the batch norms are folded into the weights (`paperlib.models.fold`). One sequence
# at a time, batch of one. On a CPU in float32 PyTorch's own convolution gets more out of it than
# its matrix products (more than the ceiling, which is that of a plain matrix product), so that
# `paperlib.models.lift` takes that there, as the plain version does. Little is left to gain then:
# what normalising costs, once the weights are laid out.

# %%
inference = rows("inference")
columns = {
    "receptive_field": "frames",
    "precision": "precision",
    "frames_per_s": "frames/s",
    "reference_frames_per_s": "plain, frames/s",
    "ratio": "ratio",
    "share_of_ceiling": "share of the ceiling",
    "largest_difference_mm": "differs at most, mm",
    "peak_mb": "peak MB",
}
digits = {
    "frames/s": "{:,.0f}",
    "plain, frames/s": "{:,.0f}",
    "ratio": "{:.2f}",
    "share of the ceiling": "{:.0%}",
    "differs at most, mm": "{:.2g}",
    "peak MB": "{:.0f}",
}
inference[list(columns)].rename(columns=columns).style.format(digits).hide()

# %% [markdown]
# ## Many sequences at once
#
# The paper measured a single long sequence, and found that more of them at once are hardly cheaper:
# a convolution has all frames of a sequence to work on together, where a recurrent network has one
# (section 6.1). Here sequences of one length, alone and in batches, in turn; ± 95 % over rounds.
# A short one has less to work on, and most of its input lies beyond the poses that are asked for:
# over 243 frames, 32 poses take 274.

# %%
batches = rows("batches")
per_frame = batches.pivot(index=["frames", "batch"], columns="round", values="frames_per_s")
rate = per_frame.apply(lambda found: stated(*interval(found), 0), axis=1).unstack()
rate.index.name, rate.columns.name = "frames of a sequence", "frames/s in a batch of"
rate

# %%
longest, most = batches["frames"].max(), batches["batch"].max()
ratio = per_frame.loc[longest, 1] / per_frame.loc[longest, most]
print(f"{longest} frames: alone {stated(*interval(ratio), 2)} of the rate in batches of {most}")
about_c33 = {"dataset": f"timed on {where}", "detector": "", "preset": ""}
about_c33["commit"] = shown["batches"]["commit"]
but = "" if where == "cuda" else "timed on a CPU, which a few frames keep busy, and not on a GPU"
c33 = claims.judge("pavllo2019-c33", ratio, "speed", about_c33, but)
Markdown(claims.table([c33]))

# %% [markdown]
# ## One frame at a time, and all that repeats

# %%
names = ("streaming", "everything_else", "rendering")
parts = [part for name in names if len(part := rows(name))]
others = pd.concat(parts, ignore_index=True)
digits = {"rate": "{:,.0f}", "reference": "{:,.0f}", "ratio": "{:.2f}", "peak_mb": "{:.1f}"}
words = {"subset": ["what", "unit", "note"], "text-align": "left"}
others.style.format(digits, na_rep="").set_properties(**words).hide()

# %% [markdown]
# ## Refinement
#
# The [energy](veges2020/section3_2_pose_refinement.ipynb) of tracks with occlusions, minimised by
# 500 steps of Adam, as its paper does, and directly. In smooth tracks *error* is how far the
# roots are off where hidden: with 0.3 m one linear system is enough; with 1 m the solver must also
# choose which frames to give up, which takes several descents and up to about half of the
# advantage. In hard tracks there are six gaps of 40 frames with white noise of that size in all
# coordinates, each of which asks for a search. The last column is the highest energy of any track
# against Adam's, which is never above 1.

# %%
refinement = rows("refinement")
digits = {"direct_s": "{:.4f}", "adam_s": "{:.2f}"}
digits |= {"ratio": "{:.0f}", "highest": "{:.3f}"}
columns = ["tracks", "people", "frames", "error_m", *digits]
refinement[columns].style.format({"error_m": "{:g}", **digits}).hide()

# %% [markdown]
# ## As the work grows
#
# The exponent is that of a power law through the larger half of each series: 1 means twice the work
# takes twice the time.

# %%
figure = plotting.growth(rows("growth"))
saved = experiment.save_figure(figure, "speed_growth")

# %% [markdown]
# A receptive field three times as long costs a whole sequence one more block: its exponent is far
# below 1, which is what dilation is for. In training on single windows it is another matter: nearly
# all frames of the first layers are needed for one pose alone, so that the cost follows the window.
# Refinement follows frames and people. Who hides whom is asked of every pair, so that its cost
# comes to grow with the square of the people in a view.
#
# ## Try next
#
# * `make benchmarks` measures your own machine (minutes), and this notebook then shows it.
# * `make gpu-results` does so on a GPU, and trains every table at the papers' own size.
# * `torchrun --nproc-per-node 2 -m paperlib train -p receptive_field 243` shares a training out.
