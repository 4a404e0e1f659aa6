# %% [markdown]
# # Exercises on Pavllo et al. 2019
#
# Two or three for each page of the paper. **Write your prediction down first**, then work it out by
# hand, then open the solution: it computes the same with the package. Nothing is trained, so that
# all of them run in seconds on a laptop, with the embedded data.
#
# Solutions, and what they show, are folded. In JupyterLab a click on the bar of a folded cell opens
# it.

# %% tags=["parameters"]
# Parameters
dataset = "synthetic"  # where the example recording comes from: "synthetic", "cmu", …
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
from paperlib.models import TemporalModel, count_parameters, filter_widths

experiment = Experiment.begin("pavllo2019/exercises", globals())
recording = experiment.exact.test[0]
pose, root, camera = recording.pose, recording.trajectory[:, None], recording.camera
skeleton = recording.skeleton


def build(widths, **options):
    torch.manual_seed(seed)
    return TemporalModel(17, 2, 17, widths, **{"channels": 64} | options).eval()


# %% [markdown]
# ## [Section 3](section3_temporal_convolutions.ipynb): temporal convolutions
#
# **1. How far does it see?** A model has kernels of 3, 5 and 3 frames, and each layer steps by the
# product of the widths below it. How many frames does it read? Add up $1 + \sum_i (w_i - 1)\, d_i$.
#
# *Predict first:* what is $d_3$, and what the sum? And is it the same if the widths come in another
# order?

