# %% [markdown]
# # Occlusion augmentation: what does a network do when it sees nothing?
#
# *Cheng et al. 2020, "Data augmentation for occlusions", figure 5.*
#
# **What does a network do when it sees nothing?** Hidden joints in training lower the error of
# frames in which something is hidden by 50.1 ± 14.3 mm, against the same network without them. But
# given a straight line through the gap that one is better still, by 25.9 ± 3.8 mm with a share of
# the joints hidden and 37.1 ± 4.1 with people out of sight; with an area it is not decided (-7.8 ±
# 18.7). <a href="#how">How it was found.</a>
#
# While the network learns, the paper hides keypoints from it: single ones, whole frames, and all
# that a virtual occluder covers. A hidden keypoint's map is zero, and its target is what it always
# was. Others are shifted, or change sides. The claim has one picture and no number: trained so, the
# network answers well where a person is hidden; trained without, it fails.
#
# Here is the number, and what the paper lacks: **curves**. How does the error of a hidden joint
# grow with the share of joints that are hidden, and with the time for which a person is out of
# sight? And how do all other systems of this companion fare, which were never shown a gap, if one
# does for them what one would do by hand, and draws a straight line through it?

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …: of what is seen
receptive_field = 27  # frames that the temporal models see: 3, 9, 27, 81, 243 or 729
lasting = 25  # the longest that a single keypoint is hidden, frames: 1 to so many, all alike
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout, simulated detections and what is hidden
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.detection import DETECTORS, FILES, filled, gap, masked, without
from paperlib.evaluation import compare, hidden_mpjpe
from paperlib.experiment import Experiment
from paperlib.models import RECEPTIVE_FIELDS, LinearModel, OcclusionAware, TemporalModel
from paperlib.models import filter_widths  # isort: skip
from paperlib.occlusion import OcclusionMasks, SimulatedMaps, with_guess, with_labels
from paperlib.prediction import predict
from paperlib.recordings import count_frames
from paperlib.refinement import interpolate, refine
from paperlib.results import interval, over_seeds, select, shown
from paperlib.training import PoseAndOcclusion, Recipe, Supervised
from paperlib.training import spatio_temporal, withhold_positions  # isort: skip
from paperlib.training.spatio_temporal import MASKS
from paperlib.windows import network_input
from paperlib.words import in_words

# %%
plotting.use_style()
experiment = Experiment.begin(
    "cheng2020/section_occlusion_augmentation",
    globals(),
    detector=DETECTORS + FILES,
    receptive_field=RECEPTIVE_FIELDS[1:],
    lasting=None,
)
experiment

# %% [markdown]
# ## What is hidden while the network learns
#
# A motion as maps, all joints together: as it is, and as the network sees it through each kind of
# mask, which are drawn here more often than in training. The paper names their kinds and gives one
# number, the 10 pixels of a shift; how often each happens is ours. (That sides are swapped does not
# show where all joints are one picture.)

# %%
data, films = withhold_positions(experiment.load())
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
print(in_words(", ".join(f"{name} {value}" for name, value in vars(MASKS).items())))
film = next(r for r in data.train if len(r) >= 64).cut(0, 64)
often = {"frames": 0.3, "points": 0.3, "area": 1.0, "shifts": 0.5, "noise": 1.0}
drawing, windows = SimulatedMaps(size=32, sigma=1.0), network_input(film, confidence=True)[None]
whole = drawing.crops(windows[..., :2], windows[..., 2])
pictures = {"as it is": drawing.draw(windows[..., :2], windows[..., 2], whole)[0]}
for name, chance in often.items():
    masks = OcclusionMasks(**{name: chance}, frames_lasting=8, points_lasting=8)
    drawn = torch.Generator().manual_seed(seed)
    x = masks.hide(windows, film.keypoint_skeleton, drawn)
    maps = masks.noisy(drawing.draw(x[..., :2], x[..., 2], whole), drawn)
    pictures[name] = maps[0]
figure = plotting.heatmap_strip(pictures, range(0, 64, 7))
saved = experiment.save_figure(figure, "cheng2020_occlusion_masks")

# %% [markdown]
# ## The systems
#
# All learn from the same 3D. The whole system of Cheng et al. has films without 3D besides, with
# masks and without: these two differ in nothing but the masks. The recipe of the others is that of
# [table 1](../table1.ipynb).

