# %% [markdown]
# # Exercises on Véges & Lőrincz 2020
#
# One to three for most pages of the paper. **Write your prediction down first**, then work it out
# by hand, then open the solution: it computes the same with the package. Nothing is trained, so
# that all of them run in seconds on a laptop, with the embedded data.
#
# Solutions, and what they show, are folded. In JupyterLab a click on the bar of a folded cell opens
# it.

# %% tags=["parameters"]
# Parameters
dataset = "synthetic"  # where the example recordings come from: "synthetic", "cmu", …
preset = "smoke"  # nothing is trained here; "smoke" loads a small piece of the data
seed = 0  # of made-up noise
device = "auto"  # needed by no cell: nothing here is large
retrain = False  # nothing is trained here

# %%
import math

import torch

from paperlib import metrics
from paperlib.cameras import Camera, project
from paperlib.experiment import Experiment
from paperlib.refinement import PAPER, interpolate, refine

experiment = Experiment.begin("veges2020/exercises", globals())
recording = experiment.exact.test[0]
pose, root, camera = recording.pose, recording.trajectory[:, None], recording.camera
skeleton = recording.skeleton


def track(x):
    """Positions (T, 2, 3) of two joints, 20 cm apart, that are at x, 4 m from the camera."""
    places = torch.stack([x, 0 * x, 0 * x + 4], dim=-1).double()
    return torch.stack([places, places + torch.tensor([0, 0.2, 0])], dim=1)


# %% [markdown]
# ## [Section 3.1](section3_1_temporal_posenet.ipynb): the Temporal PoseNet
#
# **1. Wrong by a share.** The network answers log Z for the depth of the root. It is off by 0.05.
# How many centimetres are that at 2 m, and at 8 m?
#
# *Predict first:* $Z (e^{0.05} - 1)$.

# %% tags=["hide-cell"]
from paperlib.models.temporal_posenet import absolute

for depth in (2.0, 8.0):
    answer = torch.tensor([[0.0, 0.0, math.log(depth) + 0.05]])
    found = absolute(answer, root=0)[0, 2].item()
    print(f"at {depth:.0f} m: {100 * (found - depth):.1f} cm, {100 * (found / depth - 1):.1f} %")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 10 and 41 cm: the same share of the distance. An error of the logarithm treats the near and the
# far alike, as the image does, where a person's size shrinks by shares.
#
# </details>
#
# **2. One person, two lenses.** A wide and a long lens (focal lengths of 500 and 1,000 pixels,
# images of 1,000 pixels) see the same point, 0.5 m beside the axis at 4 m. What are its coordinates
# for the Temporal PoseNet, $(u - c) / f$, and what are they from −1 to 1 across the image?
#
# *Predict first:* which of the two ways gives the same number twice?

# %% tags=["hide-cell"]
from paperlib.cameras import inverse_calibration, normalize_screen_coordinates

point = torch.tensor([0.5, 0.0, 4.0])
for focal in (500.0, 1000.0):
    lens = Camera("lens", 1000, 1000, (focal, focal), (500.0, 500.0))
    pixels = project(point, lens)
    angle, screen = (
        inverse_calibration(pixels, lens),
        normalize_screen_coordinates(pixels, 1000, 1000),
    )
    print(
        f"focal length {focal:.0f}: (u - c) / f = {angle[0]:.4f}, across the image {screen[0]:.4f}"
    )

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0.125 twice, $0.5 / 4$: an angle. Across the image 0.125 and 0.25: who learns with one lens from
# such numbers is wrong with another.
#
# </details>
#
# **3. Further away by dividing.** Zoom augmentation moves a person away by a factor, in 2D by
# dividing the keypoints' distances from the hip by 1.2. Is that the picture of the same person 1.2
# times as far away?
#
# *Predict first:* exactly, or nearly? What is left out?

