# %% [markdown]
# # Table 2: smooth motion
#
# *Pavllo et al. 2019, section 6.1, table 2.*
#
# **Does time make motion smoother, and is that more than a filter?** The velocity error is 15.0 ±
# 0.9 mm/frame with one frame and 7.1 ± 0.2 with 27, which is 52 % less (76 % in the paper). A
# filter over the single frame gets lower still, to 4.5 where the temporal model alone has 5.7; but
# its position error stays at 46.6 mm, against 42.3. <a href="#how">How it was found.</a>
#
# Two sequences of poses can have the same mean error and look nothing alike: one glides beside
# the truth, the other trembles around it. Position errors do not see the difference; people do.
# The paper measures it as **MPJVE**, the MPJPE of the first difference over time: millimetres a
# frame by which the velocity of a joint is wrong. Its claim: the temporal model cuts it by 76 %.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # frames that the temporal model sees: 3, 9, 27, 81, 243 or 729
dataset = "auto"  # "synthetic" (embedded), "cmu" (real motion capture) or "human36m"
detector = "simulated"  # "ground_truth", "simulated", "simulated_pretrained" or "simulated_coarse"
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import pandas as pd
from IPython.display import Markdown
from scipy.ndimage import gaussian_filter1d

from paperlib import plotting
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import RECEPTIVE_FIELDS, TemporalModel, filter_widths
from paperlib.results import over_seeds, paper_table, select
from paperlib.training import Recipe, Supervised

plotting.use_style()
experiment = Experiment.begin(
    "pavllo2019/table2", globals(), detector=DETECTORS + FILES, receptive_field=RECEPTIVE_FIELDS[1:]
)
experiment

# %%
data = experiment.load()
recipe = Recipe.pavllo2019(experiment.preset)
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
widths = filter_widths(receptive_field)
size = {"channels": recipe.channels, "dropout": recipe.dropout}
systems = {
    "single frame": lambda: TemporalModel(*joints, (1,) * len(widths), **size),
    "temporal": lambda: TemporalModel(*joints, widths, **size),
}
runs = {
    name: experiment.train(name, Supervised(build, data), recipe) for name, build in systems.items()
}

# %% [markdown]
# ## Velocity error, millimetres a frame
#
# **Before you look:**<a id="how"></a> On which action do poses of a single frame tremble most? And
# is that where people move fastest?

# %%
rows = []
for name, run in runs.items():
    rows += experiment.rows(name, evaluate(run.model, data.test, recipe.test_flip, device), run)
experiment.record(rows)
measured = select(experiment.measured(rows), metric="mpjve")
table = over_seeds(measured, columns="action").reindex(systems)
table.T.style.set_caption(f"MPJVE, mm per frame; {experiment.caption}")

# %%
Markdown(f"*{experiment.protocol(data, recipe, receptive_field, measured['seed'])}*")

# %%
means = measured.groupby(["system", "action"])["value"].mean().unstack().reindex(systems)
figure = plotting.velocity(means, [*sorted(set(means.columns) - {"average"}), "average"])
saved = experiment.save_figure(figure, "pavllo2019_table2_velocity")

# %% [markdown]
# ## The paper's rows

# %%
paper = paper_table("pavllo2019_table2").drop(columns="temporal").set_index("model")
paper.T.style.format("{:.1f}").set_caption("Table 2 of the paper: MPJVE on Human3.6M, mm per frame")

# %%
theirs = 100 * (1 - paper.loc["Temporal", "average"] / paper.loc["Single-frame", "average"])
ours = 100 * (1 - means.loc["temporal", "average"] / means.loc["single frame", "average"])
Markdown(
    f"The temporal model cuts the velocity error by **{theirs:.0f} %** in the paper and by "
    f"**{ours:.0f} %** on {experiment.dataset} data. The paper's own numbers: *not run (licence)*."
)

# %% [markdown]
# ## Is it just a filter?
#
# A sceptic would smooth the poses afterwards. A Gaussian filter over time removes the tremble; a
# wide one also blurs what was real motion. How far does it get, on either model?


# %%
def filtered(system, sigma):
    def smooth(poses, recording):
        return poses.new_tensor(gaussian_filter1d(poses.numpy(), sigma, axis=0, mode="nearest"))

    after = smooth if sigma else None
    found = evaluate(runs[system].model, data.test, recipe.test_flip, device, after)
    return [1000 * found.average(name, "sequence") for name in ("mpjpe", "mpjve")]


comparison = {(name, sigma): filtered(name, sigma) for name in systems for sigma in (0, 1, 2, 4, 8)}
filters = pd.DataFrame(comparison, index=["MPJPE, mm", "MPJVE, mm/frame"]).T.round(1)
filters.rename_axis(["system", "width of the filter, frames"])

# %%
best = filters.loc["single frame"].min()
plain = filters.loc[("temporal", 0)]
Markdown(
    "Averaged over sequences here, not over actions. The best filter brings the single-frame model "
    f"to {best['MPJVE, mm/frame']:.1f} mm/frame of velocity error, where the temporal model alone "
    f"has {plain['MPJVE, mm/frame']:.1f}; and to {best['MPJPE, mm']:.1f} mm of position error, "
    f"where the temporal model has {plain['MPJPE, mm']:.1f}. **Velocity error alone is no proof of "
    "a temporal model**: whatever smooths lowers it, most of all where the detector's noise is new "
    "in each frame, as part of the simulated one is. What the filter cannot do is find depth that "
    "one frame does not show."
)

# %% [markdown]
#
# ## Try next
#
# * `-p detector ground_truth`: without noise, is there any velocity error left to cut?
# * `-p receptive_field 81`: does more context make motion smoother still?
# * Exercises 9 and 10 of [the exercises](exercises.ipynb), with solutions.
