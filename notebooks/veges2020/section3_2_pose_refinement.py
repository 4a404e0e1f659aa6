# %% [markdown]
# # Pose refinement: smooth where nobody looks
#
# *Véges & Lőrincz 2020, section 3.2.*
#
# **What does the refinement do to a person who is hidden for a second?** In the clip shown here
# the root shakes less, 21.9 mm/frame² in place of 318.4, and is 684.9 mm off while hidden, in
# place of 1460.2. A straight line does better there, with 28.6; so does the refinement without its
# long step, with 30.5. <a href="#how">How it was found.</a>
#
# A trajectory is to be changed as little as possible where the person was seen, and to be smooth
# where not. Both wishes go into one energy over all frames of a person's track, and the answer is
# its minimum. Nothing is trained, and it does not matter where the trajectory comes from: this
# notebook makes one up.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu" (real motion capture) or "human36m"
gap = 1.2  # seconds for which the person is hidden: 0.4, 0.8, 1.2, 1.6 or 2.0
interactive = False  # True ends with the trajectory and a slider for each knob
preset = "auto"  # "smoke" takes a small piece of the data; "laptop" and "paper" are the same here
seed = 0  # of the made-up errors
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # nothing is trained here

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import display

from paperlib import plotting
from paperlib.datasets import muco_temp
from paperlib.experiment import Experiment
from paperlib.refinement import (
    Settings,
    adam,
    direct,
    energy,
    energy_terms,
    interpolate,
    refine,
    visibility_score,
)

plotting.use_style()

# %%
experiment = Experiment.begin(
    "veges2020/section3_2_pose_refinement",
    globals(),
    gap=(0.4, 0.8, 1.2, 1.6, 2.0),
    interactive=(False, True),
)
experiment

# %% [markdown]
# ## A person behind another
#
# The truth is the beginning of one of the [test videos](section4_1_muco_temp.ipynb), of whoever
# walks farthest. The "prediction" is what a network might say: some
# jitter in every joint; and for a second or so, in the middle, a root that is off by decimetres or
# worse and a pose that does not move, since the detector finds nobody.

# %%
size = muco_temp.SIZES["smoke" if experiment.preset == "smoke" else "laptop"]
videos = muco_temp.compose(experiment.exact, size)
recording = max(videos.test, key=lambda r: r.trajectory[:150].diff(dim=0).norm(dim=-1).sum())
truth, fps = recording.positions[:150], recording.fps
torch.manual_seed(seed)
middle, half = len(truth) // 2, round(gap * fps / 2)
hidden = slice(middle - half, middle + half)

prediction = truth + 0.01 * torch.randn(truth.shape) + 0.02 * torch.randn(len(truth), 1, 3)
lost = truth[hidden.start] + torch.tensor([0.3, 0.0, 1.5]) * torch.rand(2 * half, 1, 1)
prediction[hidden] = lost + 0.1 * torch.randn(2 * half, 1, 3)
score = torch.full((len(truth),), 0.85)
score[hidden] = 0.0
root = recording.skeleton.root
print(f"{recording.name}: {len(truth)} frames at {fps:g} Hz, hidden in {2 * half}")

# %% [markdown]
# ## The energy, term by term
#
# Let $r_t$ be the root, $q_t$ the other joints relative to it, $p = (r, q)$ all coordinates, and
# $v_t$ the visibility: the mean score of the keypoints, median-filtered over nine frames.
#
# * **data**: $\sum_t v_t \sum_k \min\bigl((p_{tk} - \hat p_{tk})^2,\ c\bigr)$. Stay where the
#   network was, if it could see. Who is off by more than a metre ($c = 1$) pulls no harder.
# * **short step**: $w_1 \sum_t \lVert r_{t+1} - r_t\rVert^2 + w_3 \sum_t \lVert q_{t+1} -
#   q_t\rVert^2$. Do not shake. The weights are 1 and 0.1.
# * **long step**: $w_2 \sum_t (1 - v_{t+s}) \lVert r_{t+s} - r_t \rVert^2$ and the same of $q$ with
#   $w_4$. Where hidden, do not move far in $s = 20$ frames. The weights are 0.1 and 0.01.
#
# These are formulas and weights as the published code and a published configuration have them. For
# the prediction itself, before anything is changed:

