# %% [markdown]
# # The occlusion-aware network: zeroing what is hidden
#
# *Wang et al. 2020, sections 4.3 and 4.4.*
#
# **Does it help a network to zero what it takes to be hidden?** Not here, and one seed decides
# little: 55.9 mm with labels of the boxed man, where the plain network has 43.1. Zeroing what is
# *truly* hidden errs less than the plain network only where hidden joints are found 20 times as
# badly, and is never ahead of being told. <a href="#how">How it was found.</a>
#
# The lifting network is that of Pavllo et al. Before it stands a small one that sees, for each
# keypoint and frame, a guess g whether it is hidden (1) or not (0). A convolution over time and a
# sigmoid make of that an occlusion õ between 0 and 1, and keypoints whose õ is above a threshold τ
# are set to zero before they are lifted:
#
# $$\tilde o = \sigma(W * g), \qquad \tilde k = k \cdot [\,\tilde o \le \tau\,].$$
#
# õ has labels o of its own, and so the loss has two parts, with weights that the text leaves open:
#
# $$L' = \lambda_1 \,\mathrm{MPJPE} + \lambda_2 \,\mathrm{mean}\,|o - \tilde o|.$$
#
# This notebook looks inside: what each variant zeroes, what the second part of the loss teaches,
# and what becomes of the pose. Tables 1 to 5 compare the networks with several seeds.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "humaneva" (licensed) or "humaneva_like" (embedded); "auto": what is there
detector = "simulated"  # or "ground_truth", "simulated_v2_coarse", …: keypoints of the same joints
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import plotting
from paperlib.detection import DETECTORS, PROFILES, simulated
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import OcclusionAware, TemporalModel, count_parameters, filter_widths
from paperlib.models import flops_per_frame, flops_per_window  # isort: skip
from paperlib.occlusion import scores, with_labels
from paperlib.prediction import predict_occlusion
from paperlib.training import PoseAndOcclusion, Recipe, Supervised

plotting.use_style()

# %%
experiment = Experiment.begin(
    "wang2020/section4_3",
    globals(),
    dataset=("auto", "humaneva", "humaneva_like"),
    detector=DETECTORS,
)
experiment

# %% [markdown]
# ## Two variants
#
# *One vector*: convolutions as wide as the lifting network's lead from all guesses of a window to
# one vector, for the frame whose pose is asked for, and that frame's keypoints are zeroed. *Many
# vectors*: one convolution of three frames gives a vector for each frame, and all are zeroed.
#
# The abstract speaks of a *reduced computational cost*. As described, the network is the plain one
# and a branch beside it. With many vectors the branch is all that is added. With one, each window
# zeroes its own middle frame, so that no two windows of a sequence share their work, as the plain
# network's do:

# %%
data = experiment.load()
joints, widths = len(data.skeleton), filter_widths(27)
lifting = TemporalModel(joints, 2, joints, widths)
one, many = (OcclusionAware(joints, 3, joints, widths, vectors=v) for v in ("one", "many"))
branch = flops_per_frame(one) - flops_per_frame(lifting)
models = {
    "plain": (lifting, flops_per_frame(lifting)),
    "one vector": (one, flops_per_window(lifting) + branch),
    "many vectors": (many, flops_per_frame(many)),
}
cost = {
    name: {
        "frames it sees": model.receptive_field,
        "parameters": f"{count_parameters(model):,}",
        "beyond the plain network": f"{count_parameters(model) - count_parameters(lifting):,}",
        "FLOP a frame of a sequence": f"{flops:,}",
    }
    for name, (model, flops) in models.items()
}
pd.DataFrame(cost).T

# %% [markdown]
# So neither costs less than the plain network.
#
# ## What is zeroed
#
# Below, both variants with a branch set by hand, so that it believes every guess: a window of 27
# frames, its keypoints, and which of them are zeroed (dark).


# %%
def believing(vectors):
    model = OcclusionAware(joints, 3, joints, widths, vectors=vectors)
    with torch.no_grad():
        for layer in model.branch:
            layer.weight.zero_()
            layer.weight[:, joints : 2 * joints] = torch.eye(joints)  # the middle frame
        model.branch[-1].weight *= 24
        model.branch[-1].bias -= 12
    return model


