# %% [markdown]
# # Exercises on Cheng et al. 2020
#
# Two or three for each page of the paper. **Write your prediction down first**, then work it out by
# hand, then open the solution: it computes the same with the package. Nothing is trained, so that
# all of them run in seconds on a laptop, with the embedded data.
#
# Solutions, and what they show, are folded. In JupyterLab a click on the bar of a folded cell opens
# it.

# %% tags=["parameters"]
# Parameters
dataset = "synthetic"  # where the example recordings come from: "synthetic", "cmu", …
preset = "smoke"  # nothing is trained here; "smoke" loads a small piece of the data
seed = 0  # of random weights and of made-up noise
device = "auto"  # needed by no cell: nothing here is large
retrain = False  # nothing is trained here

# %%
import math

import pandas as pd
import torch

from paperlib import metrics
from paperlib.experiment import Experiment
from paperlib.kinematics import (
    bone_lengths,
    bone_vectors,
    kinematic_chain_space,
    rotation_about,
    temporal_kinematic_chain_space,
)
from paperlib.models import MultiStrideTCN
from paperlib.results import paper_table

# %%
experiment = Experiment.begin("cheng2020/exercises", globals())
recording = experiment.exact.test[0]
pose, root, skeleton = recording.pose, recording.trajectory[:, None], recording.skeleton


def chain_space(positions):
    return kinematic_chain_space(bone_vectors(positions, skeleton.parents))


# %% [markdown]
# ## The [pose discriminator](section_pose_discriminator.ipynb)
#
# **1. Ψ by hand.** An upper arm of 0.30 m hangs straight down. The forearm of 0.25 m points
# forwards and down, 60° from the direction of the upper arm. What is Ψ of these two bones? And how
# many different entries has Ψ of a body of 17 joints?
#
# *Predict first:* three numbers in m² ($\cos 60° = 1/2$), and the count.

# %% tags=["hide-cell"]
angle = math.radians(60)
wrist = [0.25 * math.sin(angle), 0.0, -0.30 - 0.25 * math.cos(angle)]
arm = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, -0.30], wrist]])
print(kinematic_chain_space(bone_vectors(arm, (-1, 0, 1)))[0].numpy().round(4))
size = chain_space(pose).shape[-1]
print(f"{size} bones: {size * (size + 1) // 2} different entries")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0.09 and 0.0625 are the squared lengths, 0.0375 is $0.30 \cdot 0.25 / 2$. Seventeen joints have
# sixteen bones; Ψ is symmetric, which leaves $16 \cdot 17 / 2 = 136$.
#
# </details>
#
# **2. What Ψ does not see.** A body is (a) moved, (b) turned, (c) mirrored without exchanging left
# and right, (d) made a tenth larger. Which of these change Ψ?
#
# *Predict first:* four times yes or no; and by what factor where yes.

# %% tags=["hide-cell"]
turn = rotation_about("z", torch.tensor(1.0))
changed = {
    "moved": pose + torch.tensor([1.0, 2.0, 3.0]),
    "turned": pose @ turn.T,
    "mirrored": pose * torch.tensor([-1.0, 1.0, 1.0]),
    "a tenth larger": 1.1 * pose,
}
psi = chain_space(pose)
for name, positions in changed.items():
    other = chain_space(positions)
    factor = ((other * psi).sum() / psi.square().sum()).item()
    print(f"{name:15} largest change {(other - psi).abs().max():.4f} m²; {factor:.2f} times Ψ")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Only the size is seen, as its square: $1.1^2 = 1.21$. A mirror image is not: a body whose left arm
# is on the right passes, as far as Ψ goes. So the discriminator is given coordinates beside it.
#
# </details>
#
# **3. What Φ does not see.** Φ is the change of Ψ. A recording is (a) stood still in its first
# frame, (b) turned as a whole, faster and faster, (c) played backwards. What becomes of Φ?
#
# *Predict first:* zero, the same, or another sign?

