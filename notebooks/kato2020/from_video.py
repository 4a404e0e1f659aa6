# %% [markdown]
# # From a video to poses, in one call
#
# *Kato et al. 2020, both stages.*
#
# **What does it say of somebody whom nobody sees?** On the film shown: where a detector gives no
# box, 164.5 mm of error, and 165.0 with a box that is carried on exactly; while the walker is seen,
# 143.3. It is one film, and one of the harder ones. <a href="#how">How it was found.</a>
#
# A film goes in, and one person's refined pose for each of its pictures comes out:
#
# ```python
# poses = predict_video(first, second, film, boxes)  # (T, J, 3), metres about the root
# ```
#
# `film` is an array `(T, 3, H, W)` from 0 to 1, a folder of PNG or JPEG files, or a video file
# (which PyAV decodes, where it is installed). `boxes` say where in each picture the person is: this
# system does not look for people, somebody else must find them.
#
# It is shown on a rendered film in which somebody walks **behind** another: what should be said of
# a person whom nobody sees?
#
# **A network that was trained on renderings is no detector for photographs.** It has seen bodies of
# capsules in flat colours, and never a face, a sleeve or a chair. On a photograph it will answer
# something, with 17 joints and their depths, and nobody should believe it. For films of real people
# both networks must learn from images of real people.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "bandai_namco", "mocap", "human36m"
receptive_field = 243  # frames that the second stage sees: 1, 27, 81 or 243
seconds = 3  # of the film: 1 to 4
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, images, shuffling, noise
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from IPython.display import Markdown
from PIL import Image

from paperlib import plotting
from paperlib.cameras import camera_to_world, world_to_camera
from paperlib.experiment import Experiment, pictured
from paperlib.metrics import mpjpe
from paperlib.prediction import first_stage_poses, joints_in_video, predict
from paperlib.prediction import predict_dataset, predict_video  # isort: skip
from paperlib.rendering import FilmImages, people_visibility
from paperlib.training import SECOND_STAGE, first_stage, second_stage

# %%
plotting.use_style()
experiment = Experiment.begin(
    "kato2020/from_video", globals(), receptive_field=tuple(SECOND_STAGE), seconds=(1, 2, 3, 4)
)
experiment = pictured(experiment).with_detector("integral_regression")
experiment

# %% [markdown]
# ## The two networks
#
# Those of the other pages, which are found again.

# %%
data = experiment.exact
images, seeing = first_stage(data, experiment.preset)
first = experiment.train("first stage", images, seeing)
seen = predict_dataset(first.model, data, seed, precision=seeing.precision)
learning, recipe = second_stage(seen, experiment.preset, receptive_field=receptive_field)
second = experiment.train("second stage", learning, recipe)

# %% [markdown]
# ## A film with two people
#
# Of the test clips of one camera: the walk that goes farthest across the picture (any motion, where
# nobody walks), and, set down on the line from the camera to the walker's place in the middle of
# the film, the person who goes least far.

# %%
camera, length = data.test[0].camera, round(seconds * data.test[0].fps)
long = [r.cut(0, length) for r in data.test if r.camera == camera and len(r) >= length]


# %%
def goes(recording):
    """Pixels that the root goes across the picture."""
    return (recording.keypoints[-1, 0, 0] - recording.keypoints[0, 0, 0]).abs().item()


def set_down(other, walker, frame, share=0.6):
    """``other`` so far from the camera to the walker's place in a frame, on the floor."""
    eye = torch.tensor(camera.position)
    world = [camera_to_world(r.truth, camera) for r in (walker, other)]
    shift = eye + share * (world[0][frame, 0] - eye) - world[1][frame, 0]
    moved = world[1] + shift * torch.tensor([1.0, 1.0, 0.0])
    return replace(other, positions=world_to_camera(moved, camera))