# %%
recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(data.train))
widths = filter_widths(receptive_field)
size = {"channels": recipe.channels, "dropout": recipe.dropout}
builders = {
    "linear baseline": lambda: LinearModel(*joints, **size),
    "single frame": lambda: TemporalModel(*joints, (1,) * len(widths), **size),
    "temporal, causal": lambda: TemporalModel(*joints, widths, causal=True, **size),
    "temporal": lambda: TemporalModel(*joints, widths, **size),
}
AWARE, WHOLE, NO_MASKS = "temporal, occlusion-aware", "whole system", "whole system, no masks"


def aware():
    return OcclusionAware(joints[0], 3, joints[2], widths, vectors="many", **size)


# %%
boxed = data.map(lambda r: with_labels(r, "boxed_man", "boxed_man"))
learning = {name: (Supervised(build, data), recipe) for name, build in builders.items()}
learning[AWARE] = PoseAndOcclusion(aware, boxed), recipe
learning[WHOLE] = spatio_temporal(data, experiment.preset, films)
learning[NO_MASKS] = spatio_temporal(data, experiment.preset, films, masks=None)
runs = {name: experiment.train(name, *options) for name, options in learning.items()}
print(", ".join(f"{name} {run.seconds / 60:.1f} minutes" for name, run in runs.items()))

# %% [markdown]
# ## What each of them is given in place of a hidden keypoint
#
# * *zeros*: coordinates and confidence zero, as the paper has it;
# * *interpolated 2D*: a straight line from where it was last seen to where it is seen next;
# * *last seen 2D*: all that a causal system can know;
# * *interpolated 3D*: the temporal model's poses, where less than half of the keypoints are seen
#   replaced by a straight line between the poses before and after;
# * *refined*: the temporal model's poses of interpolated keypoints, made smooth by the
#   [energy](../veges2020/section3_2_pose_refinement.ipynb) where keypoints are hidden;
# * *occlusion-aware*: interpolated keypoints, and the guess that they are hidden. Its own branch
#   decides whether to believe that, and zeroes what it believes hidden.
#
# The network of Véges & Lőrincz that places people in a room is not here: it begins with depths
# from images.


# %%
def lift(name, recording):
    return predict(runs[name].model, recording, recipe.test_flip)


def zeros(name):
    return lambda r, hidden: lift(name, without(r, hidden))


def line(name, how="interpolated"):
    return lambda r, hidden: lift(name, filled(r, hidden, how))


def line_in_3d(recording, hidden):
    poses, seen = line("temporal")(recording, hidden), hidden.float().mean(dim=1) <= 0.5
    return interpolate(poses, seen) if seen.any() else poses


# %%
def refined(recording, hidden):
    score = recording.confidence.masked_fill(hidden, 0.0)
    return refine(line("temporal")(recording, hidden), score)


def told(recording, hidden):
    guessed = with_guess(filled(recording, hidden), "boxed_man")
    confidence = guessed.confidence.masked_fill(hidden, 0.0)
    return lift(AWARE, guessed.with_keypoints(guessed.keypoints, confidence))


answers = {f"{n}, interpolated 2D": line(n) for n in ("linear baseline", "single frame")}
answers["temporal, causal, last seen 2D"] = line("temporal, causal", "held")
answers["temporal, zeros"] = zeros("temporal")
answers["temporal, interpolated 2D"] = line("temporal")
answers |= {"temporal, interpolated 3D": line_in_3d, "temporal, refined": refined, AWARE: told}
answers[f"{NO_MASKS}, zeros"] = zeros(NO_MASKS)
answers[f"{NO_MASKS}, interpolated 2D"] = line(NO_MASKS)
answers[WHOLE] = zeros(WHOLE)

# %% [markdown]
# ## What is hidden in the test
#
# The same for every system, and drawn anew with each seed. Tested are three clips of each action as
# one camera sees them, of those that are long enough; of each 250 frames at most. Hidden is
#
# * a **share** of the keypoints, each by its own chance;
# * the person as a whole for a **time**, with half a second in sight before and after at least; a
#   short gap lies within the long one;
# * what an occluder covers that passes through the picture once: an **area**.
#
# The masks that the whole system learnt with are like these. They are shorter, but of the same
# making: to it this test is more friendly than a real occluder would be.

