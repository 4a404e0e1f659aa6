# %% [markdown]
# # Data sets and protocols
#
# *Pavllo et al. 2019, section 5.1.*
#
# **What does a number in the tables stand for?** For data, a split and a protocol. In place of
# Human3.6M's 15 actions stand 29 of free motion capture, of which 622,136 frames are learnt from
# and 343,556 are tested. And the protocol decides: a body turned by half a turn is 350.0 mm off by
# Protocol 1, and 0.0 mm by Protocol 2. <a href="#how">How it was found.</a>
#
# The paper has two data sets of people before cameras, with markers that tell where their joints
# are; a split into those who are learnt from and those who are tested; and three ways of measuring
# an error. Both data sets are licensed. This page counts what the companion has in their place, and
# works the three protocols out on a body so small that a pencil is enough.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
preset = "auto"  # nothing is trained here; "smoke" counts a small piece of the data
seed = 0  # needed by no cell: nothing here is random
device = "auto"  # "cpu", "cuda"; needed by no cell
retrain = False  # nothing is trained here

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from paperlib import datasets, metrics, plotting
from paperlib.evaluation import joint_speed
from paperlib.evaluation.body_size import body_height
from paperlib.experiment import Experiment
from paperlib.recordings import count_frames

plotting.use_style()
experiment = Experiment.begin("pavllo2019/section5_1_datasets", globals())
experiment

# %% [markdown]
# ## What the paper has, and what is here
#
# **Human3.6M** is large and made in one room: four cameras that never move, at 50 Hz. Seven of its
# eleven people have published poses; five are learnt from and two are tested. One model learns all
# actions. **HumanEva-I** is small: three people, each of them in both parts, in other takes.
#
# Beside them stand the data that this companion measures on, and HumanEva-I's protocol on invented
# motion. A *take* is one performance, a *recording* what one camera saw of a piece of it. Every
# camera's frames count, as in the paper's 3.6 million.


# %%
def names(recordings, field):
    return list(dict.fromkeys(getattr(r, field) for r in recordings))


def by_clip(recordings):
    groups = {}
    for r in recordings:
        groups.setdefault((r.subject, r.action, r.clip), []).append(r)
    return groups


# %%
def counted(data):
    everything = (*data.train, *data.test, *data.unseen)
    cameras = {len(names(views, "camera")) for views in by_clip(everything).values()}
    return {
        "frames": f"{count_frames(everything):,}",
        "to train on": f"{count_frames(data.train):,}",
        "to test on": f"{count_frames(data.test):,}",
        "takes": len({(r.subject, r.action, r.take) for r in everything}),
        "recordings": len(everything),
        "actions": len(names(everything, "action")),
        "cameras": ", ".join(map(str, sorted(cameras))),
        "Hz": ", ".join(f"{fps:g}" for fps in sorted({r.fps for r in everything})),
        "joints": len(data.skeleton),
        "people to train on": ", ".join(names(data.train, "subject")),
        "people to test on": ", ".join(names(data.test, "subject")),
    }


# %%
HUMAN36M = {"cameras": "4", "Hz": "50", "joints": 17, "actions": 15, "frames": "3.6 million"}
HUMAN36M |= {"people to train on": "S1, S5, S6, S7, S8", "people to test on": "S9, S11"}
HUMANEVA = {"cameras": "3", "Hz": "60", "joints": 15, "actions": 3}
HUMANEVA |= dict.fromkeys(("people to train on", "people to test on"), "S1, S2, S3")
data, like = (experiment.exact, datasets.load("humaneva_like", small=experiment.preset == "smoke"))
table = {
    ("Human3.6M", "paper"): HUMAN36M,
    ("Human3.6M", f"here: {experiment.dataset}"): counted(data),
    ("HumanEva-I", "paper"): HUMANEVA,
    ("HumanEva-I", "here: humaneva_like"): counted(like),
}
pd.DataFrame(table).reindex(counted(data)).fillna("").style

# %%
print(data.source, f"Left out: {data.excluded}.", like.source, sep="\n\n")

# %% [markdown]
# ## What they do
#
# Action by action: the minutes that were performed (one camera's frames), and the mean speed of all
# joints relative to the root: the median over frames, and what a tenth of them exceed. The paper's
# tables have a column for each of 15 actions, and give each the same weight in their average,
# however long it is.
#
# **Before you look:**<a id="how"></a> Somebody runs, somebody waves, somebody bows. How many times
# faster than the slowest action is the fastest, by the median?


# %%
def once(recordings):
    """One camera's view of each clip: what was performed, not what was filmed."""
    return [views[0] for views in by_clip(recordings).values()]


def speeds(recordings):
    return torch.cat([joint_speed(r) for r in once(recordings) if len(r) > 1]).numpy()


parts = {"train": data.train, "test": data.test, "unseen": data.unseen}
parts = {name: part for name, part in parts.items() if part}
performed = {}
for action in names([r for part in parts.values() for r in part], "action"):
    own = {name: [r for r in part if r.action == action] for name, part in parts.items()}
    long = {f"{n}, minutes": sum(len(r) / r.fps for r in once(o)) / 60 for n, o in own.items()}
    speed = np.quantile(speeds([r for part in own.values() for r in part]), (0.5, 0.9))
    performed[action] = long | dict(zip(("median, m/s", "fastest tenth"), speed, strict=True))

# %%
table = pd.DataFrame(performed).T.sort_values("median, m/s")
table = table.rename(index=lambda action: action.replace("_", " ").replace("-", " "))
table.style.format("{:.2f}").set_caption(experiment.dataset)

# %% [markdown]
# A model that sees 243 frames needs as many: what a shorter recording lacks is filled by repeating
# its first and last frame.

