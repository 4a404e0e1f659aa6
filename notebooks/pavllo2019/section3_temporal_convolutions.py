# %% [markdown]
# # Temporal convolutions
#
# *Pavllo et al. 2019, section 3.*
#
# **How far does the temporal model see, and does it matter in which order it is computed?** The one
# drawn here reads 27 frames, causal or not. Strided and dilated it gives the same poses, to
# rounding; for one pose alone, with 64 channels, the strided order takes 0.26 million operations,
# the dilated one 0.99. <a href="#how">How it was found.</a>
#
# Lifting 2D keypoints to 3D is ambiguous in a single frame: many poses have the same image, and
# the detector's errors hide which. The paper's answer is to read the keypoints **over time**,
# with convolutions rather than a recurrent network: every frame is computed in parallel, the path
# from any input to the output has the same short length, and how far the model sees is fixed and
# known.
#
# This notebook draws that model from the running code and checks its properties as it goes.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # of the model that is drawn: 3, 9, 27 or 81
channels = 64  # width of the layers; the paper has 1024, with larger costs than those below
dataset = "synthetic"  # where the example sequence comes from: "synthetic", "cmu" or "human36m"
preset = "smoke"  # nothing is trained here; "smoke" loads a small piece of the data
seed = 0  # of the random weights
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # nothing is trained here

# %%
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.experiment import Experiment
from paperlib.models import TemporalModel, count_parameters, filter_widths, flops_per_frame
from paperlib.windows import network_input, pad_sequence

plotting.use_style()
notebook = "pavllo2019/section3_temporal_convolutions"
experiment = Experiment.begin(notebook, globals(), receptive_field=(3, 9, 27, 81), channels=None)
experiment

# %% [markdown]
# ## Dilation: seeing three times as far with every layer
#
# Layer $b$ reads three frames that lie $3^b$ apart. With $B$ such blocks on top of the first layer
# the output sees $F = 3^{B+1}$ frames, while the number of weights grows only with $B$: the
# logarithm of what is seen.


# %%
def build(receptive_field, **options):
    torch.manual_seed(seed)
    widths = filter_widths(receptive_field)
    return TemporalModel(17, 2, 17, widths, channels=channels, **options).eval()


figure = plotting.receptive_fields(
    {"temporal": build(receptive_field), "temporal, causal": build(receptive_field, causal=True)}
)
saved = experiment.save_figure(figure, "section3_receptive_fields")

# %% [markdown]
# The causal model has the same weights and reads as many frames, all of them past. Only the short
# cut around each block changes: it takes the last of the three frames instead of the middle one.
#
# The drawing follows from the layers' widths and dilations. Does the network agree? Its derivative
# does not lie: an output depends on just those inputs whose gradient is not zero.


# %%
def frames_that_matter(model, frames=None):
    frames = frames or 2 * model.receptive_field
    x = torch.randn(1, frames, 17, 2, requires_grad=True)
    model(x)[0, 0].sum().backward()
    return x.grad.abs().sum(dim=(0, 2, 3)).nonzero().flatten()


for causal in (False, True):
    used = frames_that_matter(build(receptive_field, causal=causal))
    print(f"causal={causal!s:5}  output 0 reads {len(used)} frames: {used.min()} to {used.max()}")

# %% [markdown]
# ## One set of weights, two schedules
#
# In training, each example is a window with a single target in its middle. A dilated network
# would compute every frame of every layer and throw most away. If each layer *steps* by its width
# instead, it computes just what the one output needs. At test time the whole sequence goes
# through the dilated network at once, and neighbouring poses share their work.

# %%
figure = plotting.schedules(build(min(receptive_field, 27)))
saved = experiment.save_figure(figure, "section3_schedules")

# %%
recording = experiment.exact.test[0]
differences = {}
for frames in (9, 27, 81):
    for causal in (False, True):
        model = build(frames, causal=causal)
        padded = pad_sequence(network_input(recording), frames, causal)[None]
        with torch.no_grad():
            whole = model(padded, schedule="dilated")[0]
            windows = padded[0].unfold(0, frames, 1).permute(0, 3, 1, 2)
            single = model(windows, schedule="strided")[:, 0]
        kind = "causal" if causal else "symmetric"
        differences[frames, kind] = (whole - single).abs().max().item()
table = pd.Series(differences).unstack().rename_axis("frames")
assert table.max().max() < 1e-5
table.map("{:.0e} m".format)

# %% [markdown]
# The largest difference, over every frame of a recording, is no more than rounding. Both
# schedules are one model.
#
# ## What it costs
#
# Operations for one pose, in each schedule. Alone, a pose costs the strided network far less than
# the dilated one; in a long sequence the dilated one's cost a frame falls to the number in the
# third column, which is what the paper counts.
#
# **Before you look:**<a id="how"></a> Alone, a pose of the 81-frame model costs the dilated
# network more than the strided one. By what factor?


# %%
def multiplications(model, frames, strided):
    total, left = 0, frames
    for layer in model.layers:
        left = left // layer.width if strided else left - layer.dilation * (layer.width - 1)
        total += left * layer.conv.weight.numel()
    return 2 * (total + model.shrink.weight.numel())


costs = {}
for frames in (9, 27, 81):
    model = build(frames)
    costs[frames] = {
        "dilated, one pose alone": multiplications(model, frames, False) / 1e6,
        "strided, one pose alone": multiplications(model, frames, True) / 1e6,
        "dilated, in a long sequence": flops_per_frame(model) / 1e6,
        "parameters": count_parameters(model) / 1e6,
    }
pd.DataFrame(costs).T.rename_axis("frames").map("{:.2f} M".format)

# %% [markdown]
# So much for two of the paper's claims (the [ledger](../claims.ipynb) has all of them):

# %%
rounding = table.max().max()
saving = costs[27]["strided, one pose alone"] - costs[27]["dilated, one pose alone"]
verdicts = [
    experiment.judge("pavllo2019-c21", {"output": rounding, "work": saving}),
    experiment.judge("pavllo2019-c22", rounding),
]
Markdown(claims.table(verdicts))

# %% [markdown]
# ## The ends of a sequence
#
# Nothing is padded inside the network. Only the sequence as a whole is, by repeating its first and
# last frame, so that every frame gets a pose, however short the sequence.

# %%
short = network_input(recording)[:5]
padded = pad_sequence(short, receptive_field)
with torch.no_grad():
    poses = build(receptive_field)(padded[None])
print(f"{len(short)} frames, padded to {len(padded)}, give {poses.shape[1]} poses")

# %% [markdown]
# ## Try next
#
# * Set `receptive_field = 81` and look at the drawing again.
# * What does `frames_that_matter` say of a dense model, `build(27, dense=True)`? And what does it
#   cost? (The paper's answer is its table 5.)
# * [`table5`](table5.ipynb) counts the real thing, with 1024 channels.
# * Exercises 1 and 2 of [the exercises](exercises.ipynb), with solutions.
