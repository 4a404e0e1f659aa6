# %% [markdown]
# # Table 5: what a frame costs
#
# *Pavllo et al. 2019, section 6.1, table 5.*
#
# **What does a frame cost?** Exactly what the paper prints: 8.56 million parameters over 27
# frames, 12.75 over 81 and 16.95 over 243. Each tripling of the receptive field adds 8.39 MFLOPs.
# <a href="#how">How it was found.</a>
#
# How large is the model, and how much work is one more frame of an endless video? The paper counts
# every trainable number, and two operations for each weight of a matrix product (biases, norms and
# the padding at the ends are left out). Its point: with dilation the cost grows with the
# **logarithm** of the receptive field. Without, kernels must be as wide as what they span.

# %% tags=["parameters"]
# Parameters
channels = 1024  # width of the layers; with 1024 the paper's numbers come out
dataset = "auto"  # needed by no cell: nothing is measured on data here
preset = "auto"  # needed by no cell
seed = 0  # needed by no cell: a count does not depend on the weights
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # needed by no cell

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.experiment import Experiment
from paperlib.models import TemporalModel, count_parameters, filter_widths, flops_per_frame
from paperlib.results import paper_table

plotting.use_style()
experiment = Experiment.begin("pavllo2019/table5", globals(), channels=None)
experiment

# %% [markdown]
# The number of parameters, with $J$ joints in and out, $f = 2$ features, $C$ channels, width $W =
# 3$ and $B$ blocks: the first layer and its norm, then in each block a wide and a pointwise
# convolution with their norms, and the last layer with its bias:
#
# $$P = J f C W + 2C + B\,(C^2 W + 2C + C^2 + 2C) + 3JC + 3J$$
#
# Below, the formula beside what the network itself holds.


# %%
def formula(blocks, width=3, joints=17, features=2):
    first = joints * features * channels * width + 2 * channels
    block = channels**2 * width + channels**2 + 4 * channels
    return first + blocks * block + 3 * joints * channels + 3 * joints


def build(frames, dense=False):
    return TemporalModel(17, 2, 17, filter_widths(frames), channels=channels, dense=dense)


with torch.device("meta"):  # counting needs no memory
    models = {
        "Ours 27f w/o dilation": build(27, dense=True),
        "Ours 27f": build(27),
        "Ours 81f": build(81),
        "Ours 243f": build(243),
    }
for blocks, name in enumerate(("Ours 27f", "Ours 81f", "Ours 243f"), start=2):
    assert formula(blocks) == count_parameters(models[name]), name
print("the formula and the networks agree")

# %% [markdown]
# ## The table
#
# **Before you look:**<a id="how"></a> Without dilation, how many times as many parameters does the
# 27-frame model need?

# %%
# NBVAL_CHECK_OUTPUT
for name, model in models.items():
    p, f = count_parameters(model), flops_per_frame(model)
    print(f"{name:22} {p:>10} parameters = {p / 1e6:5.2f}M {f:>10} FLOPs = {f / 1e6:5.2f}M")

# %%
# NBVAL_CHECK_OUTPUT
paper = paper_table("pavllo2019_table5").query("own_model == 'yes'").set_index("model")
for name, model in models.items():
    ours = f"{count_parameters(model) / 1e6:.2f}", f"{flops_per_frame(model) / 1e6:.2f}"
    row = paper.loc[name]
    printed = f"{row.parameters_millions:.2f}", f"{row.flops_millions_per_frame:.2f}"
    status = "reproduced" if ours == printed else "deviates"
    print(f"{name:22} paper {printed}  ours {ours}  {status}")

# %% [markdown]
# ## The claims

# %%
frames = {27: "Ours 27f", 81: "Ours 81f", 243: "Ours 243f"}
dense = models["Ours 27f w/o dilation"]
counts = {"parameters": count_parameters, "FLOPs": flops_per_frame}
made = {what: {f: count(models[n]) for f, n in frames.items()} for what, count in counts.items()}
millions = {what: {f"{f} frames": n / 1e6 for f, n in each.items()} for what, each in made.items()}
tripled = {what: (n[243] - n[81]) - (n[81] - n[27]) for what, n in made.items()}
verdicts = [
    experiment.judge("pavllo2019-c13", millions["parameters"]),
    experiment.judge("pavllo2019-c14", millions["FLOPs"]),
    experiment.judge("pavllo2019-c15", {what: c(dense) / 1e6 for what, c in counts.items()}),
    experiment.judge("pavllo2019-c18", tripled),
]
Markdown(claims.table(verdicts))

# %% [markdown]
# All claims of the papers stand in the [ledger](../claims.ipynb).
#
# The errors in the paper's table (40.6, 38.7, 37.8 mm with exact keypoints) need Human3.6M: *not
# run (licence)*. [What context is worth on free data](receptive_field.ipynb) has a page of its own,
# and so has [an LSTM of equal cost](lstm.ipynb).
#
# ## Why dilation

# %%
fields = (3, 9, 27, 81, 243)
with torch.device("meta"):
    curves = {
        "temporal": [flops_per_frame(build(f)) / 1e6 for f in fields],
        "without dilation": [flops_per_frame(build(f, dense=True)) / 1e6 for f in fields],
    }
figure, ax = plt.subplots(figsize=(5.6, 3.4))
for name, values in curves.items():
    label = "with dilation" if name == "temporal" else name
    ax.plot(fields, values, "o-", color=plotting.colour_of(name), label=label)
ax.set(xscale="log", yscale="log", xlabel="receptive field, frames", ylabel="MFLOPs per frame")
ax.set_xticks(fields, fields)
ax.minorticks_off()
ax.legend()
saved = experiment.save_figure(figure, "pavllo2019_table5_cost")

# %%
steps = pd.Series(curves["temporal"], index=fields).diff().dropna().round(2)
print("each tripling adds, in MFLOPs:", sorted(set(steps.tolist())))

# %% [markdown]
# ## Try next
#
# * `-p channels 256`: the model of the `laptop` preset. How much smaller, and why not 4 times?
# * How large would 729 frames be? `count_parameters(build(729))`
# * Exercises 15 and 16 of [the exercises](exercises.ipynb), with solutions.
