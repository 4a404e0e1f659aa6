# %% [markdown]
# # The pose discriminator: is this how people move?
#
# *Cheng et al. 2020, section "Pose discriminator", figure 4, equations 4 and 5.*
#
# **What does a discriminator of poses look at?** Ψ and Φ are what the paper says, to rounding.
# Trained, it takes 44 % of true windows for true, 3 % of those that tremble by 10 mm and 2 % with
# their frames in another order; but 44 % of those that run backwards, and 71 % with a forearm 30 %
# longer (one seed). <a href="#how">How it was found.</a>
#
# A network that lifts keypoints can answer poses that nobody could take, or poses that are all
# possible with a motion between them that is not. A second network learns to tell its sequences
# from true ones, and the first learns to make that hard. What the second one looks at decides what
# it can teach. The paper gives it, beside the coordinates,
#
# * the **spatial** kinematic chain space of each frame, $\Psi = B^T B$: the columns of $B$ are
#   the bones $b_m$: squared lengths on the diagonal, inner products of two bones elsewhere;
# * the **temporal** one, $\Phi = \Psi_{t+i} - \Psi_t$: how lengths and angles change within $i$
#   frames.
#
# The text calls the other entries of $\Psi$ *weighted angles*; they are $\ell_m \ell_n \cos\theta$.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu", "mocap" (both free motion captures), "human36m"
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …: what the generator sees
interval = 1  # i of the temporal chain space, frames; at least 1
length = 64  # frames of a window
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.detection import DETECTORS, FILES
from paperlib.experiment import Experiment
from paperlib.kinematics import (
    bone_lengths,
    bone_vectors,
    forward_kinematics,
    kinematic_chain_space,
    rotation_apply,
    rotation_from_euler,
    temporal_kinematic_chain_space,
)
from paperlib.models import MultiStrideTCN
from paperlib.training import Adversarial, Recipe, collapse

# %%
plotting.use_style()
experiment = Experiment.begin(
    "cheng2020/section_pose_discriminator",
    globals(),
    detector=DETECTORS + FILES,
    interval=None,
    length=None,
)
experiment

# %% [markdown]
# ## By hand
#
# A thigh of 0.4 m straight down and a shin of 0.5 m that points backwards: the knee is bent by a
# right angle, so that their inner product is 0. The diagonal holds 0.16 and 0.25 m². Then the knee
# is stretched; the diagonal stays, and the inner product becomes 0.4 · 0.5 = 0.2 m².

# %%
bent = [[0.0, 0.0, 0.0], [0.0, 0.0, -0.4], [-0.5, 0.0, -0.4]]
straight = [[0.0, 0.0, 0.0], [0.0, 0.0, -0.4], [0.0, 0.0, -0.9]]
knee = torch.tensor([bent, straight], dtype=torch.float64)
psi = kinematic_chain_space(bone_vectors(knee, (-1, 0, 1)))
phi = temporal_kinematic_chain_space(psi)
for name, matrix in {"Ψ, bent": psi[0], "Ψ, straight": psi[1], "Φ": phi[0]}.items():
    print(f"{name}:\n{matrix.numpy().round(6)}")

# %% [markdown]
# ## Of a real motion
#
# The test recording in which the right elbow moves most. On the left Ψ of a frame; on the right Φ
# from there to a tenth of a second later, where the elbow moves fastest: what moves stands out. The
# diagonal is next to 0, since bones keep their lengths; of motion capture some *bones* are lines
# through a back that bends. A bone has the name of the joint at its end.

# %%
exact = experiment.exact
skeleton, parents = exact.skeleton, exact.skeleton.parents
bones = [name.replace("_", " ") for j, name in enumerate(skeleton.joints) if parents[j] >= 0]
upper, lower = (bones.index(f"right {joint}") for joint in ("elbow", "wrist"))


def elbow(recording):
    """Degrees by which the right elbow is bent, in each frame."""
    product = kinematic_chain_space(bone_vectors(recording.pose.double(), parents))
    lengths = bone_lengths(recording.pose.double(), parents)
    cosine = product[:, upper, lower] / (lengths[:, upper] * lengths[:, lower])
    return torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))


# %%
moving = max(exact.test, key=lambda r: elbow(r).std().item() if len(r) > 30 else 0.0)
later = max(1, round(moving.fps / 10))
bend = elbow(moving)
psi = kinematic_chain_space(bone_vectors(moving.pose.double(), parents))
phi = temporal_kinematic_chain_space(psi, later)
frame = int(phi[:, upper, lower].abs().argmax())
shown = {"Ψ, spatial": psi[frame].numpy(), "Φ, temporal": phi[frame].numpy()}
figure = plotting.chain_spaces(shown, bones, "m²")
print(moving)
saved = experiment.save_figure(figure, "cheng2020_chain_spaces")

# %%
figure, (above, below) = plt.subplots(2, 1, figsize=(7.2, 3.6), sharex=True)
seconds = torch.arange(len(moving)) / moving.fps
above.plot(seconds, bend)
above.set(ylabel="right elbow,\ndegrees bent")
below.plot(seconds, psi[:, upper, lower], label="Ψ: upper arm · forearm")
below.plot(seconds[:-later], phi[:, upper, lower], label=f"Φ over {later} frames")
below.set(xlabel="seconds", ylabel="m²")
below.legend(loc="upper left", bbox_to_anchor=(1, 1))
saved = experiment.save_figure(figure, "cheng2020_chain_space_elbow")