# %% tags=["hide-cell"]
clip = pose[:50]
turns = rotation_about("z", 0.002 * torch.arange(50.0) ** 2)
ways = {
    "as it is": clip,
    "stood still": clip[:1].expand(50, -1, -1),
    "still, and turned": torch.einsum("tij,kj->tki", turns, clip[0]),
    "backwards": clip.flip(0),
}
phi = temporal_kinematic_chain_space(chain_space(clip))
for name, positions in ways.items():
    other = temporal_kinematic_chain_space(chain_space(positions))
    again = (other.flip(0) + phi).abs().max() if name == "backwards" else other.abs().max()
    print(
        f"{name:18} moves {1000 * metrics.mpjve(positions, 0 * positions):4.1f} mm/frame, "
        f"largest |Φ| {other.abs().max():.4f} m²"
    )
print(f"backwards, in reverse order, added to Φ: {again:.0e}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Φ is zero where only the whole body turns, however fast: it sees changes of shape alone. Backwards
# it has the other sign and the reverse order, and as much of it.
#
# </details>
#
# ## [Multi-scale features](section_multi_scale_features.ipynb)
#
# **4. How fine is a map?** A map has 16 × 16 cells for a square of 2 m. A keypoint is taken to be
# in the middle of the brightest cell. How far off is it, at most and on average? And if a parabola
# is laid through the logarithms of three neighbours?
#
# *Predict first:* half a cell across and down; the logarithm of a Gaussian is a …

# %% tags=["hide-cell"]
from paperlib.occlusion import SimulatedMaps, peaks

generator = torch.Generator().manual_seed(seed)
places = 1.4 * torch.rand(1, 500, 1, 2, generator=generator, dtype=torch.float64) - 0.7
crops = torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64).expand(1, 500, 3)
sure = torch.ones(1, 500, 1, dtype=torch.float64)
maps = SimulatedMaps(size=16).draw(places, sure, crops)
brightest = maps.flatten(-2).argmax(dim=-1)
cells = torch.stack([brightest % 16, brightest // 16], dim=-1)
guesses = {"brightest cell": (cells + 0.5) / 8 - 1, "parabola": peaks(maps, crops)[..., :2]}
for name, found in guesses.items():
    off = 1000 * (found - places).norm(dim=-1)
    print(f"{name:15} mean {off.mean():5.1f} mm, largest {off.max():5.1f} mm")
print(f"by hand: at most {math.hypot(62.5, 62.5):.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# A cell is 125 mm, so that the brightest one is off by up to 88 mm across the corner, and by almost
# 50 mm on average. The logarithm of a Gaussian *is* a parabola, and so the second way is exact.
# Real maps are no Gaussians.
#
# </details>
#
# **5. How sure?** A simulated map is as high as the detector's confidence $c$, and $1 + (1 - c)$
# times as wide. What are height and width for $c = 1$ and $c = 1/2$ (σ = 1 cell)? Does the place of
# the peak tell?
#
# *Predict first:* two heights, two widths.

# %% tags=["hide-cell"]
from paperlib.occlusion import peak_widths

for c in (1.0, 0.5):
    maps = SimulatedMaps(size=16, sigma=1.0, blur=1.0).draw(places, c * sure, crops)
    top = peaks(maps, crops)
    middle = places.abs().amax(dim=-1) < 0.5  # not at the edge of the map
    width = peak_widths(maps)[middle].mean()
    off = 1000 * (top[..., :2] - places).norm(dim=-1).max()
    print(
        f"c = {c}: height {top[..., 2].mean():.2f}, width {width:.2f} cells, place off {off:.0f} mm"
    )

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Half the height, width 1 and 1.5 cells, the same place. (Heights are a little below 1 and 0.5,
# since a peak seldom lies in the middle of a cell.) Whoever is given the places alone does not know
# how sure they are.
#
# </details>
#
# ## [Figure 3](figure3.ipynb): several strides
#
# **6. Span and holes.** A branch has two blocks of kernels of 3 frames, with steps of $s$ and $3s$.
# How many frames does it span, and how many does it read? For $s = 1$, for $s = 7$, and for the
# five strides 1, 2, 3, 5, 7 together?
#
# *Predict first:* the places are $s \cdot k$ with $k = -4 \dots 4$.


# %% tags=["hide-cell"]
def frames_read(strides):
    torch.manual_seed(seed)
    model = MultiStrideTCN(17, 2, 17, strides=strides, channels=16, embedding=16, place=False)
    frames = torch.randn(1, 64, 17, 2, requires_grad=True)
    model.eval()(frames)[0, 31].sum().backward()
    return (frames.grad.abs().sum(dim=(0, 2, 3)) > 0).nonzero().flatten()


for strides in ((1,), (7,), (1, 2, 3, 5, 7)):
    read = frames_read(strides)
    span = int(read.max() - read.min()) + 1
    print(f"strides {strides}: spans {span} frames, reads {len(read)} of them")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 9 of 9, 9 of 57, and together 33 of 57. A branch of stride 7 looks far and reads no more than one
# of stride 1: between its frames are holes that the other branches have to fill.
#
# </details>
#
# **7. Twice as fast.** Every second frame of a recording is dropped. What happens to the speed in
# metres a second, and what to the motion in millimetres a frame?
#
# *Predict first:* two factors. Which of the two does a network see?

# %% tags=["hide-cell"]
from paperlib.evaluation import joint_speed

fast = recording.cut(0, None, 2)
for name, film in {"as filmed": recording, "every second": fast}.items():
    step = 1000 * metrics.mpjve(film.pose, 0 * film.pose)
    print(f"{name:13} {film.fps:.0f} fps: {joint_speed(film).mean():.2f} m/s, {step:.1f} mm/frame")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Metres a second stay (but for what a coarser difference misses), millimetres a frame almost
# double. A network counts frames and knows no seconds: to it the person is twice as fast. It is
# also why *fps* belongs to every MPJVE.
#
# </details>
#
# ## [Table 1](table1.ipynb): dimension, length, strides, interval
#
# **8. What is in a batch?** A step shows 256 frames: as 16 windows of 16, or as 4 windows of 64.
# How much does the mean pose of such a batch scatter from batch to batch?
#
# *Predict first:* if the frames of a window were all the same pose, by what factor would 4 windows
# scatter more than 16?

# %% tags=["hide-cell"]
train = [r.pose for r in experiment.exact.train]
generator = torch.Generator().manual_seed(seed)


def batch_mean(windows, length):
    frames = []
    for number in torch.randint(len(train), (windows,), generator=generator):
        start = torch.randint(len(train[number]) - length + 1, (), generator=generator)
        frames.append(train[number][start : start + length])
    return torch.cat(frames).mean(dim=0)


for windows, length in ((16, 16), (4, 64)):
    means = torch.stack([batch_mean(windows, length) for _ in range(400)])
    scatter = 1000 * means.std(dim=0).square().sum(dim=-1).sqrt().mean()
    print(f"{windows:2} windows of {length}: a joint of the mean pose scatters by {scatter:.0f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Almost the factor 2 of $\sqrt{16 / 4}$: frames of a window are nearly one sample. As many frames
# are not as much to learn from, and in a comparison of lengths the batch has to be said.
#
# </details>
#
# **9. Reading a table.** The paper's table 1 doubles the length of the window four times, from 8 to
# 128. What does each doubling gain in P1 and in P2? Where does it stop?
#
# *Predict first:* will each gain be smaller than the one before?

# %% tags=["hide-cell"]
rows = paper_table("cheng2020_table1").query("varied_parameter == 'temporal_length'")
errors = rows.set_index("temporal_length")[["p1_mpjpe_mm", "p2_p_mpjpe_mm"]]
errors = errors.set_axis(["P1, mm", "P2, mm"], axis=1).rename_axis("frames")
errors.join(-errors.diff().add_suffix(", gained")).round(1)

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 3.3, 2.9, 1.4 and -0.3 mm in P1; in P2 the first doubling gains more, and the last loses as well.
# 64 frames are best in both, by a few tenths, and each row is one training: how far two trainings
# of the same network lie apart, the table does not say.
#
# </details>
#
# ## [Table 2](table2.ipynb): what each part is worth
#
# **10. Two views that agree.** Two cameras film one moment; both poses have the same error. It is
# (a) 10 cm in one direction of the *world*, (b) 10 cm away from *each camera*. What does the
# multi-view loss (squares, summed over the joints) say?
#
# *Predict first:* for (b), the two axes are at an angle $\theta$, and 17 joints count: $17 \cdot
# (0.1 \cdot 2 \sin(\theta / 2))^2$.

# %% tags=["hide-cell"]
from paperlib.losses import multi_view_loss
from paperlib.training.objectives.view_pairs import world_to_camera_rotation

views = [r for r in experiment.exact.test if r.clip == recording.clip][:2]
first, second = (world_to_camera_rotation(view) for view in views)
between = second @ first.T
deeper, world = torch.tensor([0.0, 0.0, 0.1]), torch.tensor([0.0, 0.0, 0.1])
errors = {"none": (0, 0), "of the world": (first @ world, second @ world), "away": (deeper, deeper)}
for name, (one, other) in errors.items():
    poses = [view.pose[None] + error for view, error in zip(views, (one, other), strict=True)]
    print(f"{name:13} {multi_view_loss(*poses, between[None]):.4f} m²")
theta = math.acos(between[2, 2].item())
by_hand = 17 * (0.2 * math.sin(theta / 2)) ** 2
print(f"the axes are {math.degrees(theta):.0f}° apart: by hand {by_hand:.4f} m²")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# An error that both views share in the world costs nothing; one along each line of sight, which is
# the likely one, is seen, and the better the further apart the cameras are. Agreeing is not the
# same as being right.
#
# </details>
#
# **11. What a film tells.** For films only the 2D is known: the loss lays the pose without its
# depth over the keypoints. What does it say of (a) the truth, (b) a flat pose, with all depths 0,
# (c) the pose with its depths turned inside out?
#
# *Predict first:* which of the three are told apart?

# %% tags=["hide-cell"]
from paperlib.losses import orthographic_loss

seen, all_seen = pose[None, ..., :2], torch.ones(1, *pose.shape[:2], dtype=torch.bool)
depths = {"the truth": 1.0, "flat": 0.0, "inside out": -1.0}
for name, factor in depths.items():
    other = pose[None] * torch.tensor([1.0, 1.0, factor])
    off = 1000 * metrics.mpjpe(other[0], pose)
    print(f"{name:11} loss {orthographic_loss(other, seen, all_seen):.6f}, MPJPE {off:5.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# None: the loss is 0 for all three, and says nothing of depth. That films help at all must come
# from elsewhere: from the discriminator, or from what the network knows of poses already.
#
# </details>
#
# ## [Tables 3 and 4](table3_4.ipynb): action by action
#
# **12. Everywhere better?** In the paper's table 3, on how many of the 15 actions is its error
# lower than that of Cheng et al. 2019? Is the printed average that of the actions?
#
# *Predict first:* a guess at the number, from averages of 40.1 and 42.9 mm.

# %% tags=["hide-cell"]
table = paper_table("cheng2020_table3")
pair = table[table["own_model"].eq("yes") | table["method"].eq("Cheng et al.")].set_index("method")
actions = pair.loc[:, "directions":"walking_together"].astype(float)
actions.columns = actions.columns.str.replace("_", " ")
gain = actions.loc["Cheng et al."] - actions.loc["Our result"]
print(f"better on {(gain > 0).sum()} of {len(gain)}, worse on {', '.join(gain[gain < 0].index)}")
print(pd.DataFrame({"mean of actions": actions.mean(axis=1), "printed": pair["average"]}).round(2))

# %% [markdown]
# <details><summary>What it shows</summary>
#
# On 13 of 15; *Purchases* and *WalkDog* are worse. The printed averages are those of the 15
# columns, each of which counts alike.
#
# </details>
#
# **13. Most where most is hidden?** The paper says that what is often occluded gains most: *Photo*
# and *SittingDown*. These also have the largest errors. Compare the gains in millimetres and in per
# cent.
#
# *Predict first:* does *per cent* take the difference away?

# %% tags=["hide-cell"]
share = 100 * gain / actions.loc["Cheng et al."]
columns = {"error of 2019, mm": actions.loc["Cheng et al."], "gain, mm": gain, "gain, %": share}
pd.DataFrame(columns).sort_values("gain, mm", ascending=False).round(1)

# %% [markdown]
# <details><summary>What it shows</summary>
#
# *SittingDown* and *Photo* gain 7.1 and 6.2 mm; in per cent they are still in front, at 12, and
# *Posing*, of which nothing is said, gains as much. Whoever has a larger error has more to gain: a
# claim about occlusion has to take that out first.
#
# </details>
#
# ## [Figures 1 and 6](figure6.ipynb): a body that keeps its shape
#
# **14. Bones that breathe.** Each joint of a pose is off by independent noise of 20 mm along each
# axis. By how much does the length of a bone vary?
#
# *Predict first:* along the bone there are two ends.

# %% tags=["hide-cell"]
generator = torch.Generator().manual_seed(seed)
still = pose[:1].expand(4000, -1, -1)
noisy = still + 0.02 * torch.randn(still.shape, generator=generator)
lengths = 1000 * bone_lengths(noisy, skeleton.parents)
true = 1000 * bone_lengths(pose[:1], skeleton.parents)
spread, mean = lengths.std(dim=0), lengths.mean(dim=0) - true
by_hand = 20 * math.sqrt(2)
print(f"standard deviation {spread.min():.1f} to {spread.max():.1f} mm; {by_hand:.1f} by hand")
print(f"on average too long by {mean.min():.1f} to {mean.max():.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# About $\sqrt 2 \cdot 20$ mm, 28: the noise of both ends, along the bone. Across it the noise makes
# a bone longer, never shorter: short bones are on average several millimetres too long.
#
# </details>
#
# ## [Occlusion augmentation](section_occlusion_augmentation.ipynb)
#
# **15. How much is hidden?** Whole frames are hidden with a probability of 0.1, and single
# keypoints with 0.1 as well. Which share of all keypoints is hidden?
#
# *Predict first:* 0.2, or less?

# %% tags=["hide-cell"]
from paperlib.occlusion import OcclusionMasks

masks = OcclusionMasks(frames=0.1, points=0.1)
windows = torch.ones(200, 64, 17, 3)
hidden = masks.hide(windows, skeleton, torch.Generator().manual_seed(seed))[..., 2] == 0
print(f"{hidden.float().mean():.3f}; by hand {1 - 0.9 * 0.9:.3f}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0.19: some are hidden twice.
#
# </details>
#
# **16. A straight line through a circle.** A hand goes round on a circle of 30 cm, once a second,
# at 50 fps. A gap is bridged by a straight line. How far off is the line in the middle, if its ends
# are 10, 25 and 50 frames apart?
#
# *Predict first:* the line is a chord; in its middle it is $r (1 - \cos(\theta / 2))$ away.

# %% tags=["hide-cell"]
from paperlib.refinement import interpolate

t = torch.arange(100) / 50
hand = 0.3 * torch.stack([torch.cos(2 * torch.pi * t), torch.sin(2 * torch.pi * t), 0 * t], dim=-1)
for apart in (10, 25, 50):
    seen = torch.ones(100, dtype=torch.bool)
    seen[21 : 20 + apart] = False
    off = 1000 * (interpolate(hand[:, None], seen)[:, 0] - hand).norm(dim=-1).max()
    by_hand = 300 * (1 - math.cos(math.pi * apart / 50))
    print(f"{apart:2} frames apart: at most {off:3.0f} mm off, by hand {by_hand:3.0f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 57, 300 and 600 mm (of 25 frames no single one is the middle). At first the error grows with the
# *square* of the gap: a straight line is hard to beat through short gaps, and useless through long
# ones.
#
# </details>
#
# ## [Table 6](table6.ipynb): three of six columns
#
# **17. Could it be chance?** On HumanEva the paper's average is 13.5 mm, against 14.3. In how many
# of the six columns is it the better one? If two equal systems met on six columns, how probable
# would as many be, or more?
#
# *Predict first:* count, then add up the binomial coefficients of 6, divided by 64.

# %% tags=["hide-cell"]
table = paper_table("cheng2020_table6").set_index("method")
columns = table.loc[:, "walking_s1":"jogging_s3"].astype(float)
better = columns.loc["Our result"] < columns.loc["Cheng et al."]
chance = sum(math.comb(6, n) for n in range(better.sum(), 7)) / 64
means = columns.loc[["Cheng et al.", "Our result"]].mean(axis=1).round(1).to_dict()
print(f"better in {better.sum()} of 6; averages {means}; probability by chance {chance:.2f}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# In 3 of 6, which two equal systems reach with a probability of 0.66. The average is lower because
# two of the gains are large. One training each cannot decide it.
#
# </details>
#
# ## Back to the paper
#
# [Table 2](table2.ipynb) measures what each part is worth, and the [ledger](../claims.ipynb) says
# which of the paper's claims hold.