# %% tags=["hide-cell"]
for widths in ((3, 5, 3), (5, 3, 3), (3, 3, 5)):
    dilations = [math.prod(widths[:layer]) for layer in range(len(widths))]
    by_hand = 1 + sum((w - 1) * d for w, d in zip(widths, dilations, strict=True))
    frames = torch.randn(1, 120, 17, 2, requires_grad=True)
    build(widths)(frames)[0, 0].sum().backward()
    read = int((frames.grad.abs().sum(dim=(0, 2, 3)) > 0).sum())
    print(f"widths {widths}: dilations {dilations}, by hand {by_hand}, read by the network {read}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The sum telescopes: whatever the order, the model reads the *product* of its widths. The gradient
# of one output says the same of the network itself.
#
# </details>
#
# **2. Whom does one frame reach?** A sequence of 100 frames is padded at its ends and goes through
# a model of 27 frames. Now the keypoints of frame 40 change. Which poses change, in the symmetric
# model, and in the causal one?
#
# *Predict first:* two ranges of frames.

# %% tags=["hide-cell"]
from paperlib.windows import network_input, pad_sequence

keypoints = network_input(recording)[:100]
changed = keypoints.clone()
changed[40] += 1
for causal in (False, True):
    model = build(filter_widths(27), causal=causal)
    with torch.no_grad():
        before, after = (model(pad_sequence(k, 27, causal)[None])[0] for k in (keypoints, changed))
    other = (before != after).flatten(1).any(dim=1).nonzero().flatten()
    print(f"causal={causal!s:5}  poses {other.min()} to {other.max()} change: {len(other)} of them")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 27 poses in both. In the symmetric model they lie 13 to either side of frame 40; in the causal one
# they are frame 40 and the 26 that come after it: nothing in the past changes.
#
# </details>
#
# ## [Section 4](section4_semi_supervised.ipynb): semi-supervised training
#
# **3. A giant far away.** Take a person twice as large, twice as far away. How does the projection
# loss change, and how the bone-length loss?
#
# *Predict first:* which of the two losses is zero, and what is the other one, in words?

# %% tags=["hide-cell"]
from paperlib.cameras import screen_intrinsics
from paperlib.kinematics import bone_lengths
from paperlib.losses import bone_length_loss, projection_loss

person = (pose + root)[None]
seen = network_input(recording)[None]
lens = screen_intrinsics(camera)[None]
for name, size in {"the person": 1, "the giant": 2}.items():
    image = projection_loss(size * person, seen, lens)
    bones = bone_length_loss(size * person, person, skeleton.parents)
    print(f"{name:10}  projection {image:.6f}   bone lengths {1000 * bones:.0f} mm")
print(f"mean bone  {1000 * bone_lengths(person, skeleton.parents).mean():.0f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The image of the giant is the same, so that back-projection alone leaves the size open. The
# bone-length term is what objects, by the length of a mean bone: each is too long by its own
# length.
#
# </details>
#
# **4. Why divide by the depth?** The trajectory loss divides the error by the depth of the root
# (equation 1). Move a person sideways by 10 cm, once at 3 m from the camera, once at 6 m. What does
# the loss say, and by how many pixels does the person move in the image? (The focal length is about
# 1,145 pixels; leave the lens out.)
#
# *Predict first:* $1145 \cdot 0.1 / 3$ pixels, and at 6 m? Is the loss a multiple of the pixels?

# %% tags=["hide-cell"]
from paperlib.cameras import project

straight = camera.without_distortion()
for depth in (3.0, 6.0):
    here = torch.tensor([[[0.0, 0.0, depth]]])
    there = here + torch.tensor([0.1, 0.0, 0.0])
    loss = metrics.weighted_mpjpe(there, here, 1 / here[..., 0, 2])
    pixels = (project(there, straight) - project(here, straight)).norm()
    print(
        f"at {depth:.0f} m: loss {loss:.4f}, {pixels:.1f} pixels; {pixels / loss:.0f} pixels each"
    )

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The weight makes an error of metres one of the image: the loss times the focal length is the shift
# in pixels. Twice as far, half of both. So the far, who are hard to place, do not rule the loss.
#
# </details>
#
# **5. Sideways, or away?** Now the whole person moves by 10 cm, once to the side and once away from
# the camera. By how many pixels do the joints move, on average?
#
# *Predict first:* which is larger, and is it about twice as large, five times, or more than ten?

# %% tags=["hide-cell"]
for name, step in {"to the side": (0.1, 0, 0), "away": (0, 0, 0.1)}.items():
    moved = project(pose + root + torch.tensor(step), straight) - project(pose + root, straight)
    print(f"10 cm {name:11}  {moved.norm(dim=-1).mean():5.2f} pixels")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Depth hardly moves the image: a point $a$ metres beside the camera's axis at depth $z$ moves by $f
# a / z^2$ pixels for each metre, and by $f / z$ for each metre to the side. The ratio is $a / z$.
# That is why 2D keypoints tell so little of where a person is along the line of sight.
#
# </details>
#
# ## [Table 1](table1.ipynb): protocols
#
# **6. What does each protocol forgive?** A pose, in millimetres from its root, is (a) shifted by 10
# cm, all joints and the root too, (b) made larger by a tenth, (c) turned by 20° about the vertical,
# (d) mirrored. Which of MPJPE, N-MPJPE (Protocol 3) and P-MPJPE (Protocol 2) are zero?
#
# *Predict first:* four rows, three columns: put a 0 where you expect one.

# %% tags=["hide-cell"]
from paperlib.kinematics import rotation_about

turn = rotation_about("y", torch.tensor(math.radians(20)))
wrong = {
    "shifted by 10 cm": pose + 0.1 / math.sqrt(3),
    "a tenth larger": 1.1 * pose,
    "turned by 20°": pose @ turn.T,
    "mirrored": pose * torch.tensor([-1.0, 1.0, 1.0]),
}
names = {"MPJPE": metrics.mpjpe, "N-MPJPE": metrics.n_mpjpe, "P-MPJPE": metrics.p_mpjpe}
errors = {
    kind: {n: 1000 * f(p, pose).item() for n, f in names.items()} for kind, p in wrong.items()
}
pd.DataFrame(errors).T.round(1).rename_axis("mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Protocol 2 forgives place, size and turn, and never a mirror image, which no rotation makes.
# Protocol 3 forgives the size alone. (Its scale is the best for the squares: the mean distance may
# even rise a little.) A pose that faces the wrong way is wrong in Protocol 1, and right in Protocol
# 2.
#
# </details>
#
# **7. Whose mean?** A model is off by 30 mm in 100 frames of *Sitting*, by 60 mm in 900 frames of
# *Walking*. What is its error?
#
# *Predict first:* two answers, and which of them the papers print.

# %% tags=["hide-cell"]
each, by_action = metrics.pooled([30, 60], frames=[100, 900], groups=["Sitting", "Walking"])
by_frame = (100 * 30 + 900 * 60) / 1000
print(f"over frames {by_frame:.0f} mm; over actions {by_action:.0f} mm, of {each}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 57 mm over frames, 45 mm over actions, which is what the papers print. The same model, the same
# errors: a number without its average says little.
#
# </details>
#
# **8. The joint that is always right.** The pose is relative to the root, and the root is one of
# the 17 joints of the mean. How much lower does that make an MPJPE than over the other 16?
#
# *Predict first:* in per cent, by hand.

# %% tags=["hide-cell"]
guess = pose + 0.05 * torch.randn(pose.shape, generator=torch.Generator().manual_seed(seed))
guess = guess - guess[:, :1]
with_root, without = metrics.mpjpe(guess, pose), metrics.mpjpe(guess[:, 1:], pose[:, 1:])
print(f"{100 * (1 - with_root / without):.2f} % lower; by hand {100 / 17:.2f} %")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# One joint in seventeen is free: 5.88 %. Whether a paper counts it must be known before two numbers
# are compared.
#
# </details>
#
# ## [Table 2](table2.ipynb): velocity
#
# **9. Two ways to be wrong.** One model answers the truth, moved by 50 mm in each frame; another
# steps 5 mm to the right and 5 mm to the left of the truth, in turn. MPJPE and MPJVE of both?
#
# *Predict first:* four numbers.

# %% tags=["hide-cell"]
side = torch.tensor([1.0, 0.0, 0.0])
sign = (-1.0) ** torch.arange(len(pose))[:, None, None]
for name, off in {"moved": 0.05 * side, "trembling": 0.005 * sign * side}.items():
    error, velocity = (1000 * f(pose + off, pose) for f in (metrics.mpjpe, metrics.mpjve))
    print(f"{name:9}  MPJPE {error:5.1f} mm   MPJVE {velocity:5.1f} mm/frame")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 50 mm and 0 mm/frame against 5 mm and 10 mm/frame. Neither metric can stand for the other: what
# trembles to the eye may well be the more exact.
#
# </details>
#
# **10. What a filter does to noise.** Noise that is new in each frame lies on the truth, and a mean
# of 9 frames is taken. By what factor does the error of the position fall, by what that of the
# velocity? (Independent noise: the mean of $k$ has a $\sqrt k$-th of it. Two neighbouring means
# share all but two frames.)
#
# *Predict first:* two factors.

# %% tags=["hide-cell"]
from paperlib.refinement import savitzky_golay

noise = 0.02 * torch.randn(5000, 17, 3, generator=torch.Generator().manual_seed(seed))
still = torch.zeros_like(noise)
mean = savitzky_golay(noise, window=9, order=0)  # order 0: a plain mean
for name, metric in {"position": metrics.mpjpe, "velocity": metrics.mpjve}.items():
    print(f"error of the {name} falls by {metric(noise, still) / metric(mean, still):.2f}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# By 3 and by 9: the mean of nine frames differs from the next one by $(n_{t+9} - n_t) / 9$. So any
# filter lowers the velocity error of independent noise far more than the position's. In table 2 it
# must be asked how much of a gain is that.
#
# </details>
#
# ## [Table 3](table3.ipynb): what the detector decides
#
# **11. Pixels to millimetres.** A keypoint is off by 5 pixels; the person is 5 m away, the focal
# length is 1,145 pixels. How far off is the joint, if its depth is known?
#
# *Predict first:* in millimetres. And at 10 m?

# %% tags=["hide-cell"]
from paperlib.cameras import unproject

middle = torch.tensor(camera.centre)
for depth in (5.0, 10.0):
    z = torch.tensor(depth)
    places = [unproject(middle + torch.tensor([dx, 0.0]), z, straight) for dx in (0.0, 5.0)]
    print(f"at {depth:4.0f} m: {1000 * (places[1] - places[0]).norm():.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# $5 \cdot 5 / 1145$ m, 22 mm, and twice that at twice the distance. A detector's error in pixels
# means nothing before one knows how large people are in the image.
#
# </details>
#
# **12. The error goes into the depth.** A forearm of 250 mm is tilted out of the image plane by an
# angle. Its length in the image is measured 5 mm too short, and the depth of the wrist is worked
# out by Pythagoras. How wrong is that depth at 60°, 30° and 10°?
#
# *Predict first:* with $l = L \cos\theta$ and $d = \sqrt{L^2 - l^2}$, what is $\partial d /
# \partial l$? Where does it explode?

# %% tags=["hide-cell"]
for degrees in (60, 30, 10):
    angle = math.radians(degrees)
    length, depth = 250 * math.cos(angle), 250 * math.sin(angle)
    found = math.sqrt(250**2 - (length - 5) ** 2)
    slope = 5 / math.tan(angle)
    print(
        f"{degrees:3}°: depth {depth:5.1f} mm, found {found:5.1f}: {found - depth:4.1f} mm off, "
        f"by the slope {slope:4.1f}"
    )

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The slope is $1 / \tan\theta$: 5 mm in the image become 3, 8 and 22 mm in depth (28 by the slope,
# which is steepest just there). What lies almost in the image plane has the worst depth. And the
# sign of the depth is not in the image at all.
#
# </details>
#
# ## [Table 4](table4.ipynb): a small data set
#
# **13. How much does the alignment take?** P-MPJPE fits a place, a turn and a size: 7 numbers. Take
# *random* points for a pose of 2, 3, 5, 15 and 17 joints and align them to the truth. Where is the
# error zero?
#
# *Predict first:* for which numbers of joints? And how much of the error of random points is left
# at 15, the joints of HumanEva?

# %% tags=["hide-cell"]
generator = torch.Generator().manual_seed(seed)
for joints in (2, 3, 5, 15, 17):
    truth, other = (torch.randn(2000, joints, 3, generator=generator).double() for _ in range(2))
    before, after = metrics.mpjpe(other, truth), metrics.p_mpjpe(other, truth)
    print(f"{joints:2} joints: {100 * after / before:3.0f} % of the error is left")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Two joints can always be laid onto two others. From three on something is left, and with more
# joints more; but even at 15 the alignment makes random points look better by a third. P-MPJPE is
# always to be read beside MPJPE.
#
# </details>
#
# **14. Who learns for longer?** Three actions have 900 windows each; a batch holds 128 and training
# takes 10 epochs. One model learns all three, or three models one each. How many steps does *each
# model* take?
#
# *Predict first:* two numbers of steps; the last batch of an epoch may be smaller.

# %% tags=["hide-cell"]
from paperlib.training import Recipe

recipe = Recipe.pavllo2019_humaneva("paper")
one, three = recipe.steps(900), recipe.steps(2700)
print(f"batches of {recipe.batch_size}: alone {10 * one} steps, together {10 * three} steps")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 80 against 220: with equal epochs the model of all actions takes almost three times as many steps.
# Whether it is better for what it saw or for how long it learnt is why table 4 trains each
# single-action model twice.
#
# </details>
#
# ## [Table 5](table5.ipynb): what a frame costs
#
# **15. Half as wide.** Halve the channels of the 243-frame model, from 1,024 to 512. By what factor
# do its parameters fall?
#
# *Predict first:* exactly 4, a little less, or a little more?

# %% tags=["hide-cell"]
with torch.device("meta"):  # counting needs no memory
    sizes = {c: count_parameters(build(filter_widths(243), channels=c)) for c in (1024, 512)}
print(f"{sizes[1024]:,} and {sizes[512]:,}: a factor of {sizes[1024] / sizes[512]:.3f}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# A little less than 4. The kernels between the layers go with the square of the width; the first
# and the last layer and the norms with the width itself.
#
# </details>
#
# **16. Without dilation.** In the dense model a kernel spans its frames without holes: the blocks
# of 27 frames have widths 7 and 19. What width does the third block of an 81-frame model need, and
# how many parameters has that model?
#
# *Predict first:* the width (the pattern is $2 \cdot 3^b + 1$), and millions of parameters: a
# weight is one of $1024^2$.

# %% tags=["hide-cell"]
with torch.device("meta"):
    for frames in (27, 81):
        widths = filter_widths(frames)
        dense, holes = (
            count_parameters(build(widths, channels=1024, dense=d)) for d in (True, False)
        )
        print(f"{frames} frames: dense {dense / 1e6:6.2f} M, dilated {holes / 1e6:5.2f} M")
print(f"third block alone, width {2 * 27 + 1}: {(2 * 27 + 1) * 1024**2 / 1e6:.1f} M")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The width is 55, and that block alone has 58 million weights. Dense, the model triples with each
# block; dilated, each block adds the same 4.2 million.
#
# </details>
#
# ## [Figure 5](figure5.ipynb): few labels
#
# **17. One piece, or every tenth frame?** A tenth of the labels are kept as one piece in a row, as
# in the reference implementation. Compare it with every tenth frame: how far apart are two labelled
# poses, on average?
#
# *Predict first:* which set of poses is more varied, and by about what factor?

# %% tags=["hide-cell"]
from itertools import combinations

from paperlib.training import split_labels

data = experiment.exact
labelled, _ = split_labels(data, [data.train[0].subject], fraction=0.1)
kept, whole = labelled.train[0], data.train[0]
for name, poses in {"one piece": kept.pose, "every tenth": whole.cut(0, None, 10).pose}.items():
    pairs = [metrics.mpjpe(a, b) for a, b in combinations(poses, 2)]
    apart = 1000 * torch.stack(pairs).mean()
    print(f"{name:11} {len(poses)} frames, two poses are {apart:.0f} mm apart")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# As many labels, and the piece in a row is much less varied: neighbouring frames are nearly the
# same pose. *10 % of the labels* is less than a tenth of what a data set shows.
#
# </details>
#
# **18. A mean hides people.** The bone-length term compares the *mean* lengths of two batches. Give
# it one person a tenth too large and one a tenth too small. What is the loss?
#
# *Predict first:* as a share of a mean bone.

# %% tags=["hide-cell"]
two = torch.cat([1.1 * person, 0.9 * person])
loss = bone_length_loss(two, torch.cat([person, person]), skeleton.parents)
each = bone_length_loss(1.1 * person, person, skeleton.parents)
print(f"both together {1000 * loss:.1f} mm, the larger one alone {1000 * each:.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0, though both are wrong. The term holds the mean of a batch, never a single person: it lets
# bodies differ, and it cannot mend them.
#
# </details>
#
# ## [Appendix](appendix.ipynb): flips and momentum
#
# **19. What does the flip remove?** A model is always 20 mm too far to the right, 20 mm too low and
# 20 mm too far away. Its answer is averaged with that for the mirrored keypoints, mirrored back.
# Which of the three errors are left?
#
# *Predict first:* three numbers, in millimetres.

# %% tags=["hide-cell"]
from paperlib.windows import mirror

bias = torch.tensor([0.02, 0.02, 0.02])
answer, flipped = pose + bias, mirror(mirror(pose, skeleton) + bias, skeleton)
left = ((answer + flipped) / 2 - pose).mean(dim=(0, 1))
for axis, value in zip(("right", "down", "away"), left, strict=True):
    print(f"{axis:6} {1000 * value:5.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Only the error to the right goes: it changes its sign in the mirror, and the other two do not. So
# test-time flips mend what is one-sided, and nothing else.
#
# </details>
#
# **20. How long is the memory of a batch norm?** Its momentum $m$ is the weight of the newest
# batch. It falls from 0.1 to 0.001 over 80 epochs, by the same factor in each. What is it after 40,
# and after how many batches has an old one half its weight?
#
# *Predict first:* $m$ in the middle of the fall; then $(1 - m)^n = 1/2$ at both ends.

# %% tags=["hide-cell"]
recipe = Recipe.pavllo2019("paper")
for epoch in (0, 40, 80):
    m = recipe.momentum(epoch)
    half = math.log(0.5) / math.log(1 - m)
    print(f"epoch {epoch:2}: momentum {m:.3f}, half forgotten in {half:.0f} batches")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0.01, the geometric mean; 7 batches at the beginning, 69 in the middle, 693 at the end. The
# statistics follow the weights quickly while these move, and settle later.
#
# </details>
#
# ## [Other joints](other_joints.ipynb): COCO in, Human3.6M out
#
# **21. Who stays in the mirror?** Mirroring exchanges left and right. How many of Human3.6M's 17
# joints keep their place in the list, how many of COCO's 17, and what happens to the bones?
#
# *Predict first:* two numbers; and does each bone become a bone?

# %% tags=["hide-cell"]
from paperlib.skeletons import COCO_17, H36M_17

for joints in (H36M_17, COCO_17):
    order = joints.mirrored
    stay = [joints.joints[j] for j, other in enumerate(order) if j == other]
    bones = {frozenset(bone) for bone in joints.bones}
    same = {frozenset(order[j] for j in bone) for bone in bones} == bones
    print(f"{len(stay)} of {len(joints)} stay: {', '.join(stay)}; bones become bones: {same}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Five of Human3.6M's (the line from pelvis to head) and of COCO's only the nose. Who mirrors the
# coordinates and forgets the exchange has a person with the left arm on the right.
#
# </details>
#
# **22. What do two hips make?** COCO has no pelvis; a hand-made map takes the mean of the hips. One
# hip is detected 12 pixels too far to the right, the other 4 to the left. Where is the pelvis?
#
# *Predict first:* off by how much? And what if both errors are independent, with a standard
# deviation of 8 pixels each?

# %% tags=["hide-cell"]
hips = torch.tensor([[12.0, 0.0], [-4.0, 0.0]])
noise = 8 * torch.randn(100_000, 2, generator=torch.Generator().manual_seed(seed))
print(f"this one: {hips.mean(dim=0)[0]:.0f} pixels to the right")
print(f"independent: a standard deviation of {noise.mean(dim=1).std():.1f} pixels, 8 / √2 by hand")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 4 pixels, and 5.7 in the long run. A joint made of two is steadier than either. A network that
# learnt on such keypoints has learnt another noise than one that meets a detected pelvis.
#
# </details>
#
# ## [Streaming](streaming.ipynb) and [figure 1](figure1.ipynb)
#
# **23. How late?** A symmetric model of 243 frames runs on a camera of 50 frames a second. How late
# do its poses come, and those of the causal model?
#
# *Predict first:* in seconds.

# %% tags=["hide-cell"]
from paperlib.models import Streaming

for causal in (False, True):
    late = Streaming(build(filter_widths(243), channels=4, causal=causal)).delay
    print(f"causal={causal!s:5}  {late} frames, {late / 50:.2f} s")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 121 frames, 2.42 s, and none at all: the price of looking ahead.
#
# </details>
#
# **24. When is the beginning forgotten?** A causal stream of 27 frames begins in the middle of a
# recording. It fills the past that it lacks with its first frame. For how many frames do its poses
# differ from those of a stream that has run from the start?
#
# *Predict first:* 13, 26, 27 or for ever?

# %% tags=["hide-cell"]
model = build(filter_widths(27), causal=True)
late, always = Streaming(model), Streaming(model)
differ = []
for t, frame in enumerate(torch.randn(100, 17, 2)):
    there = always.step(frame)
    if t >= 40 and (late.step(frame) - there).abs().max() > 1e-5:
        differ.append(t - 40)
print(f"{len(differ)} frames differ, {differ[0]} to {differ[-1]} after the start")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 26, number 0 to 25 after the start. From then on all of the 27 frames that are read have been
# seen. Such a network forgets completely, and one knows when.
#
# </details>
#
# ## Back to the paper
#
# [Section 3](section3_temporal_convolutions.ipynb) draws the model, [table 1](table1.ipynb)
# measures it, and the [ledger](../claims.ipynb) says which of the paper's claims hold.