# %% tags=["hide-cell"]
away = project(pose + 1.2 * root, camera.without_distortion())
here = project(pose + root, camera.without_distortion())
divided = here[:, :1] + (here - here[:, :1]) / 1.2
moved = (away - here).norm(dim=-1).mean()
off = (divided - away).norm(dim=-1)
print(f"the zoom moves keypoints by {moved:.1f} pixels")
print(f"divided, they are {off.mean():.2f} pixels off, {off.max():.2f} at most")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Nearly: off by a small part of what it moves. Within the body some joints are nearer than the hip
# and some further, and they shrink by other factors; the division takes all for as far as the hip.
#
# </details>
#
# ## [Section 3.2](section3_2_pose_refinement.ipynb): the energy
#
# **4. One wrong frame.** A person stands still and is always seen; in a single frame the network is
# off by 30 cm. Data term $(p - \hat p)^2$, short step with a weight of 1. If the neighbouring
# frames could not move, where would the minimum be? And since they can?
#
# *Predict first:* minimise $(p - 0.3)^2 + 2 p^2$. With all frames free it is $0.3 / \sqrt{1 + 4
# w}$.

# %% tags=["hide-cell"]
said = torch.zeros(101, dtype=torch.float64)
said[50] = 0.3
refined = refine(track(said), torch.ones(101))
print(
    f"neighbours held: {100 * 0.3 / 3:.1f} cm; all free, by hand: {100 * 0.3 / math.sqrt(5):.1f} cm"
)
print(f"refined: {100 * refined[50, 0, 0]:.1f} cm, its neighbour {100 * refined[51, 0, 0]:.1f} cm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 10 cm, and 13.4 cm because the neighbours come along. So the energy smooths visible frames as
# well; that is its short step.
#
# </details>
#
# **5. A larger error, a smaller trace.** The squared error of a coordinate counts at most 1 m² (the
# cap). The single wrong frame is off by 1 m, then by 2 m. Where is the refined one?
#
# *Predict first:* following an error $a$ costs $a^2 (1 - 1 / \sqrt 5)$ at best, ignoring it costs
# the cap. Where do they meet?

# %% tags=["hide-cell"]
for jump in (1.0, 2.0):
    said = torch.zeros(101, dtype=torch.float64)
    said[50] = jump
    left = refine(track(said), torch.ones(101))[50, 0, 0]
    cost = jump**2 * (1 - 1 / math.sqrt(5))
    print(f"{jump} m off: following costs {cost:.2f}; refined to {100 * left:4.1f} cm")
print(f"they meet at {1 / math.sqrt(1 - 1 / math.sqrt(5)):.2f} m")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# An error of 1 m leaves 45 cm, one of 2 m nothing. The cap makes the fit robust: beyond 1.34 m it
# is cheaper to take the frame for a mistake.
#
# </details>
#
# **6. Hidden while walking.** Somebody walks sideways at 1 m/s, 25 fps, and is hidden for 25
# frames, in which the network's answer stays where it was. How far off are, in the gap, the
# network, a straight line, the refinement, and the refinement without its long step (which pulls
# every hidden frame to where the person was 20 frames before)?
#
# *Predict first:* the network at the end of the gap; then bring the four into an order.

# %% tags=["hide-cell"]
x = torch.arange(150, dtype=torch.float64) / 25
seen = torch.ones(150, dtype=torch.bool)
seen[60:85] = False
said = torch.where(seen, x, x[60])
answers = {"network": track(said), "straight line": interpolate(track(said), seen)}
answers["refinement"] = refine(track(said), seen.double())
answers["no long step"] = refine(track(said), seen.double(), PAPER.but(root_long=0, pose_long=0))
for name, answer in answers.items():
    off = 100 * (answer - track(x)).norm(dim=-1)[~seen]
    print(f"{name:14} mean {off.mean():5.1f} cm, largest {off.max():5.1f} cm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The straight line is the truth here, and the refinement without its long step finds it. With the
# long step it is 61 cm off, further than the network that stands still (48 cm): each hidden frame
# is asked to be where the person was 20 frames before, and who walks at 1 m/s is 80 cm further by
# then. The energy likes people who stand; what the refinement gains elsewhere it does not gain on
# these.
#
# </details>
#
# ## [Section 4.1](section4_1_muco_temp.ipynb): who hides whom
#
# **7. Behind somebody.** One person stands before the camera, another one, in the same pose, twice
# as far away on the same line of sight; then 25 cm, 50 cm and 1 m to the side. How much of the far
# one is hidden?
#
# *Predict first:* four shares. (Bodies are thin; the far one is half as large in the image.)

# %% tags=["hide-cell"]
from paperlib.rendering import render

near = pose[:1] + root[:1]
for aside in (0.0, 0.25, 0.5, 1.0):
    far = pose[:1] + 2 * root[:1] + torch.tensor([aside, 0.0, 0.0])
    image = render(torch.stack([near, far]), skeleton, camera, width=1000)
    print(f"{100 * aside:3.0f} cm aside: {100 * image.hidden_share[1, 0]:3.0f} % hidden")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 91 % right behind, 84 % at 25 cm, 18 % at half a metre, and nothing at a metre. Somebody who walks
# by is out of sight for a short time only: the gap that has to be bridged.
#
# </details>
#
# ## [Table 1](table1.ipynb): 3D-PCK
#
# **8. Four joints.** Four joints are off by 100, 140, 160 and 200 mm. What is the 3D-PCK at 150 mm,
# and what the AUC over 0, 5, …, 150 mm?
#
# *Predict first:* for how many of the 31 thresholds is each joint close enough?

# %% tags=["hide-cell"]
off = torch.zeros(4, 3, dtype=torch.float64)
off[:, 0] = torch.tensor([0.100, 0.140, 0.160, 0.200])
truth = torch.zeros_like(off)
print(f"PCK {100 * metrics.pck3d(off, truth):.1f} %, AUC {100 * metrics.auc3d(off, truth):.1f} %")
print(f"by hand: AUC {100 * (10 + 2) / 31 / 4:.1f} %")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 50 %, and $(10 + 2) / 31 / 4$, 9.7 %: the AUC asks for much more than the PCK.
#
# </details>
#
# **9. Which is better?** One system is off by 140 mm in every joint; another is exact in half of
# them and off by 160 mm in the others. PCK and MPJPE of both?
#
# *Predict first:* do the two metrics agree?

# %% tags=["hide-cell"]
errors = {"all 140 mm": torch.full((10,), 0.14), "half exact": torch.tensor([0.0, 0.16]).repeat(5)}
for name, size in errors.items():
    off = torch.stack([size, 0 * size, 0 * size], dim=-1)
    pck, mean = metrics.pck3d(off, 0 * off), metrics.mpjpe(off, 0 * off)
    print(f"{name:11} PCK {100 * pck:3.0f} %, MPJPE {1000 * mean:3.0f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 100 % and 140 mm against 50 % and 80 mm: they disagree completely. A threshold forgives whatever
# lies below it.
#
# </details>
#
# ## [Table 2](table2.ipynb): filters and bridges
#
# **10. The price of a causal filter.** The 1-Euro filter is a low-pass at 1 Hz here: its time
# constant is $\tau = 1 / 2 \pi f$. By how much is it behind somebody who walks at 1 m/s?
#
# *Predict first:* seconds, and millimetres.

# %% tags=["hide-cell"]
from paperlib.refinement import one_euro

behind = (track(x) - one_euro(track(x), fps=25, min_cutoff=1.0, beta=0.0))[-1, 0, 0]
print(f"{1000 * behind:.0f} mm behind; by hand {1000 / (2 * math.pi):.0f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 159 mm, 0.16 s: a filter that looks only back is late. On the *location* of people who walk that
# can cost more than the trembling which it takes away.
#
# </details>
#
# **11. A jump through a filter.** Somebody is in the air: a parabola, $g / 2 \cdot t^2$, at 25 fps.
# What does a mean of 9 frames do to it, and a Savitzky-Golay filter of order 2?
#
# *Predict first:* the mean of $k^2$ for $k = -4 \dots 4$ is $60 / 9$; times $9.81 / 2 / 25^2$.

# %% tags=["hide-cell"]
from paperlib.refinement import savitzky_golay

fall = track(9.81 / 2 * (torch.arange(40, dtype=torch.float64) / 25) ** 2)
for order in (0, 2):
    off = (savitzky_golay(fall, window=9, order=order) - fall)[20, 0, 0]
    print(f"order {order}: {1000 * off:.1f} mm off")
print(f"by hand {1000 * 9.81 / 2 / 625 * 60 / 9:.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The mean is off by 52 mm all the way through the jump; the fitted parabola is exact. A filter
# costs what the motion has beyond its polynomial.
#
# </details>
#
# ## [Table 3](table3.ipynb): means that a few frames rule
#
# **12. One frame in a hundred.** A person 4 m away is found exactly in 99 frames and is 10 m off in
# one. MRPE? And the median?
#
# *Predict first:* two numbers.

# %% tags=["hide-cell"]
truth = torch.tensor([0.0, 0.0, 4.0]).repeat(100, 1)
found = truth.clone()
found[50, 2] += 10
each = metrics.mrpe(found[:, None], truth[:, None], reduction="none")
print(f"MRPE {1000 * each.mean():.0f} mm, median {1000 * each.median():.0f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 100 mm, and 0. A mean of locations can be the story of a few lost people; look at the median, or
# at the visible poses, too.
#
# </details>
#
# **13. One scale for all.** N-MRPE first multiplies the whole video by its best scale (least
# squares). The same person: exact in 99 frames at 4 m, and at 40 m in one. What is the scale, and
# is N-MRPE lower than MRPE?
#
# *Predict first:* $s = \sum p \cdot t / \sum p^2$.

# %% tags=["hide-cell"]
found[50, 2] = 40.0
scale = (found * truth).sum() / found.square().sum()
by_hand = (99 * 16 + 4 * 40) / (99 * 16 + 40 * 40)
print(f"scale {scale:.3f}, by hand {by_hand:.3f}")
for name, metric in {"MRPE": metrics.mrpe, "N-MRPE": metrics.n_mrpe}.items():
    print(f"{name:7} {1000 * metric(found[:, None], truth[:, None]):.0f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0.548: one wild frame halves all the others, and the *normalised* error is five times the plain
# one. A least-squares scale follows outliers.
#
# </details>
#
# ## [Figure 3](figure3.ipynb): a jump is no step backwards
#
# **14. Reading depth off the floor.** A level camera stands 1.5 m high, its focal length is 1,145
# pixels. Where in the image are the feet of somebody 4 m and 8 m away? The one at 4 m jumps 30 cm
# high. At which distance does he seem to stand, for who takes the feet to be on the floor?
#
# *Predict first:* rows below the middle: $1145 \cdot 1.5 / z$; then backwards.

# %% tags=["hide-cell"]
level = Camera("level", 1000, 1000, (1145.0, 1145.0), (500.0, 500.0))
feet = {"at 4 m": [0.0, 1.5, 4.0], "at 8 m": [0.0, 1.5, 8.0], "jumping at 4 m": [0.0, 1.2, 4.0]}
for name, place in feet.items():
    row = project(torch.tensor(place), level)[1] - 500
    print(f"{name:15} {row:.0f} rows below the middle, as of feet at {1145 * 1.5 / row:.1f} m")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 429, 215 and 344 rows: a jump of 30 cm looks like a step of a metre backwards. A network that has
# only met people on floors can learn that short cut; the size of the person is what speaks against
# it.
#
# </details>
#
# ## Back to the paper
#
# [Table 2](table2.ipynb) compares the ways through an occlusion, and the [ledger](../claims.ipynb)
# says which of the paper's claims hold.
