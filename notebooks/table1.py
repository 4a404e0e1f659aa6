# %% [markdown]
# # Table 1 of the companion: every system on one benchmark
#
# **Which system is best, when all see the same keypoints?** The temporal model over 27 frames:
# 53.4 ± 0.6 mm, 7.2 ± 0.3 mm less than a single frame. Refining its answers changes their
# smoothness, 6.5 ± 0.1 in place of 7.3 ± 0.1 mm/frame; guessing what is hidden costs 10.9 ± 0.2
# mm. Heat maps over several strides, by a recipe of their own, are 25.5 ± 1.6 mm behind.
# <a href="#how">How it was found.</a>
#
# Five papers, one question: where are a person's joints in space, given where they are in a video's
# frames? Each paper answers it with its own mix of data, detector and protocol, so their numbers
# can hardly be set side by side. Here they can: the same recordings, the same 2D keypoints, the
# same metric.
#
# This table grows with the companion. It begins with the step that the others build on: **from one
# frame to many** (Pavllo et al. 2019). A network that sees one frame must guess depth from the
# pose alone, and every error of the 2D detector goes straight into its answer. A network that sees
# 27 frames, or 243, can tell motion from noise. Two more papers add to that one network: does it
# help to **know what is hidden** (Wang et al. 2020), and to **refine the answer** afterwards (Véges
# & Lőrincz 2020)? A fourth has a system of its own (Cheng et al. 2020), and a fifth begins with
# pixels, in place of keypoints (Kato et al. 2020).

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
cameras = "studio"  # or "random": drawn for each clip
normalisation = "screen"  # of keypoints, as in the papers; or "person": around the person
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", … (a file's name on human36m)
receptive_field = 27  # frames that the temporal models see: 3, 9, 27, 81, 243 or 729
heat_maps = False  # True: heat maps and strides as well, which take longest to train and to test
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from IPython.display import Markdown

from paperlib import plotting
from paperlib.cameras import NORMALISATIONS
from paperlib.datasets.random_cameras import CAMERAS
from paperlib.detection import DETECTORS, FILES
from paperlib.evaluation import evaluate, joined, over_clips
from paperlib.experiment import METRIC_NAMES, Experiment
from paperlib.models import LinearModel, OcclusionAware, TemporalModel
from paperlib.models import RECEPTIVE_FIELDS, filter_widths  # isort: skip
from paperlib.occlusion import with_labels
from paperlib.prediction import predict
from paperlib.recordings import count_frames
from paperlib.refinement import refine
from paperlib.results import interval, over_seeds, paper_table, recorded, select, shown, status
from paperlib.training import PoseAndOcclusion, Recipe, Supervised, spatio_temporal

plotting.use_style()

# %%
experiment = Experiment.begin(
    "table1",
    globals(),
    cameras=CAMERAS,
    normalisation=NORMALISATIONS,
    detector=DETECTORS + FILES,
    receptive_field=RECEPTIVE_FIELDS[1:],
    heat_maps=(False, True),
)
experiment

# %% [markdown]
# ## The data
#
# Four calibrated cameras around a stage film every motion; a detector finds 17 joints in each
# frame, with the errors that detectors make. Training and test share no clip, nor a body's
# proportions (of the motion capture, whose performers are unknown, one person may have performed
# in both).
#
# The numbers on this page were measured on `mocap`: 29 actions from two free collections of motion
# capture. It comes in three folds, so that every take is tested once, by a model that has not seen
# it; the table is of all of them. One collection is not for commercial use, so that `"auto"` never
# means it.

# %%
folds = [experiment.load(fold) for fold in experiment.folds]
data = folds[0]
recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(data.train))
print(data.source)
for part in folds:
    train, test = count_frames(part.train), count_frames(part.test)
    print(f"{part.name}: {train:,} frames to learn from, {test:,} to test on")