# %%
smoke = experiment.preset == "smoke"
shares = (0.2, 0.6) if smoke else (0.1, 0.2, 0.4, 0.6, 0.8)
times = (0.2, 0.6) if smoke else (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds
first = data.test[0]
rate, camera, margin = first.fps, first.camera.name, round(first.fps / 2)
enough = round(times[-1] * rate) + 2 * margin
long = [r.cut(0, 250) for r in data.test if r.camera.name == camera and len(r) >= enough]
by_action = pd.Series(long).groupby([r.action for r in long])
test = by_action.head(3).tolist()
points = [OcclusionMasks(points=share, points_lasting=lasting) for share in shares]
hide = {"nothing": lambda r: masked(r, OcclusionMasks(), seed)}
hide |= {f"share {m.points:.0%}": lambda r, m=m: masked(r, m, seed) for m in points}
hide |= {f"time {s:g} s": lambda r, s=s: gap(r, round(s * rate), margin, seed) for s in times}
hide["area"] = lambda r: masked(r, OcclusionMasks(area=1.0), seed)
some, short = shares[len(shares) // 2], times[len(times) // 2]
ONE_OF_EACH = [f"share {some:.0%}", f"time {short:g} s", "area"]
print(f"{len(test)} clips of {len({r.action for r in test})} actions, camera {camera}")

# %%
rows, kept = [], {}
for what, choose in hide.items():
    hidden = [choose(r) for r in test]
    frames = [h.any(dim=1, keepdim=True).expand_as(h) for h in hidden]
    for name, answer in answers.items():
        poses = [answer(r, h) for r, h in zip(test, hidden, strict=True)]
        if what == ONE_OF_EACH[1]:
            kept[name] = poses
        found = {"mpjpe": compare(poses, test).average("mpjpe")}
        if what != "nothing":
            found["mpjpe_hidden_joints"] = hidden_mpjpe(poses, test, hidden)[1]
            found["mpjpe_hidden_frames"] = hidden_mpjpe(poses, test, frames)[1]
        run = runs[max((n for n in runs if name.startswith(n)), key=len)]
        about = experiment.about(name, run) | {"action": "average", "unit": "mm"}
        rows += [about | {"metric": f"{m}, {what}", "value": 1000 * v} for m, v in found.items()]
saved = experiment.record(rows)

# %% [markdown]
# ## The curves
#
# Above the error of what is hidden, below that of all joints of the clips, most of which are seen.
#
# **Before you look:**<a id="how"></a> The temporal network has never seen a gap. How far off are
# hidden joints, in millimetres, if it is given zeros for them?


# %%
def curve(metric, kind):
    """Systems by how much is hidden, the mean over seeds; at zero what they do without."""
    own = measured[measured["metric"].str.startswith(f"{metric}, {kind}")]
    at = own["metric"].str.extract(rf"{kind} ([\d.]+)")[0].astype(float)
    found = own.assign(at=at).groupby(["at", "system"])["value"].mean().unstack()
    if metric == "mpjpe":
        alone = select(measured, metric="mpjpe, nothing").groupby("system")["value"].mean()
        found = pd.concat([alone.to_frame(0.0).T, found])
    return found[list(answers)]


measured = experiment.measured(rows)
kinds = {"hidden for, seconds": "time", "keypoints hidden, %": "share"}
lines = {n: ":" if "zeros" in n else "--" if "2D" in n else "-." for n in answers}
lines |= {AWARE: "-", WHOLE: "-"}
titles = {"mpjpe_hidden_joints": "MPJPE of hidden joints, mm", "mpjpe": "MPJPE of all, mm"}
panels = {(x, titles[m]): curve(m, kind) for m in titles for x, kind in kinds.items()}
figure = plotting.error_curves(panels, lines)
saved = experiment.save_figure(figure, "cheng2020_robustness")


# %%
def cells(metric):
    found = over_seeds(measured[measured["metric"].str.startswith(f"{metric},")])
    found = found.rename(columns=lambda name: name.split(", ", 1)[1])
    chosen = dict.fromkeys(["nothing", *ONE_OF_EACH, f"time {times[-1]:g} s"])
    return found[[c for c in chosen if c in found]].reindex(list(answers))


parts = {"all joints": "mpjpe", "hidden joints": "mpjpe_hidden_joints"}
table = pd.concat({title: cells(metric) for title, metric in parts.items()}, axis=1)
table.style.set_caption(f"MPJPE, mm; {experiment.caption}; ± 95 % over seeds")

# %%
protocol = experiment.protocol(data, recipe, receptive_field, measured["seed"])
averaging = f"hidden joints, or all, pooled within an action, actions averaged alike; {len(test)} "
Markdown(f"*{protocol.but(averaging=averaging + 'clips of one camera')}*")

# %% [markdown]
# ## Does the claim hold here?
#
# `cheng2020-c15`, by the test that the [ledger](../claims.ipynb) has for it: the error of frames in
# which something is hidden, with masks in training minus without, both given zeros as in the paper.
# It is the mean over one occlusion of each of the paper's three kinds: a share of the keypoints,
# the person as a whole, an area.

# %%
by_kind = {kind: claims.by_seed(measured, f"mpjpe_hidden_frames, {kind}") for kind in ONE_OF_EACH}
print(", ".join(by_kind))
effects = {kind: found[WHOLE] - found[f"{NO_MASKS}, zeros"] for kind, found in by_kind.items()}
verdict = experiment.judge("cheng2020-c15", sum(effects.values()) / len(effects))
Markdown(claims.table([verdict]))

# %% [markdown]
# Zeros are what a network without masks has never seen: it is easily beaten with them. The same
# differences against others that nobody has trained for gaps, given what suits them better:

# %%
others = [f"{NO_MASKS}, interpolated 2D", "temporal, interpolated 2D", "temporal, interpolated 3D"]
others += ["temporal, refined", AWARE]
differences = {
    f"against {other}": {
        kind: shown(*interval(found[WHOLE] - found[other])) for kind, found in by_kind.items()
    }
    for other in others
}
caption = f"{WHOLE}: MPJPE of hidden frames, difference in mm, paired by seed"
pd.DataFrame(differences).T.style.set_caption(f"{caption}; {experiment.caption}")

# %% [markdown]
# So masks do what the paper says of zeros; but nobody must give zeros. Where a share of the
# keypoints is hidden, or the person for a time, a straight line through the gap, before a network
# that has never seen one, leaves much less error than masks do, and the energy or the guess are no
# better than the line. Behind an area that passes the whole system is ahead of the temporal ones;
# whether it is of its like without masks, which is given lines, three seeds do not tell.
#
# ## Figure 5: what it looks like
#
# The person is out of sight in the middle (an empty cell on top). It is the clip on which the
# network without masks has its median error; a circle is drawn about each joint that is wrong
# by more than 150 mm.

# %%
hidden = [hide[ONE_OF_EACH[1]](r) for r in test]
compared = {"whole system,\nno masks": f"{NO_MASKS}, zeros"}
compared["whole system,\nno masks, 2D line"] = f"{NO_MASKS}, interpolated 2D"
compared["whole system"] = WHOLE
shown_poses = {title: kept[name] for title, name in compared.items()}
failed = [
    hidden_mpjpe([p], [r], [h])[1]
    for p, r, h in zip(kept[f"{NO_MASKS}, zeros"], test, hidden, strict=True)
]
typical = sorted(range(len(test)), key=failed.__getitem__)[len(test) // 2]
gone = hidden[typical].any(dim=1).nonzero().flatten()
step = max(1, len(gone) // 4)
frames = range(int(gone[0]) - 2 * step, int(gone[-1]) + 2 * step + 1, step)
poses = {title: found[typical].numpy() for title, found in shown_poses.items()}
figure = plotting.pose_sequence(
    without(test[typical], hidden[typical]), poses, frames, circled=0.15
)
print(test[typical])
saved = experiment.save_figure(figure, "cheng2020_figure5")

# %% [markdown]
# ## Try next
#
# * `-p lasting 5`, and 100: many short gaps, or few long ones, of the same share.
# * `-p detector ground_truth`: with exact keypoints, is a straight line as good as it is here?
# * `replace(MASKS, frames_lasting=40)` in `spatio_temporal`: does a network that learnt with longer
#   gaps bridge longer ones, and what does it pay where all is seen?
# * `MASKS` with `area=0` alone: which of the three kinds is it that helps against which?
# * Exercises 15 and 16 of [the exercises](exercises.ipynb), with solutions.
