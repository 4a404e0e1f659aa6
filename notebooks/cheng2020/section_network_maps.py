# %% [markdown]
# # Maps of a network: from pictures to poses
#
# *Cheng et al. 2020, "Multi-scale features for pose estimation".*
#
# **Is a map worth more than its peak, if a network has seen it?** Yes: poses from its maps are 4.0
# ± 0.8 mm nearer than poses from maps that are drawn of its peaks. Both are far behind simulated
# maps, by 26.3 ± 5.6 and 30.3 ± 6.2 mm: the network takes 11.5 ± 2.9 % of the visible joints for
# the other side's. <a href="#how">How it was found.</a>
#
# The paper crops the person out of each frame, and gives the picture to a **high-resolution
# network** (HRNet), which answers a heat map for each joint. These maps are what its system learns
# from. On all other pages of this companion maps are *drawn*, from keypoints that a simulated
# detector found ([multi-scale features](section_multi_scale_features.ipynb)). Here they are seen: a
# small network of the same kind learns from rendered people, then looks at films of other rendered
# people, and the poses come from its maps. Nothing on this way from picture to pose is made up but
# the pictures.
#
# Three questions:
#
# 1. What is in maps of a network that is not in drawn ones?
# 2. How far off are its joints in the picture, and does it tell left from right?
# 3. Are poses better that are lifted from its maps than from maps drawn of **its own peaks**? That
#    is the paper's question: what a map holds that its peak does not.

# %% tags=["parameters"]
# Parameters
dataset = "synthetic"  # embedded; "cmu" (motion capture) is as large, "mocap" eight times
detector = "simulated"  # or "ground_truth", …: whose keypoints say where to crop, and are drawn
preset = "auto"  # "smoke" (seconds), "laptop" (half an hour), "paper" (a GPU); "auto": which fits
seed = 0  # of weights, shuffling, pictures to learn from and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown
from matplotlib.colors import PowerNorm

# %%
from paperlib import plotting
from paperlib.cameras import normalize_screen_coordinates, project
from paperlib.claims import by_seed
from paperlib.detection import DETECTORS
from paperlib.evaluation import evaluate
from paperlib.experiment import METRIC_NAMES, Experiment
from paperlib.models import HighResolutionNet, count_parameters
from paperlib.occlusion import SimulatedMaps, peak_widths, second_peaks
from paperlib.prediction import NetworkMaps, predict, predict_maps, with_peaks
from paperlib.recordings import count_frames
from paperlib.rendering import FilmImages
from paperlib.results import interval, over_seeds, select, shown
from paperlib.training import KeypointMaps, Recipe, spatio_temporal
from paperlib.windows import network_input

# %%
plotting.use_style()
experiment = Experiment.begin("cheng2020/section_network_maps", globals(), detector=DETECTORS)
experiment

# %% [markdown]
# ## The network
#
# The first convolutions bring the picture to a quarter of its size. That resolution is **kept to
# the end**, where other networks go down and come up again. Beside it run branches of a half and of
# a quarter of it, which see further around, and again and again every branch takes the sum of all.
#
# It learns from the bodies of the training part, drawn anew for each step: in other clothes, before
# another background, in another light, turned, cropped too near or too far, half of them with a box
# or a second person before them. A map to learn is a Gaussian about the joint; **1 high where the
# joint is visible, 0.3 where it is hidden**, and nothing where it is outside of the picture. So the
# height of a peak should tell how sure the network is.

# %%
bodies, camera = experiment.exact, experiment.exact.test[0].camera.name


def tested_by_one_camera(part):
    return replace(part, test=tuple(r for r in part.test if r.camera.name == camera))


data = tested_by_one_camera(experiment.load())
joints, pixels = data.skeleton, {"smoke": 32, "laptop": 64, "paper": 256}[experiment.preset]
see = Recipe.cheng2020_maps(experiment.preset)


def high_resolution():
    return HighResolutionNet(len(joints), see.channels)


seeing = experiment.train("map network", KeypointMaps(high_resolution, bodies, pixels), see)
network = seeing.model
print(f"{count_parameters(network):,} parameters, pictures of {pixels} x {pixels} pixels,")
print(f"{see.epochs * see.epoch_examples:,} of them in {seeing.seconds / 60:.1f} minutes")

# %% [markdown]
# What it holds of one picture, from left to right: the mean size of the channels of each branch
# after each exchange. Under each picture stands its size: channels × rows × columns.

