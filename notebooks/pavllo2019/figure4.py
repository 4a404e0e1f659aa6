# %% [markdown]
# # Figure 4: two videos
#
# *Pavllo et al. 2019, section 6.1, figure 4.*
#
# **Is a pose right that looks right from the camera?** In a studio recording of median error, 53 mm
# off, nearly so from the side, too. In a real film, 117 mm off, it lies on the keypoints from the
# camera, and from the side it does not lean as the man does. <a href="#how">How it was found.</a>
#
# The paper shows moments of two videos: on top the frames with the keypoints that a detector found
# in them, below the poses that the network makes of these keypoints. Here are two as well:
#
# 1. **a recording in which the truth is exact**: motion of the test part, performed by a painted
#    body, its keypoints with the errors of a simulated detector;
# 2. **a real film**: a man who balances, his keypoints found by a real detector. The film's
#    pictures are not part of this project, so that its keypoints stand in an empty frame.
#
# Pictures show what one looks for. So nothing is chosen by eye here: of the recordings, and of the
# film's four cameras, the one whose error is the median is shown (of an even number the better of
# the two in the middle), and moments are evenly spaced.

# %% tags=["parameters"]
# Parameters
receptive_field = 27  # frames that the model sees: 3, 9, 27, 81, 243 or 729
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures)
detector = "simulated"  # or "simulated_v2_blazepose", "ground_truth", …: keypoints to learn from
keypoints = "blazepose"  # or "openpose": the real detector that looked at the film
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace

import numpy as np
import torch
from IPython.display import Markdown

from paperlib import datasets, plotting
from paperlib.datasets.random_cameras import filmed_by
from paperlib.datasets.real_video import KEYPOINTS
from paperlib.detection import DETECTORS, detect
from paperlib.detection.coco import as_coco, coco_points
from paperlib.errors import MissingDataError
from paperlib.evaluation import compare
from paperlib.experiment import Experiment
from paperlib.models import RECEPTIVE_FIELDS, TemporalModel, filter_widths
from paperlib.prediction import predict

# %%
from paperlib.recordings import count_frames
from paperlib.rendering import FilmImages
from paperlib.skeletons import COCO_17, COCO_19, COMMON_14, H36M_17, convert
from paperlib.training import Recipe, Supervised

plotting.use_style()
experiment = Experiment.begin(
    "pavllo2019/figure4",
    globals(),
    detector=DETECTORS,
    receptive_field=RECEPTIVE_FIELDS[1:],
    keypoints=KEYPOINTS,
)
experiment

# %% [markdown]
# ## One model for both
#
# A real detector gives COCO's keypoints, and a film has a camera that no training has seen. So this
# is the model of [another page](../generalisation.ipynb) that is made for this: it learns from
# COCO's keypoints, before cameras drawn at random, and sees them centred on the person. What was
# trained there is found again here.


# %%
def seen(data):
    return detect(data.map(as_coco), experiment.detector, seed)


recipe = Recipe.pavllo2019(experiment.preset, 2 * count_frames(experiment.exact.train))
size = {"channels": recipe.channels, "dropout": recipe.dropout, "normalisation": "person"}
widths = filter_widths(receptive_field)
train = seen(filmed_by(replace(experiment.exact, test=(), unseen=()), "random"))
build = lambda: TemporalModel(17, 2, 17, widths, **size)  # noqa: E731
model = experiment.train("random cameras, person", Supervised(build, train), recipe).model
del train

# %% [markdown]
# ## Joints that both have in common
#
# The model answers the joints of Human3.6M. They are drawn as the points that a detector sees, with
# the middles of the hips and of the shoulders; from hips to nose is our own guess of where these
# lie on a body. Errors are those of the limbs, relative to the middle of the hips.


# %%
def points(positions, skeleton):
    """COCO's points with two middles, relative to that of the hips."""
    coco = convert(coco_points(positions) if skeleton == H36M_17 else positions, COCO_17, COCO_19)
    return coco - coco[..., COCO_19.root, None, :]


def lifted(recording):
    bare = replace(recording, positions=None, skeleton=H36M_17)
    return points(predict(model, bare, recipe.test_flip), H36M_17)


def errors(recordings, poses):
    """MPJPE and P-MPJPE of each, mm, over the twelve joints of the limbs and two middles."""
    limbs = [convert(pose, COCO_19, COMMON_14) for pose in poses]
    truth = [convert(points(r.truth, r.skeleton), COCO_19, COMMON_14) for r in recordings]
    changes = [{"positions": t, "skeleton": COMMON_14, "visible": None} for t in truth]
    alike = [replace(r, **change) for r, change in zip(recordings, changes, strict=True)]
    values = compare(limbs, alike).values
    return [[1000 * value for value in values[metric]] for metric in ("mpjpe", "p_mpjpe")]