# %% [markdown]
# ## The systems
#
# * **linear baseline** (Martinez et al. 2017): two residual blocks of fully connected layers, one
#   frame in, one pose out.
# * **single frame**: the temporal model with every kernel one frame wide. As many layers, no time.
# * **temporal, causal**: sees the past only, so it can run while the video is being filmed.
# * **temporal**: sees as far ahead as back.
# * **temporal, occlusion-aware** (Wang et al. 2020): the same network also guesses which keypoints
#   are hidden and zeroes those. Of the paper's variants the one that it found best: its labels are
#   those of the [boxed man](wang2020/section4_2_boxed_man.ipynb), one vector for each frame.
# * **temporal, refined** (Véges & Lőrincz 2020): the temporal model's poses, made smooth where the
#   detector was not sure of what it saw, by the minimum of an
#   [energy](veges2020/section3_2_pose_refinement.ipynb). Nothing is trained for it.
# * **heat maps, several strides** (Cheng et al. 2020): reads heat maps around the keypoints, whose
#   height says how sure the detector is, in windows of 64 frames, with strides side by side, losses
#   of two views and of a [discriminator](cheng2020/section_pose_discriminator.ipynb), and masks
#   over what it is shown. [What each part is worth](cheng2020/table2.ipynb) is a page of its own.
#   It takes longest, and is trained with `-p heat_maps True` alone.

# %%
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
widths = filter_widths(receptive_field)
plain = {"channels": recipe.channels, "dropout": recipe.dropout}
size = plain | {"normalisation": normalisation}

systems = {
    "linear baseline": lambda: LinearModel(*joints, **size),
    "single frame": lambda: TemporalModel(*joints, (1,) * len(widths), **size),
    "temporal, causal": lambda: TemporalModel(*joints, widths, causal=True, **size),
    "temporal": lambda: TemporalModel(*joints, widths, **size),
}
AWARE, REFINED, WHOLE = "temporal, occlusion-aware", "temporal, refined", "heat maps, strides"


def aware():
    return OcclusionAware(joints[0], 3, joints[2], widths, vectors="many", **plain)


def with_boxes(part):
    return part.map(lambda r: with_labels(r, "boxed_man", "boxed_man"))


# %% [markdown]
# ## Training and testing
#
# All but one follow one recipe, that of Pavllo et al. (section 5.3): AMSGrad on MPJPE, a learning
# rate that falls, mirrored copies in training and in testing. (The preset `laptop` has a
# [schedule of its own](budget.ipynb).) The baseline's own recipe was another (squared error,
# dropout 0.5, single-frame batches of 64); here only the network differs, and the occlusion-aware
# one learns by a second loss what is hidden. Heat maps, strides and discriminator have the recipe
# of [their own pages](cheng2020/table3_4.ipynb), so that they differ from the rest in more than
# their parts. A finished run is kept in `runs/` and found again.


# %%
def train(name, part):
    if name == AWARE:
        return experiment.train(name, PoseAndOcclusion(aware, part), recipe)
    if name == WHOLE:
        return experiment.train(name, *spatio_temporal(part, experiment.preset))
    return experiment.train(name, Supervised(systems[name], part), recipe)


def after(poses, recording):
    return refine(poses, recording.confidence)


labelled = data.keypoint_skeleton == data.skeleton and normalisation == "screen"
trained = [*systems, *([AWARE] if labelled else [])]  # its labels are of these joints
trained += [WHOLE] if heat_maps and normalisation == "screen" else []  # its maps are of the frame

# %%
found, runs = {name: [] for name in [*trained, REFINED]}, {}
for part in folds:
    boxed = with_boxes(part) if labelled else None
    for name in trained:
        seen = boxed if name == AWARE else part
        run = train(name, seen)
        runs.setdefault(name, run)
        found[name].append(evaluate(run.model, seen.test, recipe.test_flip, device))
        if name == "temporal":
            refined = evaluate(run.model, seen.test, recipe.test_flip, device, after)
            found[REFINED].append(refined)

runs[REFINED] = runs["temporal"]
errors = {name: joined(several) for name, several in found.items()}
rows = []
for name, error in errors.items():
    rows += experiment.rows(name, error, runs[name], clips=True)
saved = experiment.record(rows)