# %%
settings = Settings()
terms = energy_terms(prediction, prediction, score, settings)
v = visibility_score(score, prediction, settings)
r = prediction[:, root]
by_hand = {
    "root_short": settings.root_short * (r[1:] - r[:-1]).square().sum(),
    "root_long": settings.root_long * ((1 - v[20:, None]) * (r[20:] - r[:-20]).square()).sum(),
}
assert all(torch.allclose(terms[name], value) for name, value in by_hand.items())
refined = refine(prediction, score)
after = energy_terms(refined, prediction, score, settings)
table = pd.DataFrame({"prediction": terms, "refined": after}).astype(float)
table.loc["sum"] = table.sum()
table.style.format("{:.3f}")

# %% [markdown]
# ## What comes out
#
# **Before you look:**<a id="how"></a> Which of the four moves most smoothly, and is it also the
# one nearest to the truth?

# %%
paths = {
    "truth": truth,
    "without refinement": prediction,
    "interpolation": interpolate(prediction, score >= 0.1),
    "refinement": refined,
}
figure = plotting.occluded_path(paths, score, slice(0, len(truth)), fps, root)
saved = experiment.save_figure(figure, "veges2020_refinement")


# %%
def errors(positions):
    off = (positions - truth)[:, root].norm(dim=-1)
    seen = score > 0
    shake = positions[:, root].diff(n=2, dim=0).norm(dim=-1).mean()
    return {
        "hidden frames, mm": 1000 * off[~seen].mean().item(),
        "other frames, mm": 1000 * off[seen].mean().item(),
        "acceleration, mm/frame²": 1000 * shake.item(),
    }


table = pd.DataFrame({name: errors(path) for name, path in paths.items()}).T
table.style.format("{:.1f}").set_caption("the root: distance from the truth, and how it shakes")

# %% [markdown]
# **The straight line wins here**, and by far. The long step wants the root to be where it was 20
# frames ago, and somebody who walks is not: at a metre a second that pulls the path together in the
# gap, until it hurries at the end. The line knows nothing of that and meets somebody who walks on
# evenly exactly. What it depends on is that the last frame before the gap and the first one after
# it are right. Here they are, because the errors are made up so; where a network looks at a person
# going out of sight they may be the worst of all. There the refinement comes out ahead of the line
# ([table 2](table2.ipynb)), perhaps because it weighs many frames.
#
# What the network said while the person was hidden plays no part in the result, for $v = 0$ there.
# (The median filter takes gaps of up to four frames for flaws of the detector; what was said there
# does count.)

# %%
elsewhere = prediction.clone()
elsewhere[hidden] += torch.tensor([5.0, 0.0, 20.0])
moved = (refine(elsewhere, score) - refined).abs().max()
print(f"with the hidden frames twenty metres off, the result moves by {1000 * moved:.3f} mm")
assert moved < 1e-4

# %% [markdown]
# And where everybody is seen, the long step has no say: its energy is 0 whatever the positions.
# These are the two halves of one of the paper's claims ([all of them](../claims.ipynb)):

# %%
untouched = energy_terms(prediction, prediction, torch.ones(len(truth)), settings)
long_steps = float(untouched["root_long"] + untouched["pose_long"])
experiment.judge("veges2020-c12", {"seen": long_steps, "gap": float(moved)})

# %% [markdown]
# ## Two solvers
#
# The paper runs 500 steps of Adam. But with the capped frames fixed the energy is a sum of squares,
# in which frames are tied only to those one short and one long step away, and coordinates not at
# all to each other: a banded linear system, the same matrix for every coordinate of a kind. Solve,
# look which frames are beyond the cap, solve again. Where no frame is, once is enough.

