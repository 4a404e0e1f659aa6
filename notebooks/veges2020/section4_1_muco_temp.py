# %% [markdown]
# # MuCo-Temp: videos of several people from people alone
#
# *Véges & Lőrincz 2020, section 4.1.1.*
#
# **How much of four people before one camera is hidden?** In the training videos 14.8 % of the
# joints, in those of the test 16.8 %; the detector loses people in 5.6 % and 8.5 % of their
# frames. <a href="#how">How it was found.</a>
#
# MuPoTS-3D has several people whose poses in space are known through occlusions, but only to test
# on. To learn from there is MuCo-3DHP, which makes single pictures of that kind: people of
# MPI-INF-3DHP, recorded one at a time before a green screen, are cut out and pasted into one
# picture, the nearest last. MuCo-Temp does it for videos: four people, 2,000 frames, 77 times.
#
# Here bodies are set down instead of pictures pasted, in front of the cameras of whatever data set
# there is, and who hides whom is found by ray and capsule. This notebook shows the videos that
# come of it, and what the detector is left with.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "simulated_v2_coarse", "simulated_v2_smooth", "simulated_fine", …
preset = "auto"  # "smoke", "laptop" or "paper": how many videos, and how long; "auto": by machine
seed = 0  # of the simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # nothing is trained here

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch

from paperlib import plotting
from paperlib.cameras import camera_to_world
from paperlib.datasets import muco_temp
from paperlib.detection import PROFILES
from paperlib.experiment import Experiment, several_people
from paperlib.rendering import people_visibility, render, shade
from paperlib.scenes import longest_gap, scenes

plotting.use_style()
experiment = Experiment.begin("veges2020/section4_1", globals(), detector=tuple(PROFILES))
experiment

# %% [markdown]
# ## Four people before a camera
#
# Each is a take of the data set, turned and moved along the floor to a place where the hip stays in
# view on all of its path and comes no closer than 60 cm to another's. Nobody is hidden for more
# than half of a video. A take is played to its end, then
# backwards, and so on; it slows down before it turns. All videos have 25 frames a second.

# %%
size = muco_temp.SIZES[experiment.preset]
made = several_people(experiment)
videos, crowd = made.videos, made.crowd
exact, truth = scenes(videos.test), made.truth
print(f"{size.train} videos to learn from, {size.test} to test on")
seconds = size.frames / muco_temp.FPS
print(f"{size.people} people and {size.frames} frames ({seconds:.0f} s) in each")

# %%
gap = longest_gap(truth)
scene = truth[gap.scene]
middle = (gap.start + gap.stop) // 2
roots = scene.positions[:, :, videos.skeleton.root]
names = [f"{r.subject}, {r.action.replace('_', ' ')}" for r in scene.people]
figure = plotting.floor_plan(roots.numpy(), names, middle)
saved = experiment.save_figure(figure, "veges2020_floor")

# %% [markdown]
# Above: the ways of four people, seen from the ceiling. The dashed lines are the edges of the
# picture. Two people on one line through the camera hide each other.
#
# ## What the camera sees
#
# The bodies are capsules: a bone with a radius. A ray through every pixel finds the nearest one.

# %%
moments = torch.linspace(max(0, gap.start - 15), min(size.frames - 1, gap.stop + 15), 6).long()
pictures = render(
    scene.positions[:, moments], scene.people[0].skeleton, scene.people[0].camera, width=160
)
figure, panels = plt.subplots(2, 3, figsize=(8.4, 5.8))
lit = shade(pictures, plotting.PEOPLE)
for ax, picture, moment in zip(panels.flat, lit, moments.tolist(), strict=True):
    ax.imshow(picture)
    ax.set_title(f"{moment / muco_temp.FPS:.1f} s", fontsize=10)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color=plotting.GRID)
saved = experiment.save_figure(figure, "veges2020_muco_temp")

