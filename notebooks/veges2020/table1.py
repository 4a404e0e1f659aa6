# %% [markdown]
# # Table 1: against methods that see one frame
#
# *Véges & Lőrincz 2020, section 5, table 1.*
#
# **Are many frames better than one?** For the pose: the temporal network has 1.2 ± 1.0 points of
# 3D-PCK more than one of a single frame, and 1.3 ± 0.6 over people whom the detector found.
# Refinement adds 3.4 ± 0.3, all of it where people are lost. <a href="#how">How it was found.</a>
#
# The paper sets its 3D-PCK beside that of three methods which lift every picture by itself: 85.3 %
# against 81.8, 78.2 and 70.6. It calls the comparison unfair, since its own sees 81 frames. These
# methods need pictures, so their rows cannot come out here. What can be measured is the point of
# the comparison: a network as deep, the same people, with **one frame** and with many, with and
# without refinement.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "simulated_v2_coarse", "simulated_v2_smooth", "simulated_fine", …
receptive_field = 81  # frames that the temporal network sees: 9, 27, 81 or 243
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import pandas as pd
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.detection import PROFILES
from paperlib.evaluation import evaluate_scene, evaluate_scenes, pooled_scenes, pose_sets, universal
from paperlib.experiment import METRIC_NAMES, Experiment, scene_protocol, scene_rows
from paperlib.experiment import several_people  # isort: skip
from paperlib.models import filter_widths
from paperlib.prediction import locate_scene
from paperlib.refinement import refine
from paperlib.results import interval, over_seeds, paper_table, select, shown
from paperlib.training import AbsolutePose

plotting.use_style()
experiment = Experiment.begin(
    "veges2020/table1", globals(), detector=tuple(PROFILES), receptive_field=(9, 27, 81, 243)
)
experiment

# %%
people = several_people(experiment)
data, truth, recipe = people.data, people.truth, people.recipe(experiment.preset)
widths = filter_widths(receptive_field)
root = data.skeleton.root
systems = {"single frame": (1,) * len(widths), "temporal": widths}  # as deep, and as many channels
trained = {
    name: experiment.train(name, AbsolutePose(data, widths), recipe)
    for name, widths in systems.items()
}

# %%
answers = {
    name: [locate_scene(run.model, scene, recipe.test_flip) for scene in truth]
    for name, run in trained.items()
}
answers["refinement"] = [
    refine(p, scene.score, root=root) for p, scene in zip(answers["temporal"], truth, strict=True)
]
rows = []
for system, positions in answers.items():
    run = trained.get(system, trained["temporal"])
    rows += scene_rows(experiment, system, evaluate_scenes(positions, truth), run)
kept = experiment.record(rows)
measured = experiment.measured(rows)

# %% [markdown]
# ## The table
#
# Over all poses, and over those of people whom the detector found: methods that look at single
# pictures have nothing to say of anybody else.
#
# **Before you look:**<a id="how"></a> A network of a single frame has nothing to go by where
# nobody was found. What will its mean error of location over *all* poses be: decimetres, or
# metres?

# %%
COLUMNS = ["mrpe", "mpjpe", "pck3d", "auc3d", "pck3d_absolute"]
found = measured[measured["metric"].isin(COLUMNS)]
parts = {p: over_seeds(select(found, action=p))[COLUMNS] for p in ("all", "detected")}
table = pd.concat(parts).rename(columns=METRIC_NAMES).rename_axis(columns=None)
table.style.set_caption(f"mm and %; {experiment.caption}; ± 95 % over seeds")

# %%
gains = {}
for poses in parts:
    share = claims.by_seed(measured, "pck3d", action=poses)
    for new, old in (("temporal", "single frame"), ("refinement", "temporal")):
        gains[f"{new} minus {old}", poses] = shown(*interval(share[new] - share[old]))
pd.Series(gains).unstack().style.set_caption("3D-PCK, points; ± 95 % over seeds")

# %%
protocol = scene_protocol(experiment, people, recipe, receptive_field, measured["seed"])
Markdown(f"*{protocol}*")

# %% [markdown]
# ## Universal coordinates
#
# The paper counts 3D-PCK on *universal* coordinates, in which every person is rescaled from the hip
# to the same height, so that only the pose counts and not the size. MuPoTS-3D brings them along;
# here predictions and truth are rescaled to 1.75 m. The protocol of MuPoTS-3D goes further and
# gives every predicted bone its true length.


# %%
def share(positions, bone_lengths):
    parts = []
    for predicted, scene in zip(positions, truth, strict=True):
        skeleton = scene.people[0].skeleton
        both = universal(predicted, skeleton), universal(scene.positions, skeleton)
        counted = pose_sets(scene.score)["all"]
        parts.append(evaluate_scene(*both, counted, skeleton, bone_lengths=bone_lengths))
    return 100 * pooled_scenes(parts)["pck3d"]


by_protocol = {
    "as measured": {
        s: 100 * evaluate_scenes(p, truth).average("pck3d") for s, p in answers.items()
    },
    "universal": {s: share(p, False) for s, p in answers.items()},
    "universal, true bone lengths": {s: share(p, True) for s, p in answers.items()},
}
caption = f"3D-PCK, %, all poses; {experiment.caption}, seed {seed}"
pd.DataFrame(by_protocol).style.format("{:.1f}").set_caption(caption)

# %% [markdown]
# ## The paper's rows

# %%
printed = paper_table("veges2020_table1").dropna(subset=["pck_3d_percent"]).set_index("method")
names = {"mrpe_mm": "MRPE", "mpjpe_mm": "MPJPE", "pck_3d_percent": "3D-PCK"}
printed.rename(columns=names)[list(names.values())].style.format("{:g}", na_rep="").set_caption(
    "Table 1 of the paper: MuPoTS-3D, mm and %; cells that the text does not give are empty"
)

# %% [markdown]
# *Not run (licence)*: MuPoTS-3D. Its loader is `paperlib.datasets.mupots`, with the matching of
# predicted to annotated people in `paperlib.evaluation`.
#
# ## Try next
#
# * `-p receptive_field 9`: how many frames does it take to beat one?
# * Add the poses of people who are lost to the table, which are on record too.
# * Exercises 8 and 9 of [the exercises](exercises.ipynb), with solutions.