# %% [markdown]
# ## The table
#
# MPJPE is the mean distance of a joint from where it is (Protocol 1); P-MPJPE the same after each
# pose was rotated and scaled onto the truth (Protocol 2); N-MPJPE after scaling alone (Protocol 3).
# MPJVE is the error of the joints' velocity, Accel that of their acceleration: what the eye sees as
# jitter. Lower is better in all. *MPJPE ± clips* is half the width of a 95 % interval too, but over
# clips: what the choice of other takes of the same actions would change.
#
# **Before you look:**<a id="how"></a> A causal model knows nothing of the future. Will its error
# be nearer to that of the single frame or to that of the temporal model? And its velocity error?

# %%
measured = select(experiment.measured(rows), action="average")
table = over_seeds(measured).reindex(runs).rename(columns=METRIC_NAMES)
SEEN = {name: run.model.receptive_field for name, run in runs.items()} | {WHOLE: 64}
table.insert(0, "frames", [SEEN[name] for name in table.index])
record = select(experiment.on_record(), action="average", metric="mpjpe")
if set(record["seed"]) - set(measured["seed"]):
    table["MPJPE on record"] = over_seeds(record)["mpjpe"]
table.style.set_caption(f"mm, mm/frame, mm/frame²; {experiment.caption}; ± 95 % over seeds")

# %%
protocol = experiment.protocol(data, recipe, receptive_field, measured["seed"], clips=True)
three = " All folds are trained and tested alike." if len(folds) > 1 else ""
if WHOLE in runs:
    own = runs[WHOLE].description["recipe"]
    three += f" {WHOLE.capitalize()}: {own['epochs']} epochs of windows of {own['chunk']} frames."
Markdown(f"*{protocol}{three}*")

# %% [markdown]
# What two systems share, as hard clips, cancels in their difference: clip by clip, of one seed, and
# seed by seed.

# %%
PAIRS = [("temporal", "single frame"), ("temporal", "linear baseline")]
PAIRS += [("temporal, causal", "single frame"), (REFINED, "temporal"), (AWARE, "temporal")]
PAIRS += [(WHOLE, "temporal"), (WHOLE, AWARE)]
PAIRS = [pair for pair in PAIRS if set(pair) <= set(runs)]
by_seed = select(measured, metric="mpjpe").pivot(index="seed", columns="system", values="value")
lines = ["| MPJPE, mm | difference, ± over seeds | over clips, this seed |", "|---|---|---|"]
for one, other in PAIRS:
    _, low, high = over_clips(errors[one], less=errors[other])
    apart = shown(*interval(by_seed[one] - by_seed[other]))
    lines.append(f"| {one} − {other} | {apart} | {1000 * low:.1f} to {1000 * high:.1f} |")
Markdown("\n".join(lines))

# %%
figure = plotting.error_bars(measured, {"mpjpe": "MPJPE, mm", "mpjve": "MPJVE, mm per frame"})
saved = experiment.save_figure(figure, "table1_errors")

# %% [markdown]
# ## From pixels
#
# One system takes no keypoints. Kato et al. begin with pictures: a
# [first network](kato2020/section2_first_stage.ipynb) finds the joints and how far each is behind
# or before the root, and a second one reads what the first found in 243 frames. It learns from
# rendered pictures and has [a page of its own](kato2020/table2.ipynb), from which these rows are:
# of all motion capture too, but of a share of its takes and frames, in one fold, and with another
# budget than the table above. They are to be compared with each other alone.

# %%
PIXELS = {
    "first stage, estimated root depth": "pictures, frame by frame",
    "second stage": "what they show, and its depths",
    "temporal": "what they show, without depths",
    "temporal, simulated detector": "the simulated detector's keypoints",
}
same = {"dataset": "mocap", "receptive_field": 243, "preset": "laptop"}
pixels = select(recorded("kato2020/table2"), action="average", **same)
seeds = pixels["seed"].nunique()
pixels = over_seeds(pixels).reindex(PIXELS).rename(PIXELS)
pixels = pixels[["mpjpe", "p_mpjpe", "mpjve"]].rename(columns=METRIC_NAMES)
pixels.style.set_caption(f"mm, mm/frame; mocap, 243 frames, {seeds} seed{'s' * (seeds > 1)}")