# %% [markdown]
# ## Who hides whom
#
# A joint is hidden when the line of sight to it meets a body before it. For each person of this
# video: how much of the body is seen, is hidden by the person's own limbs, or by each of the
# others.
#
# **Before you look:**<a id="how"></a> Who is furthest away in this video, and how much of that
# person is seen?

# %%
people = scene.people
sight = people_visibility(scene.positions, people[0].skeleton)
shares = {"seen": sight.visible.float().mean(dim=(1, 2))}
by_other = sight.by_other
shares["by oneself alone"] = (sight.by_self & (by_other < 0)).float().mean(dim=(1, 2))
for other in range(len(people)):
    shares[f"by person {other}"] = (by_other == other).float().mean(dim=(1, 2))
index = [f"person {p}, {roots[p, :, 2].mean():.1f} m away" for p in range(len(people))]
table = pd.DataFrame({name: 100 * share.numpy() for name, share in shares.items()}, index=index)
table.style.format("{:.1f}").set_caption("% of the joints of a person, over all frames")

# %% [markdown]
# Who hides another is the nearer one, as it should be, though an arm of somebody a little farther
# away may be in front:

# %%
depth = roots[..., 2]
pairs = [(p, o) for p in range(len(people)) for o in range(len(people)) if p != o]
nearer = torch.cat([(depth[o] < depth[p])[(by_other[p] == o).any(dim=-1)] for p, o in pairs])
print(f"the one who hides has the nearer hip in {100 * nearer.float().mean():.1f} % of the frames")

# %% [markdown]
# ## What the detector is left with
#
# Keypoints get the errors of the [simulated detector](../pavllo2019/table3.ipynb). Scores fall
# where a joint is hidden; a person of whom 70 % are hidden is lost, and found again when half of
# the body is seen.

# %%
figure, panels = plt.subplots(len(people), 1, figsize=(8, 1.25 * len(people)), sharex=True)
seconds = torch.arange(size.frames) / muco_temp.FPS
for person, ax in enumerate(panels):
    score = scene.score[person]
    plotting.shade_gaps(ax, score.numpy(), seconds.numpy())
    ax.plot(seconds, score, color=plotting.PEOPLE[person], lw=1)
    ax.set(ylim=(0, 1), ylabel=f"person {person}")
panels[-1].set_xlabel("seconds; grey: not found")
figure.suptitle("mean score of the keypoints", x=0.01, ha="left", fontweight="bold")
saved = experiment.save_figure(figure, "veges2020_scores")

# %% [markdown]
# ## The whole set


# %%
def summary(recordings):
    hidden = torch.cat([1 - r.visible.float().mean(dim=1) for r in recordings])
    lost = ~torch.cat([r.found for r in recordings])
    low = [camera_to_world(r.positions, r.camera)[..., 2].amin(dim=1) for r in recordings]
    return {
        "person-frames": f"{len(hidden):,}",
        "mean distance, m": f"{torch.cat([r.trajectory[:, 2] for r in recordings]).mean():.1f}",
        "joints hidden, %": f"{100 * hidden.mean():.1f}",
        "more than half hidden, %": f"{100 * (hidden > 0.5).float().mean():.1f}",
        "lost by the detector, %": f"{100 * lost.float().mean():.1f}",
        "lowest joint above the floor, cm": f"{100 * torch.cat(low).median():.0f}",
    }


pd.DataFrame({part: summary(crowd.split(part)) for part in ("train", "test")})

# %% [markdown]
# The paper trains on MPI-INF-3DHP together with MuCo-Temp and tests on MuPoTS-3D, which is filmed
# elsewhere, indoors and outdoors. Here test videos are made as the training videos are, of other
# takes and other bodies, but before the same cameras: the easier task.
#
# ## Try next
#
# * `-p preset paper`: 77 videos of 2,000 frames (some minutes on two cores).
# * Compose with `muco_temp.Size(people=6)`: how much of the sixth person is ever seen?
# * Write the pictures of a whole video as an animation with `shade(render(…))`.
# * Exercise 7 of [the exercises](exercises.ipynb), with its solution.