# %%
lengths = np.array([len(r) for r in once((*data.train, *data.test))])
for field in (27, 81, 243):
    share = lengths[lengths < field].sum() / lengths.sum()
    print(f"{100 * share:5.1f} % of the frames are in recordings of fewer than {field} frames")

# %% [markdown]
# ## How large they are
#
# Bones end to end from the ankles to the top of the head. A network that has learnt one size of
# body and is tested on another errs by its share of every bone: of a picture alone, size and
# distance cannot be told apart.


# %%
def heights(recordings):
    bodies = {}
    for r in once(recordings):
        bodies.setdefault(r.subject, []).append(body_height(r.pose, data.skeleton).median().item())
    rows = {who: (np.min(found), np.median(found), np.max(found)) for who, found in bodies.items()}
    return pd.DataFrame(rows, index=["smallest", "median", "largest"]).T


sizes = {name: heights(part) for name, part in parts.items()}
pd.concat(sizes).style.format("{:.3f}").set_caption(
    f"metres, over the recordings of each name, {experiment.dataset}"
)

# %% [markdown]
# ## How fast, and how far away
#
# Left: the speed of every frame. (The paper reports that time helps most in highly dynamic
# actions.) Right: the distance of the root along the camera's axis, which section 4 weights its
# trajectory by.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
drawn = {"training": data.train, "testing": data.test}
for name, part in drawn.items():
    speed = speeds(part)
    depth = torch.cat([r.trajectory[:, 2] for r in part]).numpy()
    look = {"density": True, "histtype": "step", "lw": 1.6, "color": plotting.colour_of(name)}
    for ax, values in zip(axes, (speed, depth), strict=True):
        most = np.quantile(values, 0.995)
        ax.hist(values[values < most], 40, label=f"{name}, median {np.median(values):.2f}", **look)
for ax in axes:
    ax.set_ylim(0, 1.35 * ax.get_ylim()[1])
    ax.legend(loc="upper right")
axes[0].set(xlabel="speed of the joints, m/s", ylabel="share of frames, density")
axes[1].set(xlabel="depth of the root, m")
saved = experiment.save_figure(figure, "pavllo2019_section5_1_speed_and_depth")

# %% [markdown]
# ## Three protocols, by hand
#
# A wire with four joints, in millimetres: the root, one 200 below it, the next 150 to the right of
# that, the last 600 behind that. All positions are relative to the root. They lie 0, 200, 250 and
# 650 from it ($150^2 + 200^2 = 250^2$ and $250^2 + 600^2 = 650^2$).
#
# **Protocol 1** (MPJPE): the mean distance between predicted and true joints,
# $\frac{1}{J}\sum_j \lVert \hat{x}_j - x_j \rVert$. **Protocol 3** (N-MPJPE): the same after the
# prediction is multiplied by the number that fits it best,
# $s = \sum_j \hat{x}_j \cdot x_j \,/\, \sum_j \lVert \hat{x}_j \rVert^2$. **Protocol 2** (P-MPJPE):
# after it was also moved and turned as fits best.
#
# Five wrong answers, and what Protocol 1 must give:
#
# 1. *a metre too far away*, all of it: the root moves along, (0 + 0 + 0 + 0) / 4;
# 2. *a tenth too small*: (0 + 20 + 25 + 65) / 4;
# 3. *half a turn about the line of sight*: joints are to the left for right, and above for below,
#    at twice their distance from that line: (0 + 400 + 500 + 500) / 4;
# 4. *back to front*: the last joint is 600 before the others and not behind them: 1200 / 4;
# 5. *the last joint 40 too far back*: 40 / 4.

# %%
true = torch.tensor([[0, 0, 0], [0, 200, 0], [150, 200, 0], [150, 200, 600]]).double()
away, last = torch.tensor([0, 0, 1000]), torch.tensor([[0, 0, 0]] * 3 + [[0, 0, 40]])
answers = {
    "a metre too far away": (true + away, 0),
    "a tenth too small": (0.9 * true, 27.5),
    "half a turn": (true * torch.tensor([-1, -1, 1]), 350),
    "back to front": (true * torch.tensor([1, 1, -1]), 300),
    "the last joint 40 too far back": (true + last, 10),
}
rows = {}
for name, (answer, by_hand) in answers.items():
    pose = answer - answer[0]
    assert metrics.mpjpe(pose, true).item() == by_hand, name
    measured = [f(pose, true).item() for f in (metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe)]
    rows[name] = dict(zip(("Protocol 1", "Protocol 2", "Protocol 3"), measured, strict=True))
pd.DataFrame(rows).T.style.format("{:.1f}").set_caption("millimetres, by the companion's metrics")

# %% [markdown]
# * What is only too small is no error in Protocols 2 and 3; what is only turned, none in Protocol
#   2. A mirror image is an error in all of them: nothing is ever mirrored back.
# * Half a turn costs less in Protocol 3 than in 1. By hand:
#   $s = (-200^2 - 250^2 + (600^2 - 250^2)) / (200^2 + 250^2 + 650^2) = 195 / 525$. The best size
#   for a wrong answer is a small one, and a protocol that lets every pose choose its size is kind
#   to all of them.
# * The first row is why the paper says *not using the global trajectory*: where a person stands is
#   not asked for. (Véges & Lőrincz ask for it: [MRPE](../veges2020/table1.ipynb).)
#
# ## Try next
#
# * A pose of your own in `answers`: can Protocol 2 be larger than Protocol 1? The alignment makes
#   the sum of *squares* smallest, and the protocol adds up distances.
# * `-p dataset mocap`: more actions. Which are faster than walking?
# * Which action gains most from time is in [table 1](table1.ipynb): is it the fastest?