# %% [markdown]
# ## What holds exactly
#
# Claim `cheng2020-c20`: the diagonal of Ψ, that of Φ for rigid bones, and that neither feels a turn
# of the whole body. The bones are those of the pose above, and are turned about their joints at
# random from frame to frame, so that they are rigid to the last digit.

# %%
now = bone_vectors(moving.pose[frame].double(), parents).T
nothing = torch.zeros(100, 3, dtype=torch.float64)
offsets = torch.cat([nothing[:1], now])  # the root is the first joint
turns = torch.rand(100, len(parents), 3, generator=torch.Generator().manual_seed(0)).double()
pose = forward_kinematics(rotation_from_euler("xyz", 6 * turns), offsets, parents, nothing)
psi = kinematic_chain_space(bone_vectors(pose, parents))
phi = temporal_kinematic_chain_space(psi, later)

# %%
diagonal = psi.diagonal(dim1=-2, dim2=-1) - bone_lengths(pose, parents).square()
turn = rotation_from_euler("xyz", torch.tensor([0.4, -2.0, 0.3], dtype=torch.float64))
turned = kinematic_chain_space(bone_vectors(rotation_apply(turn, pose), parents))
change = max(
    (turned - psi).abs().max().item(),
    (temporal_kinematic_chain_space(turned, later) - phi).abs().max().item(),
)
exactly = {
    "diagonal": diagonal.abs().max().item(),
    "temporal diagonal": phi.diagonal(dim1=-2, dim2=-1).abs().max().item(),
    "rotation": change,
}
Markdown(claims.table([experiment.judge("cheng2020-c20", exactly)]))

# %% [markdown]
# ## Two networks learn against each other
#
# The generator is the paper's multi-stride network (strides 1, 2 and 3) on coordinates, with two
# views of each moment; the discriminator sees Ψ, Φ and the coordinates of its sequences. Both true
# and made ones are turned at random first, about the vertical by any angle: else the turn would
# tell them apart. (The paper writes that the generated pose is turned; of the true ones it says
# nothing.) Both are judged with some noise, a centimetre for each coordinate: what a network makes
# trembles by some millimetres, and a discriminator that may look that closely needs no other sign.

# %%
data = experiment.load()
windows = 2 * sum(-(-len(r) // length) for r in data.train)  # mirrored ones included
recipe = Recipe.cheng2020(experiment.preset, windows, length)
joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
size = {"channels": recipe.channels, "embedding": 2 * recipe.channels, "dropout": recipe.dropout}


def build():
    return MultiStrideTCN(*joints, (1, 2, 3), length, **size)


learning = Adversarial(build, data, intervals=(interval,))
run = experiment.train("multi-stride, discriminator", learning, recipe)
figure = plotting.adversarial_curves(run.history)
saved = experiment.save_figure(figure, "cheng2020_adversarial_curves")
print(collapse(run.history) or "no collapse")

# %% [markdown]
# A discriminator that is always right teaches little: where its logit is far on one side, the
# gradient that the generator gets from it is small. Accuracies near one half mean that it knows
# nothing. Several who train such networks report that another seed decides.
#
# ## What has it learnt?
#
# True test motion, and what could be wrong with it: the share of windows that the discriminator
# takes for true, and its mean logit. It has only ever seen poses with some noise, and so it sees
# these.
#
# **Before you look:**<a id="how"></a> Six faults are made up. Which of them will the discriminator
# not see?

# %%
chance = torch.Generator().manual_seed(seed)
test = [r for r in exact.test if len(r) >= length][:200]
true = torch.stack([r.pose[:length] for r in test])
order = torch.randperm(length, generator=chance)
noise = 0.01 * torch.randn(true.shape, generator=chance)
arm = [skeleton.index(f"right_{joint}") for joint in ("elbow", "wrist")]
longer, bowed = true.clone(), true.clone()
longer[:, :, arm[1]] += 0.3 * (true[:, :, arm[1]] - true[:, :, arm[0]])
knees = [skeleton.index(f"{side}_knee") for side in ("left", "right")]
ankles = [skeleton.index(f"{side}_ankle") for side in ("left", "right")]
bowed[:, :, ankles] += 0.5 * (true[:, :, knees] - true[:, :, ankles])
sequences = {
    "true": true,
    "frozen": true[:, :1].expand_as(true),
    "backwards": true.flip(1),
    "frames in another order": true[:, order],
    "trembling by 10 mm": true + noise,
    "right forearm 30 % longer": longer,
    "shins half as long": bowed,
}

# %%
judge = run.model.discriminator.cpu().eval()
with torch.no_grad():
    seen = learning.noise * torch.randn(true.shape, generator=chance)
    logits = {name: judge(poses + seen) for name, poses in sequences.items()}
found = {
    name: {"taken for true": (values > 0).float().mean().item(), "logit": values.mean().item()}
    for name, values in logits.items()
}
table = pd.DataFrame(found).T
table.style.format({"taken for true": "{:.0%}", "logit": "{:.2f}"})

# %% [markdown]
# It was shown nothing but what the generator makes, and need not know other faults. What a lifting
# network does that people do not is to **tremble**, and that it sees, as it sees frames in another
# order. Shins half as long seldom pass, nobody moving less often than the truth, and a forearm that
# is too long more often. *Backwards* is hardly a fault: Φ changes its sign, and much motion could
# be run either way.
#
# ## Try next
#
# * `-p interval 5`: changes over a tenth of a second. Which of the faults are found then?
# * `intervals=()` in `Adversarial`: without Φ, does it still know the frames in another order?
# * `turned=False`: how right is the discriminator if nothing is turned?
# * `noise=0.0`: and if it may look closely?
# * Exercises 1 to 3 of [the exercises](exercises.ipynb), with solutions.