# %%
def typical(recordings):
    """The recording of median error, and what the model makes of it."""
    poses = [lifted(r) for r in recordings]
    mpjpe, aligned = errors(recordings, poses)
    order = np.argsort(mpjpe)
    this = order[(len(order) - 1) // 2]
    print(f"{recordings[this]}: MPJPE {mpjpe[this]:.0f} mm, P-MPJPE {aligned[this]:.0f} mm")
    print(f"of all {len(order)}: MPJPE {min(mpjpe):.0f} to {max(mpjpe):.0f} mm")
    return recordings[this], poses[this].numpy()


# %% [markdown]
# ## How they are drawn
#
# The first row of poses is seen from where the camera stands (a little from above): left and right
# are on the same side as in the frame. The second is seen from the side of the room: the camera
# stands far out on the left, and depth, which no frame shows, goes from left to right. Where the
# detector missed a keypoint, those that it found are dots.

# %%
MOMENTS = 6
VIEWS = {"from the camera": -90, "from the side": 0}


def strip(recording, poses, pictures):
    """Moments of a video: keypoints over its pictures, and the poses from two sides."""
    middles = convert(recording.keypoints, COCO_17, COCO_19)
    sure = convert(recording.confidence[..., None], COCO_17, COCO_19)[..., 0]
    shown = recording.with_keypoints(middles, sure, COCO_19)
    truth = points(recording.truth, recording.skeleton)
    shown = replace(shown, positions=truth, skeleton=COCO_19, visible=None)
    both = dict.fromkeys(VIEWS, poses)
    return plotting.pose_sequence(
        shown, both, moments(recording), VIEWS, elevation=10, pictures=pictures
    )


def moments(recording):
    return torch.linspace(0, len(recording) - 1, MOMENTS).round().long().tolist()


# %% [markdown]
# ## A recording with painted bodies
#
# **Before you look:**<a id="how"></a> The keypoints lie on the body, and so does the pose, from the
# camera. By how much will it be off in depth, where no frame shows it: a few centimetres, or ten?
#
# Of one camera of the studio, which this model has not learnt from.

# %%
camera = experiment.exact.test[0].camera.name
exact = replace(experiment.exact, train=(), unseen=()).select(lambda r: r.camera.name == camera)
shown = seen(exact)
recording, poses = typical(shown.test)


# %%
def painted(recording):
    """Squares of its film about the person, all of one size, and where they lie in the film."""
    frames = torch.tensor(moments(recording))
    film = FilmImages(recording, size=256, seed=seed, margin=0.4)
    middle, side = (getattr(film.about_the_person(frames), name) for name in ("middle", "side"))
    crops = film.crops(middle, side.max().expand_as(side))
    low, high = (crops.middle - crops.side[:, None] / 2), (crops.middle + crops.side[:, None] / 2)
    edges = torch.stack([low[:, 0], high[:, 0], high[:, 1], low[:, 1]], dim=1).tolist()
    images = film.draw(frames, crops).images.permute(0, 2, 3, 1).numpy()
    return list(zip(images, edges, strict=True))


figure = strip(recording, poses, painted(recording))
saved = experiment.save_figure(figure, "pavllo2019_figure4_recording")

# %% [markdown]
# ## A real film
#
# 100 frames at 60 Hz. Nobody knows the truth: grey is what both detectors give together, from all
# four cameras, good to 2 to 3 cm. The model has one camera's keypoints from one detector.


# %%
def empty(recording):
    camera = recording.camera
    return [(np.full((1, 1, 3), 0.95), (0, camera.width, camera.height, 0))] * MOMENTS


try:
    views = datasets.load("real_video", keypoints=keypoints).test
    film, film_poses = typical(views)
    figure = strip(film, film_poses, empty(film))
    saved = experiment.save_figure(figure, "pavllo2019_figure4_film")
except MissingDataError as missing:
    print(f"The film is not here, and left out: {missing}")

# %% [markdown]
# From the camera a pose looks right as soon as it agrees with its keypoints. What the network knows
# of the third dimension is to be seen from the side.
#
# One moment is no evidence, and two videos are none either: errors of this model on all test
# recordings, and on the film with each detector and reference, stand on [the page where it comes
# from](../generalisation.ipynb).

# %%
protocol = experiment.protocol(shown, recipe, receptive_field, exact=exact.map(as_coco))
protocol = protocol.but(joints=len(COMMON_14))
Markdown(f"*{protocol}*")

# %% [markdown]
# ## Try next
#
# * `-p keypoints openpose`: a detector that does not smooth over time. Do the poses differ?
# * `-p receptive_field 3`: which moments get worse?
# * `VIEWS = {"from behind": 90}`: on which side is red now?