# %% [markdown]
# ## What it looks like
#
# A typical test recording: the one on which the temporal model's error is the median. On top what
# the detector saw; below, over the true pose in grey, what each system made of it.

# %%
values = found["temporal"][0].values["mpjpe"]  # of the first fold, whose models are shown
ranked = sorted(range(len(values)), key=values.__getitem__)
typical = data.test[ranked[len(ranked) // 2]]
poses = {name: predict(runs[name].model, typical).numpy() for name in ("single frame", "temporal")}
start = len(typical) // 4
frames = range(start, min(start + 80, len(typical)), 10)
figure = plotting.pose_sequence(typical, poses, frames)
print(typical)
saved = experiment.save_figure(figure, "table1_poses")

# %% [markdown]
# The wrist tells it best: of all joints it is the hardest to find, and its depth the hardest to
# guess. The single-frame model jumps with every slip of the detector; the temporal one has learned
# what a wrist can do in a fiftieth of a second.

# %%
wrist = data.skeleton.index("right_wrist")
cut = slice(start, min(start + 150, len(typical)))
paths = {name: sequence[cut] for name, sequence in {"truth": typical.pose.numpy(), **poses}.items()}
figure = plotting.joint_path(paths, wrist, 2, typical.fps, "right wrist, depth, cm")
saved = experiment.save_figure(figure, "table1_velocity")

# %% [markdown]
# ## The paper's rows, and ours
#
# The paper measured on Human3.6M with the CPN detector. Those numbers and ours come from different
# data and **must not be compared in millimetres**. What can be compared is the effect: is the error
# of the temporal model lower than that of the single-frame model, on the same data? Its direction,
# that is; its size depends also on how much noise the simulated detector makes, and of what kind.
# The other two papers measured on other data still, and have tables of their own: on
# [what it helps to know what is hidden](wang2020/table1_to_5.ipynb), with five seeds, and on
# [what refinement is for](veges2020/table2.ipynb): people who are out of sight for a while, which
# nobody is here, all alone before the camera.

# %%
paper = paper_table("pavllo2019_table1a").query("own_model == 'yes' and uses_gt_boxes == 'no'")
theirs = dict(zip(("single frame", "temporal, causal", "temporal"), paper["average"], strict=True))
ours = select(measured, metric="mpjpe").groupby("system")["value"].mean()
comparison = [
    f"| {name} | {theirs[name]:.1f} | {100 * (theirs[name] / theirs['single frame'] - 1):+.1f} % "
    f"| {ours[name]:.1f} | {100 * (ours[name] / ours['single frame'] - 1):+.1f} % "
    f"| {status(ours[name], theirs[name], experiment.dataset, experiment.preset)} |"
    for name in theirs
]
head = (
    "| MPJPE, mm | paper: Human3.6M, 243 frames | |"
    f" ours: {experiment.dataset}, {receptive_field} frames | | the paper's number |"
)
Markdown("\n".join([head, "|---|---|---|---|---|---|", *comparison]))

# %%
velocity_theirs = paper_table("pavllo2019_table2")["average"].tolist()
velocity_ours = select(measured, metric="mpjve").groupby("system")["value"].mean()
cut_theirs = 100 * (1 - velocity_theirs[1] / velocity_theirs[0])
cut_ours = 100 * (1 - velocity_ours["temporal"] / velocity_ours["single frame"])
Markdown(
    f"Velocity error falls by **{cut_theirs:.0f} %** in the paper (its table 2) and by "
    f"**{cut_ours:.0f} %** here, from {velocity_ours['single frame']:.1f} to "
    f"{velocity_ours['temporal']:.1f} mm per frame. A simple filter cuts it, too: see "
    "[table 2](pavllo2019/table2.ipynb) for what it does not do."
)

# %% [markdown]
# ## Try next
#
# * `-p receptive_field 243`: more context, more time to train. Where does it stop helping?
# * `-p detector ground_truth`: with perfect keypoints, what is left for time to repair?
# * `-p detector simulated_v2_coarse`: and with a poor detector?
# * `-p dataset synthetic`: the same table without any download.
# * With Human3.6M in place: `-p dataset human36m -p detector cpn_ft_h36m_dbb -p preset paper`.