boxed = data.map(lambda r: with_labels(r, "boxed_man", "boxed_man"))
longest = max(boxed.test, key=len)
middle = int((longest.confidence == 0).sum(dim=1)[13:-14].argmax()) + 13
window = longest.cut(middle - 13, middle + 14)
hidden = {"guesses": window.confidence == 0}
hidden["many vectors"] = predict_occlusion(believing("many"), window) > 0.5
hidden["one vector"] = torch.zeros_like(hidden["guesses"])
hidden["one vector"][13] = (predict_occlusion(believing("one"), window) > 0.5)[13]

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharey=True, layout="constrained")
for ax, (name, marked) in zip(axes, hidden.items(), strict=True):
    ax.imshow(marked.T, cmap="Blues", vmin=0, vmax=1.3, aspect="auto", interpolation="nearest")
    ax.axvline(13, color="#e07a3f", lw=1.2)
    ax.set(title=name, xlabel="frame of the window")
    ax.grid(False)
names = [joint.replace("_", " ") for joint in data.skeleton.joints]
axes[0].set_yticks(range(joints), names, fontsize=8)
saved = experiment.save_figure(figure, "wang2020_zeroed")

# %% [markdown]
# The line marks the frame whose pose the network gives. (What happens to the one vector's other
# frames the text does not say; zeroing a joint in all of them, because it is hidden in one, would
# throw away what the other frames tell about it.)
#
# ## Training
#
# The recipe of Tables 1 to 5, with one seed. The weight of the occlusions' loss is 0.1, the pose's
# error being in metres. With a hard gate no weight of the network feels both losses, and Adam does
# not mind the scale of one, so that the number hardly matters; with the other gates it does.

# %%
recipe = Recipe.wang2020(experiment.preset)
size = {"channels": recipe.channels, "dropout": recipe.dropout}


def trained(title, part, **options):
    def build():
        return OcclusionAware(joints, 3, joints, widths, **options, **size)

    return experiment.train(title, PoseAndOcclusion(build, part), recipe)


def error(run, part):
    return 1000 * evaluate(run.model, part.test, recipe.test_flip, device).average("mpjpe")


def plain(title, part, features=2):
    build = lambda: TemporalModel(joints, features, joints, widths, **size)  # noqa: E731
    return error(experiment.train(title, Supervised(build, part), recipe), part)


# %%
clusters = data.map(lambda r: with_labels(r, "clustered", "clustered"))
rendered = data.map(lambda r: with_labels(r, "rendered", "boxed_man"))
from_guesses = {"start_from_guesses": True}
cases = {
    ("one vector, clustered", "random"): (clusters, {"vectors": "one"}),
    ("one vector, clustered", "believing"): (clusters, {"vectors": "one"} | from_guesses),
    ("many vectors, boxed man", "random"): (boxed, {}),
    ("many vectors, boxed man", "believing"): (boxed, from_guesses),
    ("many vectors, rendered", "random"): (rendered, {}),
}
runs = {
    case: (trained(", ".join(case), part, **options), part)
    for case, (part, options) in cases.items()
}

# %% [markdown]
# ## What the second part of the loss teaches
#
# The mean absolute difference is least where õ is the *commoner* label: 1 only if, given what the
# network sees, the joint is hidden more often than not. Guesses of low precision never reach that,
# and the best answer is that everything is seen. Where a network says so with certainty, its
# sigmoid has no slope left to learn otherwise. So we train from random weights, as the text has it,
# and from weights that believe the guesses at first. How well do decisions agree with the labels?
#
# **Before you look:**<a id="how"></a> The labels say that 8.2 % of the keypoints are hidden, and
# come from rendered bodies. How many will the network that learns from them zero?


# %%
def decisions(run, part):
    said = torch.cat([predict_occlusion(run.model, r) for r in part.test]) > run.model.threshold
    label = ~torch.cat([r.visible for r in part.test])
    guess = torch.cat([r.confidence for r in part.test]) == 0
    decided, guessed = scores(said, label), scores(guess, label)
    return {
        "labels hidden": f"{100 * decided.hidden:.1f} %",
        "taken as hidden": f"{100 * decided.marked:.1f} %",
        "F1 of that": f"{decided.f1:.2f}",
        "F1 of the guesses": f"{guessed.f1:.2f}",
        "MPJPE, mm": f"{error(run, part):.1f}",
    }


