# %% [markdown]
# # Depth errors, joint by joint, before and after the second stage
#
# *Kato et al. 2020, sections II and III.*
#
# **Does the second stage mend depths?** A little: on average a joint's depth from the root is 56.6
# ± 0.6 mm off at first and 52.9 ± 1.0 after the second stage. A network that was never told a depth
# has 54.8 ± 1.8. <a href="#how">How it was found.</a>
#
# The paper's argument is about depths: images tell them, keypoints do not, and time makes them
# better. It shows no picture of them. Here is one: how wrong is the depth of each joint from the
# root
#
# * as the **first stage** reads it off a single image;
# * as the **second stage** answers, which is given these depths over time;
# * as the same network answers that is given **2D alone**, and never saw a depth?
#
# The depth of the root itself plays no part in it: nobody is told anything about the camera.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "bandai_namco", "mocap", "human36m"
receptive_field = 243  # frames that the second stage sees: 1, 27, 81 or 243
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, images, shuffling, noise
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import plotting
from paperlib.claims import by_seed
from paperlib.evaluation import fastest, joint_speed
from paperlib.experiment import Experiment, pictured
from paperlib.occlusion import labels
from paperlib.prediction import first_stage_poses, predict, predict_dataset
from paperlib.results import interval, over_seeds, shown
from paperlib.training import SECOND_STAGE, first_stage, second_stage
from paperlib.windows import as_inputs

# %%
plotting.use_style()
experiment = Experiment.begin(
    "kato2020/figure_depth", globals(), receptive_field=tuple(SECOND_STAGE)
)
experiment = pictured(experiment).with_detector("integral_regression")
experiment

# %%
data = experiment.exact
images, seeing = first_stage(data, experiment.preset)
first = experiment.train("first stage", images, seeing)
seen = predict_dataset(first.model, data, seed, precision=seeing.precision)
FIRST, SECOND, FLAT = "first stage", "second stage", "second stage, 2D alone"
given, runs = {SECOND: "2d_depth_noise", FLAT: "2d"}, {FIRST: first}
for name, inputs in given.items():
    learning, recipe = second_stage(seen, experiment.preset, inputs, receptive_field)
    runs[name] = experiment.train(name, learning, recipe)

# %%
answers = {FIRST: [r.depths for r in seen.test]}
for name, inputs in given.items():
    model = runs[name].model
    poses = [predict(model, as_inputs(r, inputs), recipe.test_flip) for r in seen.test]
    answers[name] = [pose[..., 2] for pose in poses]
true = torch.cat([r.pose[..., 2] for r in seen.test])
off = {name: 1000 * (torch.cat(found) - true) for name, found in answers.items()}

# %% [markdown]
# ## Joint by joint
#
# **Before you look:**<a id="how"></a> Which joint's depth is the hardest to tell from an image,
# and which one's would time help most?
#
# The mean absolute error of the depth from the root, over all test frames.

# %%
hidden = torch.cat([labels(r, "rendered") for r in data.test])
root = data.skeleton.root
limbs = torch.tensor([j for j in range(len(data.skeleton)) if j != root])
rows = []
for name, error in off.items():
    error = error.abs()
    values = dict(zip(data.skeleton.joints, error.mean(dim=0).tolist(), strict=True))
    values["average"] = error[:, limbs].mean().item()
    values["hidden joints"] = error[:, limbs][hidden[:, limbs]].mean().item()
    values["seen joints"] = error[:, limbs][~hidden[:, limbs]].mean().item()
    about = experiment.about(name, runs[name]) | {"metric": "depth error", "unit": "mm"}
    rows += [about | {"action": part, "value": value} for part, value in values.items()]
saved = experiment.record(rows)

# %%
measured = experiment.measured(rows)
joints = [name for number, name in enumerate(data.skeleton.joints) if number != root]
means = measured.groupby(["system", "action"])["value"].mean().unstack()
errors = {name: means.loc[name, joints].tolist() for name in off}
figure = plotting.error_per_joint(errors, joints, "mean error of the depth from the root, mm")
saved = experiment.save_figure(figure, "kato2020_depth_per_joint")

# %%
parts = ["average", "seen joints", "hidden joints"]
found = {part: by_seed(measured, "depth error", action=part) for part in (*joints, *parts)}
table = over_seeds(measured, columns="action").reindex(list(off)).T.reindex([*joints, *parts])
for name, less in ((FIRST, "second − first stage"), (FLAT, "second stage, with − without depths")):
    change = {part: shown(*interval(e[SECOND] - e[name])) for part, e in found.items()}
    table[less] = pd.Series(change)
table.index = table.index.str.replace("_", " ")
table.rename_axis(index=None, columns=None).style.set_caption(
    f"depth error, mm, frames pooled; {experiment.caption}; ± 95 % over seeds, changes paired"
)

# %% [markdown]
# *Hidden* are joints that the own body hides from the camera, by rendered bodies at the true poses.
# One might think that of these an image tells least. It does not show: at first they are 53.5 ± 1.9
# mm off, and 56.9 ± 0.5 where they are seen. But other joints are hidden than seen.

# %%
print(f"{hidden[:, limbs].float().mean():.1%} of the joints are hidden")
protocol = experiment.protocol(seen, recipe, receptive_field, measured["seed"])
Markdown(f"*{protocol.but(averaging='frames pooled')}*")

# %% [markdown]
# ## How often, and how far
#
# The distribution of the error, all joints but the root. A distribution that lies beside zero, and
# is not merely wide, would be an error that all joints share.

# %%
figure = plotting.depth_errors({name: error[:, limbs].numpy() for name, error in off.items()})
saved = experiment.save_figure(figure, "kato2020_depths_before_and_after")

# %% [markdown]
# ## Over time
#
# The depth of the right wrist in the three seconds about the fastest half second of the test clips,
# chosen by their true motion. Below, how wrong the wrist's speed is. (The first stage has the true
# root depth here, to be a path in space at all.)

# %%
moments = {r: fastest(joint_speed(r), round(r.fps / 2)) for r in seen.test}
clip = max(moments, key=lambda r: moments[r][1])
middle, reach = moments[clip][0] + round(clip.fps / 4), round(1.5 * clip.fps)
cut = slice(max(0, middle - reach), middle + reach)
paths = {"truth": clip.pose, FIRST: first_stage_poses(clip)}
for name, inputs in given.items():
    paths[name] = predict(runs[name].model, as_inputs(clip, inputs), recipe.test_flip)
paths = {name: path[cut].numpy() for name, path in paths.items()}
wrist = data.skeleton.index("right_wrist")
figure = plotting.joint_path(paths, wrist, 2, clip.fps, "right wrist, depth, cm")
print(clip)
saved = experiment.save_figure(figure, "kato2020_depth_path")

# %% [markdown]
# What these errors come to in millimetres of the pose is in [table 2](table2.ipynb).
#
# ## Try next
#
# * `-p receptive_field 1`: a second stage that sees one frame knows what bodies look like, and
#   nothing of time. Which joints does that help?
# * `"gt_2d_depth"` in the place of `"2d_depth_noise"`: the depths are exact then. Does the network
#   leave them as they are?
# * Exercises 5 to 7 of [the exercises](exercises.ipynb): where depths are measured from.