# %%
film = FilmImages(data.test[0], pixels, margin=0.2)  # as it has learnt
picture = film.draw(torch.tensor([len(data.test[0]) // 2])).images.to(network.last.weight.device)
caught, parts = {}, {"stem": network.stem}
parts |= {f"exchange {number}": part for number, part in enumerate(network.stages, start=1)}


def kept_as(name):
    def hook(module, given, found):  # a stage gives a list of branches
        caught[name] = list(found) if isinstance(found, list) else [found]

    return hook


hooks = [part.register_forward_hook(kept_as(name)) for name, part in parts.items()]
answer = network.maps(picture).detach()[0].cpu().numpy()
for hook in hooks:
    hook.remove()
stages = {name: [b[0].detach().cpu().numpy() for b in found] for name, found in caught.items()}
figure = plotting.high_resolution(picture[0].permute(1, 2, 0).cpu().numpy(), stages, answer)
saved = experiment.save_figure(figure, "cheng2020_high_resolution_network")

# %% [markdown]
# ## What it sees of the films
#
# Each film is drawn with one look, and cropped about the keypoints of the detector: where in the
# image the person is, is taken as known, as the paper takes its boxes. The maps of all frames are
# made once and kept. Beside them stand **simulated** maps of the same frames in the same crops:
# drawn from the detector's keypoints and their confidence.

# %%
seen = predict_maps(network, data, pixels, precision=see.precision)
cells, mirrored = pixels // 4, list(joints.mirrored)
drawing = SimulatedMaps(size=cells, sigma=1.0)


def maps_of(recording):
    """The network's maps of a film, and simulated ones."""
    x = network_input(recording, confidence=True)[None]
    drawn = drawing.draw(x[..., :2], x[..., 2], recording.crops[None])[0]
    return {"network": recording.heatmaps(torch.arange(len(recording))), "simulated": drawn}


def places(recording):
    """Where the joints are ``(T, K, 2)``, in cells of the maps from the middle of the first."""
    exact, lens = project(recording.truth, recording.camera), recording.camera
    screen = normalize_screen_coordinates(exact, lens.width, lens.height)
    crops = recording.crops[:, None]
    return ((screen - crops[..., :2]) / crops[..., 2:] + 0.5) * cells - 0.5


# %% [markdown]
# The frame of the test in which the second peaks of the network are highest, all joints taken
# together: the four joints that have the highest ones, and the joint of which it is surest. On top
# what the network was shown; the circle is where the joint is. (Brightness is the root of the
# value, or nobody would see low peaks.)

# %%
second = [second_peaks(maps_of(r)["network"])[..., 2] for r in seen.test]
worst = max(range(len(second)), key=lambda n: second[n].sum(dim=1).max().item())
one, frame = seen.test[worst], int(second[worst].sum(dim=1).argmax())
maps, place = {name: m[frame] for name, m in maps_of(one).items()}, places(one)[frame]
view = NetworkMaps(network, FilmImages(one, pixels))
picture = view.film.draw(torch.tensor([frame]), view.crops[[frame]]).images[0].permute(1, 2, 0)
chosen = second[worst][frame].argsort(descending=True)[:4].tolist()
chosen += [int(maps["network"].flatten(1).amax(dim=1).argmax())]

# %%
figure, axes = plt.subplots(3, 5, figsize=(9, 5.7))
rows = {"picture": None} | maps
for row, (name, values) in zip(axes, rows.items(), strict=True):
    for ax, joint in zip(row, chosen, strict=True):
        scale = 1 if values is not None else 4  # pixels in a cell
        x, y = ((place[joint] + 0.5) * scale - 0.5).tolist()
        shown_here = picture if values is None else values[joint]
        ax.imshow(shown_here, "inferno", norm=None if values is None else PowerNorm(0.5, 0, 1))
        ax.plot(x, y, "o", mfc="none", mec="#55d6be", ms=10, mew=1.6)
        side = cells * scale - 0.5
        ax.set(xticks=[], yticks=[], xlim=(-0.5, side), ylim=(side, -0.5))
        ax.spines[:].set_visible(False)
        if values is None:
            hidden = "" if one.visible[frame, joint] else ", hidden"
            ax.set_title(joints.joints[joint].replace("_", " ") + hidden, fontsize=9.5)
    row[0].set_ylabel(name, fontweight="bold")
saved = experiment.save_figure(figure, "cheng2020_network_maps")

# %% [markdown]
# ## Heights, widths, second peaks
#
# Of all joints of the test films, visible and hidden ones apart. The *width* is that of the highest
# peak, in cells (the standard deviation of the Gaussian through its top; of peaks above 0.1). A
# *second peak* counts where it is at least a quarter as high as the first, and more than two cells
# away; it is *at the other side* where the other side's joint is less than a cell and a half from
# it.


# %%
def read(recording, maps):
    """What there is to say of each joint of each frame."""
    top, two = maps.flatten(-2).amax(dim=-1), second_peaks(maps)
    there = two[..., 2] > top / 4
    other = (two[..., :2] - places(recording)[:, mirrored]).norm(dim=-1) < 1.5
    values = {
        "joints": torch.where(recording.visible, 0, 1),
        "height": top,
        "width": peak_widths(maps).masked_fill(top < 0.1, torch.nan),
        "second peak, %": 100.0 * there,
        "of these at the other side, %": (100.0 * other).masked_fill(~there, torch.nan),
    }
    return pd.DataFrame({name: value.flatten().numpy() for name, value in values.items()})


# %%
kinds = {name: pd.concat([read(r, maps_of(r)[name]) for r in seen.test]) for name in maps}
found = pd.concat(kinds, names=["maps", None])
found["joints"] = found["joints"].map({0: "visible", 1: "hidden"})
groups = found.groupby(["maps", "joints"], sort=False)
table = groups[["height", "width"]].median().add_suffix(", median")
table = table.join(groups["height"].std().rename("height, deviation"))
table = table.join(groups[["second peak, %", "of these at the other side, %"]].mean())
table.sort_index(ascending=False).style.format("{:.2f}").set_caption(experiment.caption)

# %% [markdown]
# ## How far off?
#
# In pixels of the film (1000 of them across): the peaks of the network's maps, on films of people
# whom it has never seen and of those from whom it has learnt, and the simulated detector's
# keypoints. A joint is *taken for the other side's* where it is found nearer to the true place of
# that one; counted are those whose two places are at least two cells apart.


# %%
def off(recording, exact):
    """How far each joint of each frame is from where it should be, and what to group it by."""
    true = project(exact.truth, exact.camera)
    error, other = ((recording.keypoints - t).norm(dim=-1) for t in (true, true[:, mirrored]))
    two_cells = 2 * exact.crops[:, None, 2] / cells * exact.camera.width / 2
    apart = (true - true[:, mirrored]).norm(dim=-1) > two_cells
    values = {"pixels": error, "other side, %": 100.0 * (other < error)}
    values["other side, %"] = values["other side, %"].masked_fill(~apart, torch.nan)
    values["joints"] = torch.where(exact.visible, 0, 1)
    return pd.DataFrame({name: value.flatten().numpy() for name, value in values.items()})


peaks = seen.map(with_peaks)
compared = {"network": (peaks.test, seen.test)}
compared["network, people it learnt from"] = (peaks.train[::10], seen.train[::10])
compared[f"detector ({detector})"] = (seen.test, seen.test)

# %%
errors = {
    name: pd.concat([off(*pair) for pair in zip(*both, strict=True)])
    for name, both in compared.items()
}
errors = pd.concat(errors, names=["found by", None])
errors["joints"] = errors["joints"].map({0: "visible", 1: "hidden"})
values = errors.groupby(["found by", "joints"], sort=False).mean().unstack()
rows = []
for (kind, which), column in values.items():
    unit = "px" if kind == "pixels" else "%"
    for name, value in column.items():
        about = experiment.about(name, seeing) | {"action": "average", "unit": unit}
        rows.append(about | {"metric": f"{kind.split(',')[0]}, {which}", "value": value})
saved = experiment.record(rows)
plane = over_seeds(experiment.measured(rows)).reindex(values.index)
plane.style.set_caption(f"pixels and %; {experiment.caption}; ± 95 % over seeds")

# %% [markdown]
# ## What the height tells
#
# Joints of the test in the order of the height of their peaks, in ten parts: how wrong are they?
# For the detector the height is its confidence.

# %%
figure, ax = plt.subplots(figsize=(5.6, 3.3))
sure = {"network maps": peaks.test, "simulated maps": seen.test}
for name, recordings in sure.items():
    height = torch.cat([r.confidence.flatten() for r in recordings]).numpy()
    pairs = zip(recordings, seen.test, strict=True)
    far = pd.concat([off(*pair) for pair in pairs])["pixels"].to_numpy()
    tenth = pd.qcut(pd.Series(height).rank(method="first"), 10, labels=False)
    parts = pd.DataFrame({"height": height, "pixels": far}).groupby(tenth).mean()
    ax.plot(*parts.to_numpy().T, "o-", color=plotting.colour_of(name), label=name)
    rank = pd.Series(height).corr(pd.Series(far), method="spearman")
    print(f"{name}: rank correlation of height and error {rank:+.2f}")
ax.set(xlabel="height of the peak", ylabel="mean error, pixels", xlim=(0, 1), ylim=(0, None))
ax.legend()
saved = experiment.save_figure(figure, "cheng2020_network_height_and_error")

# %% [markdown]
# ## From maps to poses
#
# **Before you look:**<a id="how"></a> The network's peaks are wrong more often than the detector's
# keypoints. Will poses be worse by much? And do its maps know where its peaks are wrong?
#
# Three times the same multi-stride network, with the same masks over what it sees, learns from
#
# * **simulated maps**, drawn from the detector's keypoints: what the other pages do. Their errors
#   are another detector's; against this one nothing is said about maps;
# * **maps of its peaks**, drawn from what the map network found, as high as its peaks;
# * **network maps**, as they are. They and the maps of its peaks differ in what a peak does not
#   hold, and in nothing else.
#
# (Films mirrored in training and testing have their maps mirrored: left and right exchanged, the
# crop on the other side.) Views, films without poses and the discriminator are left out, as in
# table 2's third row: they take twice as long.

# %%
SIMULATED, PEAKS, NETWORK = "simulated maps", "maps of its peaks", "network maps"
sources = {SIMULATED: data, PEAKS: peaks, NETWORK: seen}
plain = {"views": 0.0, "adversarial": 0.0}
runs, rows, poses = {}, [], {}
for name, source in sources.items():
    kind = {"maps": "network"} if name == NETWORK else {}
    objective, recipe = spatio_temporal(source, experiment.preset, **kind, **plain)
    runs[name] = experiment.train(name, objective, recipe)
    error = evaluate(runs[name].model, source.test, recipe.test_flip, device)
    rows += experiment.rows(name, error, runs[name], clips=True)
    poses[name] = predict(runs[name].model, source.test[worst], recipe.test_flip)
saved = experiment.record(rows)
print(", ".join(f"{name} {run.seconds / 60:.1f} minutes" for name, run in runs.items()))

# %%
measured = experiment.measured(rows)
averages = select(measured, action="average")
table = over_seeds(averages).reindex(list(sources)).rename(columns=METRIC_NAMES)
table = table.rename_axis(index=None, columns=None)
table.style.set_caption(f"mm, mm/frame, mm/frame²; {experiment.caption}; ± 95 % over seeds")

# %%
columns = {"MPJPE": "mpjpe", "P-MPJPE": "p_mpjpe", "MPJVE": "mpjve"}
each = {title: by_seed(measured, m, action="average") for title, m in columns.items()}
pairs = [(NETWORK, PEAKS), (NETWORK, SIMULATED), (PEAKS, SIMULATED)]
differences = {
    f"{new} less {old}": {t: shown(*interval(e[new] - e[old])) for t, e in each.items()}
    for new, old in pairs
}
caption = f"mm, mm/frame; paired by seed; {experiment.caption}"
pd.DataFrame(differences).T.style.set_caption(caption)

# %%
exact, length = tested_by_one_camera(bodies), runs[NETWORK].model.length
protocol = experiment.protocol(data, recipe, length, measured["seed"], exact)
averaging = f"films of one camera, {count_frames(data.test):,} frames; {protocol.averaging}"
Markdown(f"*{protocol.but(averaging=averaging)}*")

# %% [markdown]
# The claim of the paper that maps are worth more than their peaks, `cheng2020-c01`, is judged in
# [table 2](table2.ipynb), on drawn maps; the first line of the differences asks it of seen ones.
#
# ## From a picture to a pose
#
# The film with the frame above: what the network is shown, its maps (all joints together) and those
# drawn from its peaks, and the poses from both. They are seen from the side, since from the camera
# no error of depth would show; the truth is broad and grey.

# %%
frames = torch.linspace(0, len(one) - 1, 7).long()
pictures = view.film.draw(frames, view.crops[frames]).images.permute(0, 2, 3, 1).numpy()
shown_maps = {"network": maps_of(one)["network"][frames].numpy()}
lines = {"simulated\nmaps": SIMULATED, "maps of\nits peaks": PEAKS, "network\nmaps": NETWORK}
answers = {title: poses[name][frames].numpy() for title, name in lines.items()}
truth = one.pose[frames].numpy()
figure = plotting.pictures_to_poses(pictures, shown_maps, answers, truth, joints)
print(one)
saved = experiment.save_figure(figure, "cheng2020_pictures_to_poses")

# %% [markdown]
# ## Try next
#
# * `-p detector ground_truth`: simulated maps without an error. How near do poses from seen ones
#   come?
# * `hidden=1.0` in `KeypointMaps`: a network that is as sure of what it cannot see. What becomes of
#   the heights, and of the poses?
# * `flip=True` in `predict_maps`: the maps of the mirror image averaged in. It costs as much again;
#   how many of the joints that were taken for the other side's are put right?
# * Without `**plain` in `spatio_temporal`: the whole system but for films.
# * `SimulatedMaps(confused=...)`: how would one have to draw second peaks so that they are like the
#   network's?