base = plain("plain", data)
table = {case: decisions(*run) for case, run in runs.items()}
table[("plain network", "")] = {"MPJPE, mm": f"{base:.1f}"}
table = pd.DataFrame(table).T.fillna("").rename_axis(["network", "start"])
table.style.set_caption(f"{experiment.caption}; one seed")

# %% [markdown]
# ## The gate
#
# A threshold has no slope, so that the error of the pose does not reach what decides about zeroing.
# It can be made to: *straight-through* zeroes likewise and passes gradients as if keypoints had
# been scaled by 1 − õ; a *soft* gate does scale them by that. Then the pose has a say in what is
# hidden.

# %%
gates = {"hard": runs[("many vectors, boxed man", "random")]}
for gate in ("straight_through", "soft"):
    gates[gate] = (trained(f"many vectors, boxed man, {gate} gate", boxed, gate=gate), boxed)
table = pd.DataFrame({gate: decisions(*run) for gate, run in gates.items()}).T
table.style.set_caption("many vectors, boxed man, from random weights")

# %% [markdown]
# With the straight-through and the soft gate the pose decides, too; how much less is taken as
# hidden than with the hard one says what zeroing is worth to it. (A soft gate zeroes nothing; what
# is taken as hidden are keypoints scaled by less than a half.)
#
# ## How loud is a guess?
#
# Instead of zeroing, one may hand the guess to the plain network as a third number beside x and y.
# Keypoints in screen coordinates move by hundredths; a guess that jumps between 0 and 1 is far
# louder, and so is a keypoint that jumps to zero.

# %%
loudness = {"1": boxed}
loudness["0.05"] = boxed.map(lambda r: replace(r, confidence=0.05 * r.confidence))
informed = {
    f"plain, guesses of 0 and {loud}": plain(f"plain, guesses times {loud}", part, 3)
    for loud, part in loudness.items()
}
pd.Series({"plain": base, **informed}, name="MPJPE, mm").round(1).to_frame()

# %% [markdown]
# ## When would zeroing pay?
#
# When a keypoint of a hidden joint is worth nothing. Here the first version of the simulated
# detector errs by a factor more where a joint is truly hidden: 2.5, its own, and larger ones. And
# when it is known what is hidden: the network is told the truth for a guess, in testing too, and
# starts by believing it. No method has that. The last column is the plain network, told the same as
# a third number, and zeroing nothing.


# %%
def worse(factor):
    """The data as a detector sees them that errs by ``factor`` more where a joint is hidden."""
    profile = replace(PROFILES["simulated_v1"], hidden=factor)
    return experiment.exact.map(lambda r: simulated.simulate(r, profile, seed))


def with_the_truth(recording, loud=1.0):
    known = with_labels(recording, "rendered", "boxed_man")
    return replace(known, confidence=loud * known.visible.float())


# %%
found = {}
for factor in (2.5, 8.0, 20.0):
    part, about = worse(factor), f"errors times {factor:g}"
    known, quiet = part.map(with_the_truth), part.map(lambda r: with_the_truth(r, 0.05))
    zeroing = trained(f"told what is hidden, {about}", known, start_from_guesses=True)
    found[factor] = {
        "plain": plain(f"plain, {about}", part),
        "zeroing what is hidden": error(zeroing, known),
        "plain, told what is hidden": plain(f"told, {about}", quiet, 3),
    }
table = pd.DataFrame(found).T.rename_axis("errors of hidden joints, times")
table.style.format("{:.1f}").set_caption("MPJPE, mm")


# %%
def where(better):
    factors = [f"{factor:g}" for factor in table.index[better]]
    return f"with errors times {' and '.join(factors)}" if factors else "with none of these errors"


plain_one, zeroing, informed_one = (table[column] for column in table)
Markdown(
    "Zeroing what is truly hidden is better than to know nothing of it "
    f"**{where(zeroing < plain_one)}**, and better than to know it and zero nothing "
    f"**{where(zeroing < informed_one)}** (one seed)."
)

# %% [markdown]
# ## Try next
#
# * `-p detector ground_truth`: with exact keypoints there is no reason at all to zero one.
# * `table1_to_5`: the paper's comparison, with five seeds on record.
# * Exercises 6 to 8 of [the exercises](exercises.ipynb), with solutions.