# %%
adam(prediction, score, iterations=1)  # PyTorch loads its optimisers at the first use
_, slow = adam(prediction, score, history=True)
_, fast = direct(prediction, score, history=True)
curves = {
    "adam": (slow.seconds[1:], slow.energy[1:]),
    "direct": (fast.seconds[1:], fast.energy[1:]),
}
best = float(min(slow.energy.min(), fast.energy.min()))
figure = plotting.energy_curves(curves, best)
saved = experiment.save_figure(figure, "veges2020_solvers")

# %%
lowest = refine(prediction.double(), score).requires_grad_()
energy(lowest, prediction.double(), score).backward()
print(f"energy: Adam {slow.energy[-1]:.4f}, direct {fast.energy[-1]:.4f}")
print(f"slope left at the direct solution: {lowest.grad.abs().max():.0e}")
assert fast.energy[-1] <= slow.energy[-1] * (1 + 1e-6)

# %% [markdown]
# How much faster it is, on tracks of several lengths and for many people at once, stands in the
# notebook on [speed](../speed.ipynb). That it never ends above Adam holds for all people of all
# test videos at once, shaken likewise:

# %%
people = torch.stack([r.positions for r in videos.test])
torch.manual_seed(seed + 1)
shaken = people + 0.02 * torch.randn(people.shape)
seen = torch.stack([r.visible.float().mean(dim=1) for r in videos.test])
shaken = shaken + (seen[..., None, None] < 0.5) * 0.7 * torch.randn(*seen.shape, 1, 3)
below = {s: energy(refine(shaken, seen, solver=s), shaken, seen) for s in ("direct", "adam")}
share = (below["direct"] <= below["adam"] * (1 + 1e-6)).float().mean()
print(f"{len(people)} people: direct at or below Adam for {100 * share:.0f} % of them")
assert share == 1

# %% [markdown]
# ## What the knobs do
#
# The long step sets how far a hidden person may be away from where they were some time ago; its
# weight, how strictly. With weight 0 the gap is bridged by the short step alone, which is nearly
# the straight line of interpolation, but between two smoothed ends. The short step's weight smooths
# the visible frames too.

# %%
variants = {
    "paper": settings,
    "no long step": settings.but(root_long=0, pose_long=0),
    "long step × 10": settings.but(root_long=1.0, pose_long=0.1),
    "over 5 frames": settings.but(long_step=5),
    "short step × 100": settings.but(root_short=100.0, pose_short=10.0),
}
tried = {name: refine(prediction, score, s) for name, s in variants.items()}
figure, ax = plt.subplots(figsize=(8, 3))
seconds = torch.arange(len(truth)) / fps
plotting.shade_gaps(ax, score.numpy(), seconds.numpy())
ax.plot(seconds, truth[:, root, 2], color=plotting.COLOURS["truth"], lw=2.6, alpha=0.4)
for colour, (name, path) in zip(plotting.PEOPLE, tried.items(), strict=False):
    ax.plot(seconds, path[:, root, 2], label=name, lw=1.3, color=colour)
ax.set(xlabel="seconds; grey: hidden", ylabel="away from the camera, m")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
saved = experiment.save_figure(figure, "veges2020_knobs")

# %%
table = pd.DataFrame({name: errors(path) for name, path in tried.items()}).T
table.style.format("{:.1f}").set_caption("the root: distance from the truth, and how it shakes")

# %% [markdown]
# ## With your own poses
#
# The refinement needs nothing but positions and, if there are any, scores:
#
# ```python
# from paperlib.refinement import refine
#
# smooth = refine(positions, scores)  # (T, J, 3) or (P, T, J, 3), metres, joint 0 the root
# ```
#
# NumPy arrays come back as NumPy arrays. NaN marks what is not known, and is filled in; without
# scores, only that is.
#
# Exercises 4 to 6 of [the exercises](exercises.ipynb), with solutions, work the energy out by hand.
#
# ## With the mouse
#
# With `interactive = True` at the top, in a running notebook, this draws the trajectory above with
# a slider for each knob: the weights of both steps, the long one's frames, and the median filter.
# Whatever is moved, the whole track is solved anew, which takes milliseconds.

# %%
if interactive:
    from paperlib.widgets import smoothing_demo

    display(smoothing_demo(prediction, score, truth, fps))
