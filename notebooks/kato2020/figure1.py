# %% [markdown]
# # Figure 1: from images to depths to poses
#
# *Kato et al. 2020, section II, "Proposed method", figure 1.*
#
# **What moves the second stage's answer?** On the clip shown, 54% of its squared derivative is by
# x, 44% by y and 2% by depth, each in the unit that the network is given: half an image's width,
# and three quarters of a metre of depth. It is an example, of one clip and one seed.
# <a href="#how">How it was found.</a>
#
# All other systems of this companion begin with keypoints: two numbers for each joint, from which a
# network must guess the third. This one begins with **images**. Its first stage says of each frame
# $I_t$ where each joint is in the image *and how deep it lies about the root*, together $x_t$; its
# second stage reads the $x_t$ of some frames and answers with the pose $y_t$ of the middle one.
#
# The paper's figure is a scheme. This page draws the same from two networks at work: one clip goes
# through them, and everything in the picture is a number that they gave.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "bandai_namco", "mocap", "human36m"
receptive_field = 27  # frames that the second stage sees: 27 or 81
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, images, shuffling, noise
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import plotting
from paperlib.evaluation import compare, evaluate
from paperlib.experiment import Experiment, pictured
from paperlib.prediction import bone_lengths, first_stage_poses, predict, predict_dataset
from paperlib.rendering import FilmImages
from paperlib.training import first_stage, second_stage
from paperlib.windows import network_input

# %%
plotting.use_style()
experiment = Experiment.begin("kato2020/figure1", globals(), receptive_field=(27, 81))
experiment = pictured(experiment).with_detector("integral_regression")
experiment

# %% [markdown]
# ## Two networks
#
# The first one learns from rendered images of the training bodies, and of other people whose depths
# are held back ([its own page](section2_first_stage.ipynb)). The second one learns from what the
# first says of the training clips, with noise added to the depths
# ([its own page](section2_second_stage.ipynb)). Every page on this paper trains them in the same
# way, and finds them again.

# %%
data = experiment.exact
images, seeing = first_stage(data, experiment.preset)
first = experiment.train("first stage", images, seeing)
seen = predict_dataset(first.model, data, seed, precision=seeing.precision)
depths, recipe = second_stage(seen, experiment.preset, receptive_field=receptive_field)
second = experiment.train("second stage", depths, recipe)

# %% [markdown]
# ## A clip, and a moment in it
#
# Of the test clips that are long enough, the one on which the second stage has its median error;
# and there the moment around which the joints travel farthest.

# %%
long = [r for r in seen.test if len(r) > 2 * receptive_field]
errors = evaluate(second.model, long, recipe.test_flip, device).values["mpjpe"]
clip = long[sorted(range(len(long)), key=errors.__getitem__)[len(long) // 2]]
half = receptive_field // 2
travelled = clip.pose.diff(dim=0).norm(dim=-1).sum(dim=-1)
frame = travelled.unfold(0, 2 * half, 1).sum(dim=-1).argmax().item() + half
print(f"{clip}, frame {frame}")

# %% [markdown]
# ## What the first stage sees, and what it makes of that
#
# Seven of the frames. Of each joint the network gives a volume, columns by rows by depths, which a
# softmax makes a distribution. Here all joints' volumes are laid over each other and looked at from
# two sides: summed over depths they show the body as in the image (*from the front*), summed over
# rows they show it *from above*, the camera below. Each joint is as bright at its brightest as all
# others.

# %%
moments = torch.arange(-3, 4) * ((half - 1) // 3)
film = FilmImages(clip, size=first.model.config["size"], seed=seed)
drawn = film.draw(frame + moments)
model = first.model.cpu().eval()
with torch.no_grad():
    volume = model.volume(drawn.images).float()
share = volume.flatten(2).softmax(dim=-1).view(volume.shape)


# %%
def laid_over(along):
    """``(N, rows, columns)``: all joints' volumes, seen along one of their axes."""
    view = share.sum(dim=along)
    return (view / view.amax(dim=(2, 3), keepdim=True)).amax(dim=1).numpy()


pictures = {
    "images $I_t$": drawn.images.permute(0, 2, 3, 1).numpy(),
    "heatmap volumes,\nfrom the front": laid_over(2),
    "from above": laid_over(3)[:, ::-1],  # the camera below
}
points = drawn.crops.from_film(clip.keypoints[frame + moments]) / film.size

# %% [markdown]
# ## Which frames does the answer listen to?
#
# **Before you look:**<a id="how"></a> The input has x, y and depth of each joint. How large a share
# of the answer hangs on each?
#
# How much would the pose change if what the first stage says of one frame changed? The derivative
# of the pose by each frame's input, along a few random directions, averaged over windows of the
# clip.

# %%
network = second.model.cpu()
windows = network_input(clip, depth=True).unfold(0, receptive_field, 5).permute(0, 3, 1, 2)
windows = windows[:64].requires_grad_()
generator, squares = torch.Generator().manual_seed(seed), torch.zeros(receptive_field, 3)
for _ in range(8):
    out = network(windows)
    directions = torch.randn(out.shape, generator=generator)
    (gradient,) = torch.autograd.grad((out * directions).sum(), windows)
    squares += gradient.square().sum(dim=(0, 2))
influence = squares.sum(dim=1).sqrt().numpy()
part = (squares.sum(dim=0) / squares.sum()).tolist()
print("squared derivative: {:.0%} by x, {:.0%} by y, {:.0%} by depth".format(*part))

# %% [markdown]
# ## The picture

# %%
poses = predict(network, clip, recipe.test_flip)
given = points.numpy(), clip.depths[frame + moments].numpy(), influence
answer = poses[frame].numpy(), clip.pose[frame].numpy()
figure = plotting.two_stages(
    network, moments.tolist(), pictures, *given, *answer, clip.skeleton, clip.fps
)
saved = experiment.save_figure(figure, "kato2020_figure1")

# %% [markdown]
# From the camera, an answer looks right as soon as it is right in the image. From the side, one
# sees what the second stage made of the depths.
#
# ## This clip in numbers
#
# The first stage alone needs the distance of the root to become millimetres: the true one, which no
# image tells, or one that follows from the bones of the training bodies.

# %%
lengths, found = bone_lengths(data.train), {"second stage": poses}
for root in ("true", "estimated"):
    found[f"first stage, {root} root depth"] = first_stage_poses(clip, root, lengths)
table = {name: compare([pose], [clip]) for name, pose in found.items()}
columns = {"MPJPE": "mpjpe", "P-MPJPE": "p_mpjpe", "MPJVE": "mpjve"}
table = {n: {c: e.average(m) for c, m in columns.items()} for n, e in table.items()}
pd.DataFrame(table).T.mul(1000).style.format("{:.1f}").set_caption("mm, mm/frame; one clip")

# %%
Markdown(f"*{experiment.protocol(seen, recipe, receptive_field)}*")

# %% [markdown]
# One clip shows how a system works, not how well: that is in [table 1](table1.ipynb) and
# [table 2](table2.ipynb).
#
# ## Try next
#
# * `-p receptive_field 81`: does the answer listen farther?
# * `second_stage(seen, experiment.preset, "2d_depth", 27)`: without noise in training, how much of
#   the derivative is by depth?
# * `-p seed 1`: other clothes, another light. How much do the volumes change?