# %%
walker = max([r for r in long if "walk" in r.action] or long, key=goes)
other = set_down(min(long, key=goes), walker, length // 2)
print(walker)
size = 128 if experiment.preset == "smoke" else 320
film = FilmImages(walker, size, seed, others=(other,), noise=0.01)
middle = torch.tensor([[camera.width / 2, camera.height / 2]]).expand(length, -1)
whole = film.crops(middle, torch.full((length,), float(max(camera.width, camera.height))))
parts = [film.draw(f, whole[f]).images for f in torch.arange(length).split(25)]
pictures = torch.cat(parts)
print("pictures:", tuple(pictures.shape))

# %% [markdown]
# ## Where the walker is
#
# Boxes about the joints, as a perfect detector would draw them, and none (NaN) while fewer than a
# third of the walker's joints can be seen. For those frames joints and depths are drawn straight
# from the frame before to the frame after, and the second stage makes of it what it can.

# %%
people = torch.stack([walker.truth, other.truth])
visible = people_visibility(people, walker.skeleton).visible[0]
gone = visible.float().mean(dim=1) < 1 / 3
points = whole.from_film(walker.keypoints)
low, high = points.amin(dim=1), points.amax(dim=1)
every_box = torch.cat([low, high - low], dim=1)
boxes = torch.where(gone[:, None], torch.nan, every_box)
print(f"{gone.sum()} of {length} frames without a box")

# %% [markdown]
# ## The call

# %%
flip = recipe.test_flip
poses = predict_video(first.model, second.model, pictures, boxes, flip)
print("poses:", tuple(poses.shape))

# %% [markdown]
# The same film as a folder of images, which have eight bits for each colour:

# %%
with tempfile.TemporaryDirectory() as folder:
    for number, picture in enumerate(pictures):
        pixels = (255 * picture).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(Path(folder) / f"{number}.png")
    from_folder = predict_video(first.model, second.model, folder, boxes, flip)
print(f"mean difference: {1000 * mpjpe(from_folder, poses):.2f} mm")

# %% [markdown]
# ## What it looks like
#
# Five moments: the film with the box; from nearby, the joints that the first stage finds; and the
# refined pose over the truth. Without a box, joints lie on the straight line.

# %%
found = joints_in_video(first.model, pictures, boxes, flip=flip)
moments = torch.linspace(0.08, 0.92, 5).mul(length - 1).round().long()
strip = [pictures[moments].permute(0, 2, 3, 1), boxes[moments], found.keypoints[moments]]
strip += [poses[moments], walker.pose[moments]]
titles = [f"{frame / walker.fps:.2f} s" for frame in moments.tolist()]
figure = plotting.film_strip(*(part.numpy() for part in strip), walker.skeleton, titles)
saved = experiment.save_figure(figure, "kato2020_from_video")

# %% [markdown]
# ## While nobody sees the walker
#
# **Before you look:**<a id="how"></a> For four tenths of a second nobody sees the walker. Is it
# better to give no box, or to carry the last one on?
#
# Two ways to deal with it: no box, as above; or a box that some tracker has carried on, without an
# error (it is that of the true joints), in which the first stage sees **somebody else**. (To become
# millimetres the first stage alone needs the distance of the root; here it is told the true one.
# The second stage is not.)

# %%
ways = {"no box": boxes, "a box carried on": every_box}
answers = {}
for way, given in ways.items():
    joints = joints_in_video(first.model, pictures, given, flip=flip)
    seen_by = replace(walker, keypoints=whole.to_film(joints.keypoints), depths=joints.depths)
    answers["first stage", way] = first_stage_poses(seen_by)
    answers["second stage", way] = predict(second.model, joints, flip)

# %%
lines = {}
for name, answer in answers.items():
    error = 1000 * mpjpe(answer, walker.pose, reduction="none").mean(dim=-1)
    lines[name] = {"seen": error[~gone].mean().item(), "not seen": error[gone].mean().item()}
table = pd.DataFrame(lines).T.rename_axis(index=["", "while not seen"])
caption = "MPJPE, mm, in the frames in which the walker is seen, and in the others; one film"
table.style.format("{:.1f}", na_rep="–").set_caption(caption)

# %%
name = "left_ankle"
paths = {"truth": walker.pose} | {n: answers[n, "no box"] for n in ("first stage", "second stage")}
paths = {system: path.numpy() for system, path in paths.items()}
around, joint = slice(0, length), walker.skeleton.index(name)
score = (~gone).float().numpy()
figure = plotting.occluded_path(paths, score, around, walker.fps, joint)
figure.suptitle(f"{name.replace('_', ' ')}, from the root", x=0.01, ha="left", fontweight="bold")
saved = experiment.save_figure(figure, "kato2020_from_video_path")

# %%
Markdown(f"*{experiment.protocol(seen, recipe, receptive_field)}*")

# %% [markdown]
# One film, chosen for what happens in it: its numbers say nothing of systems. How a system may be
# trained for gaps is the subject of
# [Cheng et al.](../cheng2020/section_occlusion_augmentation.ipynb), and how poses may be drawn
# through them afterwards that of [Véges & Lőrincz](../veges2020/section3_2_pose_refinement.ipynb).
#
# ## Try next
#
# * `share=0.9` in `set_down`: the one in front is hardly nearer than the walker.
# * `-p receptive_field 1`: a second stage without time, in the gap.
# * Your own film: boxes of any detector of people, pictures 50 a second. What comes out is an
#   answer about capsules.
