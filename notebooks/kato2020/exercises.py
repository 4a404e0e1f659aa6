# %% [markdown]
# # Exercises on Kato et al. 2020
#
# Two or three for each part of the paper. **Write your prediction down first**, then work it out by
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
from dataclasses import replace

import torch

from paperlib import metrics
from paperlib.cameras import project
from paperlib.experiment import Experiment
from paperlib.results import paper_table

experiment = Experiment.begin("kato2020/exercises", globals())
recording = experiment.exact.test[0]
pose, root, camera = recording.pose, recording.trajectory[:, None], recording.camera

# %% [markdown]
# ## The first stage: integral regression
#
# **1. How fine is a bin?** The depth of a joint is one of 72 bins over 1,500 mm. Take the middle of
# the bin it falls into: how far off at most, and on average over all depths? And what if the two
# nearest bins share the probability, by their nearness, and the expected value is taken?
#
# *Predict first:* half a bin, a quarter of a bin, and …

# %% tags=["hide-cell"]
from paperlib.models.integral import centres, expectation

middles = centres(72, torch.zeros(1, dtype=torch.float64))
depths = torch.linspace(-0.49, 0.49, 9973, dtype=torch.float64)
nearest = middles[(depths[:, None] - middles).abs().argmin(dim=1)]
between = (1 - 72 * (depths[:, None] - middles).abs()).clamp(min=0)  # the two bins about it
print(f"a bin is {1500 / 72:.1f} mm")
for name, found in {"one bin": nearest, "two bins": expectation([between])[:, 0]}.items():
    off = 1500 * (found - depths).abs()
    print(f"{name:9} mean {off.mean():.1f} mm, largest {off.max():.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 10.4 mm at most and 5.2 on average; with two bins none. The expected value is not bound to the
# bins. That is why a coarse volume can give fine joints, and why it can be differentiated.
#
# </details>
#
# **2. Two peaks.** A network hesitates: with 60 % the wrist is 300 mm in front of the root, with
# 40 % 300 mm behind it. What does the highest bin say, and what the expected value? Which of them
# has the smaller *mean* distance from the truth, if the network is right in its doubt?
#
# *Predict first:* the expected value in millimetres; then two means.

# %% tags=["hide-cell"]
share = torch.zeros(72, dtype=torch.float64)
front, behind = ((middles - at / 1500).abs().argmin() for at in (-300, 300))
share[front], share[behind] = 0.6, 0.4
answers = {"highest bin": middles[share.argmax()], "expected value": expectation([share])[0]}
for name, answer in answers.items():
    off = 1500 * (share * (middles - answer).abs()).sum()
    square = 1500 * (share * (middles - answer).square()).sum().sqrt()
    print(
        f"{name:15} {1500 * answer:7.1f} mm: mean distance {off:.0f} mm, of squares {square:.0f} mm"
    )

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The expected value lies between the two, where the wrist certainly is not. For the mean distance
# the highest bin is better (242 against 290 mm), for squares the expected value is. A centroid is a
# good answer where there is one peak.
#
# </details>
#
# **3. Pulled to the middle.** Softmax leaves a little everywhere. A joint lies at a quarter of the
# volume's width to the right; 90 % of the probability is there and 10 % is spread over all bins.
# Where is the expected value?
#
# *Predict first:* the mean of an even spread is the middle of the volume.

# %% tags=["hide-cell"]
share = torch.full((72,), 0.1 / 72, dtype=torch.float64)
share[int(0.75 * 72)] += 0.9
found, true = expectation([share])[0].item(), middles[int(0.75 * 72)].item()
print(f"true {1500 * true:.0f} mm, expected value {1500 * found:.0f} mm: {found / true:.2f} of it")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0.9 of the way: doubt draws joints towards the middle of the volume, the further out the more. A
# network has to learn to answer against that.
#
# </details>
#
# **4. How large is a volume?** Heat maps of 64 × 64 cells and 72 depths for 17 joints. How many
# numbers are that for one image? How many would the three marginals need?
#
# *Predict first:* in millions, and in thousands.

# %% tags=["hide-cell"]
from paperlib.models.integral import marginals

volume = torch.randn(1, 17, 72, 64, 64, generator=torch.Generator().manual_seed(seed))
parts = marginals(volume)
whole = volume.float().flatten(2).softmax(dim=-1).view(volume.shape)
z = (whole.sum(dim=(3, 4)) * centres(72, whole)).sum(dim=-1)
print(f"volume {volume.numel():,}, marginals {sum(p.numel() for p in parts):,}")
print(f"depth by both ways differs by {(expectation(parts)[..., 2] - z).abs().max():.0e}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 5.0 million against 3,400: the place needs only the marginals, but the network has to make the
# whole volume first, because the softmax goes over all of it.
#
# </details>
#
# ## Depths, and where they are measured from
#
# **5. Twice as far, twice as large.** A person is made twice as large and put twice as far away.
# What changes in the image, and what in the depths about the root?
#
# *Predict first:* pixels, and a factor.

# %% tags=["hide-cell"]
near, far = pose + root, 2 * (pose + root)
pixels = (project(far, camera) - project(near, camera)).norm(dim=-1).max()
depths = [p[..., 2] - p[:, :1, 2] for p in (near, far)]
print(
    f"the image changes by {pixels:.4f} pixels, the depths by a factor of "
    f"{(depths[1] / depths[0].where(depths[0] != 0, torch.nan)).nanmedian():.2f}"
)

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The image stays, the depths double. A network that finds metres in an image goes by what it knows
# of people: a child nearby and an adult further off have the same image.
#
# </details>
#
# **6. What the root's depth is worth.** Keypoints and depths about the root are exact; the depth of
# the root is taken to be a tenth too large. What is the MPJPE of the pose, and what of it is left
# after the best scale?
#
# *Predict first:* what lies across the line of sight grows by a tenth; what lies along it does not.

# %% tags=["hide-cell"]
from paperlib.prediction import to_camera_space

seen = replace(recording, depths=pose[..., 2])
exact = to_camera_space(seen)
rays = exact / exact[..., 2:]
further = rays * (1.1 * root[..., 2:] + pose[..., 2:])
wrong = further - further[:, :1]
across, along = (1000 * (wrong - pose)[..., axes].norm(dim=-1).mean() for axes in ([0, 1], [2]))
print(f"with the true depth {1000 * metrics.mpjpe(exact - exact[:, :1], pose):.3f} mm")
print(
    f"a tenth too far: MPJPE {1000 * metrics.mpjpe(wrong, pose):.1f} mm, across {across:.1f}, "
    f"along {along:.1f}; after the best scale {1000 * metrics.n_mpjpe(wrong, pose):.1f} mm"
)

# %% [markdown]
# <details><summary>What it shows</summary>
#
# All of the error lies across the line of sight: the depths about the root are given. A scale takes
# most of it away, not all, since it shrinks the depths as well.
#
# </details>
#
# **7. Finding the root.** Bones have known lengths; keypoints and depths about the root are exact.
# The sum of the squared lengths is then a quadratic in the depth of the root. How well is that
# found? And if the bones are taken to be 5 % too long?
#
# *Predict first:* in the second case, is the person found too near or too far, and by about what
# share?

# %% tags=["hide-cell"]
from paperlib.prediction.root_depth import bone_lengths, estimated_root_depth

own = bone_lengths([recording])
for factor in (1.0, 1.05):
    found = estimated_root_depth(seen, factor * own)
    share = 100 * (found / root[:, 0, 2] - 1).mean()
    print(f"bones {factor} times: the root is found {share:+.2f} % off")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# With the right lengths it is found; with bones 5 % too long the person is a little *more* than 5 %
# too far: the bones' parts along the line of sight are fixed by the depths, so that the parts
# across must make up for all of it.
#
# </details>
#
# ## The second stage: refinement over time
#
# **8. One frame to 243.** The second stage has B blocks of kernels of width W and sees $W^{B+1}$
# frames. Which (W, B) see 1, 27, 81 and 243 frames? How many more parameters has the 243-frame
# model with depths, three numbers a keypoint, than without?
#
# *Predict first:* the first layer alone reads the keypoints: 17 joints, 3 frames, 1,024 channels.

# %% tags=["hide-cell"]
from paperlib.models import TemporalModel, count_parameters

with torch.device("meta"):
    for width, blocks in ((1, 2), (3, 2), (3, 3), (3, 4)):
        sizes = []
        for features in (2, 3):
            model = TemporalModel(17, features, 17, (width,) * (blocks + 1))
            sizes.append(count_parameters(model))
        print(
            f"W={width}, B={blocks}: {model.receptive_field:3} frames, with depths "
            f"{sizes[1] - sizes[0]:,} more, {100 * (sizes[1] / sizes[0] - 1):.2f} %"
        )
print(f"by hand {17 * 3 * 1024:,}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 52,224 more, 0.31 % of the model of 243 frames (with kernels of one frame, a third of that).
# Whatever depths are worth, it is not the parameters.
#
# </details>
#
# **9. Noise of what size?** In training, noise of σ = 0.1 is added to the depths. The paper names
# no unit. Here a depth is divided by 0.75 m, half of the volume. How many millimetres is the noise?
# Which share of the depths' own spread?
#
# *Predict first:* $0.1 \cdot 750$; then compare it with how far joints lie before and behind the
# root.

# %% tags=["hide-cell"]
from paperlib.windows import network_input
from paperlib.windows.keypoints import DEPTH_UNIT

train = [replace(r, depths=r.pose[..., 2]) for r in experiment.exact.train]
given = torch.cat([network_input(r, depth=True)[..., 2] for r in train])
print(
    f"noise {1000 * 0.1 * DEPTH_UNIT:.0f} mm; depths spread by {given.std():.3f}, "
    f"{1000 * DEPTH_UNIT * given.std():.0f} mm"
)

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 75 mm. On these people and cameras that is about half of what the depths spread by themselves:
# strong noise, beside which 50 mm of a first stage's own error are little.
#
# </details>
#
# **10. Averages over time.** A first stage's depths are off by independent noise of 60 mm in each
# frame, and by 30 mm in one direction in all frames of a clip. A mean of 27 frames is taken of
# somebody who stands still. How far off is it (root mean square)?
#
# *Predict first:* $\sqrt{60^2 / 27 + 30^2}$. And without the mean?

# %% tags=["hide-cell"]
generator = torch.Generator().manual_seed(seed)
noise = 60 * torch.randn(20_000, 27, generator=generator) + 30
for frames in (1, 27):
    rms = noise[:, :frames].mean(dim=1).square().mean().sqrt()
    print(
        f"{frames:2} frames: {rms:.1f} mm; by hand {math.hypot(60 / math.sqrt(frames), 30):.1f} mm"
    )

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 67 mm become 32: time takes away what is new in each frame, and nothing of what stays. How much a
# second stage can refine is a question of which kind the first stage's errors are.
#
# </details>
#
# ## Tables I and II
#
# **11. Per cent of what?** The paper says that depths reduce the lowest error by 63 %. Which two
# numbers of table I are compared? What is the reduction at equal receptive fields?
#
# *Predict first:* for 1, 27 and 243 frames, roughly.

# %% tags=["hide-cell"]
table = paper_table("kato2020_table1").set_index("input")
fields = [c for c in table.columns if c.startswith("receptive_field")]
frames = [f"{c.removeprefix('receptive_field_')} frames" for c in fields]
errors = table.loc[["GT 2D pose", "GT 2D pose + GT depth"], fields].astype(float)
errors.columns = frames
lowest = errors.min(axis=1)
print(
    f"lowest against lowest: {lowest.iloc[0]} and {lowest.iloc[1]} mm, "
    f"{100 * (1 - lowest.iloc[1] / lowest.iloc[0]):.0f} % less"
)
print((100 * (1 - errors.iloc[1] / errors.iloc[0])).round(1).rename("% less").to_string())

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 36.3 mm of 243 frames against 13.4 mm of 27: two receptive fields. At equal ones 48, 64 and 56 %.
# And with depths 243 frames are *worse* than 27 in the paper's own table.
#
# </details>
#
# **12. How much of it is depth?** With 243 frames, noisy depths lower the error from 47.6 to 45.6
# mm; exact keypoints and depths would give 15.9. Which share of the gap between 2D alone and exact
# everything do the estimated depths close? And which do exact keypoints alone close?
#
# *Predict first:* two shares.

# %% tags=["hide-cell"]
errors = table[fields[-1]].astype(float)
gap = errors["2D pose"] - errors["GT 2D pose + GT depth"]
for name in ("2D pose + depth (sigma = 0.1)", "GT 2D pose"):
    print(f"{name:30} closes {100 * (errors['2D pose'] - errors[name]) / gap:.0f} % of the gap")
changes = table.loc[table["uses_gt_2d"].eq("no"), fields].astype(float).set_axis(frames, axis=1)
(changes - changes.iloc[0]).round(1).iloc[1:]

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 6 % and 36 %. Depths without noise in training are worse than none on three of four receptive
# fields, with noise better on all four; by 1.1 to 2.4 mm, of one training each.
#
# </details>
#
# ## Back to the paper
#
# The [ledger](../claims.ipynb) says which of the paper's claims hold.
