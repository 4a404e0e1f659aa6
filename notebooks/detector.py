# %% [markdown]
# # The simulated detector beside real ones
#
# **Does the simulated detector err as real ones do?** In size and in kind about as OpenPose, which
# it imitates: 2.43 % of the person's height on average against 2.38 %, and errors of neighbouring
# frames that correlate by 0.26 against 0.24. One film of one person is all that it was compared
# with. <a href="#how">How it was found.</a>
#
# Free motion capture has no pictures, so that nothing can be detected in it. Its keypoints are
# exact projections, and what a detector would make of them is **simulated**. Whatever is said about
# noise, occlusion or confidence on free data is only as good as that simulation.
#
# Here it is set beside two real detectors, OpenPose and BlazePose, on a real film of four cameras
# whose 3D truth was triangulated. The first version was too kind: hardly a keypoint ever flew far
# away, and its confidence *knew* what is hidden. It also trembled more than real ones do.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures)
preset = "auto"  # "smoke": four simulated recordings in place of 60
seed = 0  # of the simulated detections
device = "auto"  # "cpu", "cuda"; needed by no cell
retrain = False  # needed by no cell

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown

from paperlib import plotting, results
from paperlib.detection import ERROR_PROFILES, PROFILES, calibration, simulate
from paperlib.errors import MissingDataError
from paperlib.experiment import Experiment
from paperlib.results import select

plotting.use_style()
experiment = Experiment.begin("detector", globals())
experiment

# %% [markdown]
# ## What is compared
#
# Errors of the twelve joints from shoulders to ankles, in % of the person's height in the image, in
# pieces as long as the film (1.7 s), each after its own median error. The real detectors are
# measured against what the *other* one saw in all four views, or against both together (*joint*),
# since an error is not measured against itself. The simulated ones have their truth.

# %%
kept = 4 if experiment.preset == "smoke" else 60
test = experiment.exact.test
spread = [test[i] for i in np.linspace(0, len(test) - 1, min(kept, len(test))).astype(int)]
names = ["simulated_v1", *ERROR_PROFILES]
simulated = {name: [simulate(r, PROFILES[name], seed) for r in spread] for name in names}
columns = {name: calibration.statistics(found, spread) for name, found in simulated.items()}
try:
    film = calibration.real()
    columns = {name: calibration.statistics(found) for name, found in film.items()} | columns
except MissingDataError as missing:
    film = {}
    print(f"The film is not here, its columns are those on record: {missing}")

# %%
about = {"receptive_field": 1, "action": "average", "unit": "", "seed": seed}
about |= {"dataset": experiment.dataset, "detector": "", "preset": experiment.preset}
rows = [
    about | {"system": name, "metric": statistic, "value": value}
    for name, found in columns.items()
    for statistic, value in found.items()
    if not np.isnan(value)
]
saved = experiment.record(rows)

# %% [markdown]
# ## The table
#
# **Before you look:**<a id="how"></a> Low confidence should point to the worst keypoints. Does it
# tell more with OpenPose or with BlazePose? (An AUC of 0.5 tells nothing.)

# %%
WORDS = {
    "mean": "error, mean",
    "median": "error, median",
    "p95": "error, 95 % are below",
    "heaviness": "root mean square / mean",
    "bias": "standing error of a joint in a piece",
    "correlation_1": "correlation of errors after 1 frame (60 Hz)",
    "correlation_5": "… after 5 frames",
    "correlation_10": "… after 10 frames",
    "correlation_25": "… after 25 frames",
    "jitter": "change from frame to frame, median",
    "auc_worst": "low confidence finds the worst tenth, AUC",
    "auc_hidden": "low confidence finds hidden joints, AUC",
    "lost": "share not found",
}

# %%
REAL = {f"{d}, {r}": f"{d}, {r}" for r in ("other", "joint") for d in ("openpose", "blazepose")}
if not film:
    recorded = select(results.recorded("detector"), seed=0)
    for name in REAL:
        own = recorded[recorded["system"] == name].set_index("metric")["value"]
        columns = {name: own.to_dict()} | columns

# %%
table = pd.DataFrame(columns).reindex(WORDS).rename(index=WORDS)
real, ours = [n for n in columns if n in REAL], [n for n in columns if n not in REAL]
table = pd.concat({"real": table[real], "simulated": table[ours]}, axis=1)
table = table.rename(columns=lambda n: n.removeprefix("simulated_").replace("_", " "))
table.style.format("{:.2f}", na_rep="")

# %% [markdown]
# Which imitates which: `v2` OpenPose measured by the other, `v2 blazepose` BlazePose by the other,
# `v2 smooth` BlazePose by both together. `swapping` and `coarse` imitate nobody; they are there so
# that detectors differ in kind. One film of one person calibrates what kind of errors there are,
# and not their last digit.
#
# ## What it looks like
#
# The error of one wrist in each of a film's 100 frames.

# %%
shown = {"v1": simulated["simulated_v1"], "v2": simulated["simulated_v2"]}
shown |= {"v2 blazepose": simulated["simulated_v2_blazepose"]}
pieces = {
    f"simulated, {name}": calibration.errors_of(found[0], spread[0])[0]
    for name, found in shown.items()
}
pieces |= {name: calibration.errors_of(found[0])[0] for name, found in film.items()}
figure, axes = plt.subplots(
    len(pieces), 1, figsize=(7.2, 1.1 * len(pieces)), sharex=True, sharey=True
)
for ax, (name, piece) in zip(np.atleast_1d(axes), pieces.items(), strict=True):
    seconds = np.arange(len(piece.error)) / piece.fps
    ax.plot(
        seconds, np.linalg.norm(piece.error[:, piece.joints.index("left_wrist")], axis=-1), lw=1.2
    )
    ax.set_title(name, fontsize=9, fontweight="normal")
axes[-1].set(xlabel="seconds", ylim=(0, 12))
figure.supylabel("error of the left wrist, % of the height", fontsize=9)
saved = experiment.save_figure(figure, "detector_errors")

# %%
Markdown(f"*{experiment.exact.source}*")

# %% [markdown]
# ## Try next
#
# * `-p seed 1`: how much do these numbers change by chance?
# * Change one part of a profile (`dataclasses.replace(ERROR_PROFILES["simulated_v2"], …)`) and see
#   which lines of the table it moves.
# * [Table 3](pavllo2019/table3.ipynb) asks what such differences cost in 3D.
