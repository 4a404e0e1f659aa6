# %% [markdown]
# # Exercises on Wang et al. 2020
#
# One to three for most pages of the paper. **Write your prediction down first**, then work it out
# by hand, then open the solution: it computes the same with the package. Nothing is trained, so
# that all of them run in seconds on a laptop, with the embedded data.
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

import pandas as pd
import torch

from paperlib import metrics
from paperlib.experiment import Experiment
from paperlib.models import OcclusionAware, count_parameters, filter_widths
from paperlib.results import interval, paper_table, shown

experiment = Experiment.begin("wang2020/exercises", globals())
recording = experiment.exact.test[0]
pose, root, camera = recording.pose, recording.trajectory[:, None], recording.camera
skeleton = recording.skeleton

# %% [markdown]
# ## [Section 4.1](section4_1_clustered_occlusions.ipynb): clustered occlusions
#
# **1. Three in a row.** Joints A, B and C lie on a line, 5 cm apart; their depths are 2, 3 and 1 m.
# With ε = 6 cm, which are hidden (a) by the text's sets, (b) if a joint is hidden only by a nearer
# neighbour, (c) if nobody knows the depths?
#
# *Predict first:* write down $S_A$, $S_B$ and $S_C$, and strike out all but the nearest of each.

# %% tags=["hide-cell"]
from paperlib.occlusion import clustered

points = torch.tensor([[0.0, 0.0], [0.05, 0.0], [0.10, 0.0]])
depths = torch.tensor([2.0, 3.0, 1.0])
found = {
    "sets": clustered(points, depths, 0.06),
    "nearer neighbours": clustered(points, depths, 0.06, rule="pairs"),
    "no depths": clustered(points, None, 0.06),
}
for name, hidden in found.items():
    print(f"{name:18} hides {', '.join('ABC'[j] for j in hidden.nonzero().flatten())}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The sets are {A, B}, {A, B, C} and {B, C}. A is the nearest of its own set and is struck out of
# B's, by C, which is not even its neighbour. By neighbours alone only B is hidden; without depths
# all are.
#
# </details>
#
# **2. ε of what?** The paper's 0.06 has no unit: 6 cm of the body, or 0.06 of half an image's
# width, 30 pixels of 1,000. With a focal length of 1,145 pixels, at which distance are the two the
# same? Which marks more joints of somebody 6 m away?
#
# *Predict first:* $30 \cdot z / 1145 = 0.06$.

# %% tags=["hide-cell"]
from paperlib.occlusion import labels

print(f"the same at {0.06 * 1145 / 30:.2f} m; this person is {root[..., 2].mean():.1f} m away")
for unit in ("metres", "image"):
    marked = labels(recording, "clustered", unit=unit).float().mean()
    print(f"unit {unit:7} {100 * marked:.0f} % of the joints are marked")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# At 2.3 m. Further away the pixels mean more centimetres, 17 at 6.5 m, and mark far more. The text
# names no unit, but calls the coordinates the camera's, which are metres.
#
# </details>
#
# **3. Precision, recall, F1.** Of 100 joints 10 are hidden. One labelling marks 20, among them 8 of
# the hidden ones. Another marks all 100. What are precision, recall and F1 of both?
#
# *Predict first:* six numbers; $F_1 = 2pr / (p + r)$.

# %% tags=["hide-cell"]
from paperlib.occlusion import scores

hidden = torch.arange(100) < 10
guesses = {
    "marks 20": (torch.arange(100) >= 2) & (torch.arange(100) < 22),
    "marks all": hidden | True,
}
for name, guess in guesses.items():
    found = scores(guess, hidden)
    print(
        f"{name:10} precision {found.precision:.2f}, recall {found.recall:.2f}, F1 {found.f1:.2f}"
    )

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 0.40, 0.80 and 0.53; 0.10, 1 and 0.18. Perfect recall is free. A network that zeroes what is
# marked pays for every false alarm.
#
# </details>
#
# ## [Section 4.2](section4_2_boxed_man.ipynb): the boxed man
#
# **4. The corners.** A forearm goes from A = (0, 0) to B = (0.3, 0.4) in the image; δ = 0.02. What
# are the two corners at A, by the paper's formula?
#
# *Predict first:* the slope m, φ = arctan(−1/m), and its cosine and sine: a triangle of 3, 4, 5.

# %% tags=["hide-cell"]
from paperlib.occlusion.bodies import body_of
from paperlib.occlusion.boxed_man import boxes

keypoints = torch.rand(17, 2, generator=torch.Generator().manual_seed(seed))
keypoints[skeleton.index("left_elbow")] = torch.tensor([0.0, 0.0])
keypoints[skeleton.index("left_wrist")] = torch.tensor([0.3, 0.4])
starts, ends = body_of(skeleton).segments(keypoints)
limb = int((starts.norm(dim=-1) + (ends - torch.tensor([0.3, 0.4])).norm(dim=-1)).argmin())
phi = math.atan(-1 / (0.4 / 0.3))
print(f"by hand ±({0.02 * math.cos(phi):.3f}, {0.02 * math.sin(phi):.3f})")
for corner in boxes(keypoints, skeleton, 0.02)[limb, :2]:
    print(f"by the package ({corner[0]:.3f}, {corner[1]:.3f})")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# m = 4/3, cos φ = 0.8 and sin φ = −0.6: the corners are ±(0.016, −0.012). The formula has no answer
# for a level limb (m = 0); a unit vector across the limb has.
#
# </details>
#
# **5. Before the chest, or behind it?** The right wrist is put on the line of sight to the spine,
# once 30 cm before it and once 30 cm behind. What do the boxed man and the rendered body say of the
# wrist?
#
# *Predict first:* two times two answers.

# %% tags=["hide-cell"]
from paperlib.cameras import project
from paperlib.occlusion import boxed_man
from paperlib.rendering import joint_visibility

wrist, spine = skeleton.index("right_wrist"), skeleton.index("spine")
for name, step in {"before": -0.3, "behind": 0.3}.items():
    body = (pose + root)[:1].clone()
    body[:, wrist] = body[:, spine] * (1 + step / body[:, spine, 2:])
    boxed = boxed_man(project(body, camera) / 500 - 1, skeleton)[0, wrist].item()
    rendered = not joint_visibility(body, skeleton)[0, wrist].item()
    print(f"{name} the spine: hidden by the boxed man {boxed}, by the rendered body {rendered}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The boxed man says *hidden* both times: the image is the same, and it has no depth. The body in
# space is hidden only behind. Arms held before the trunk are why labels from the image have many
# false alarms.
#
# </details>
#
# ## [Section 4.3](section4_3_occlusion_aware_tcn.ipynb): the occlusion-aware network
#
# **6. Where is zero?** Hidden keypoints are set to 0. Coordinates go from −1 to 1 across an image
# of 1,000 × 1,000 pixels. At which pixel lies a keypoint that was set to zero? How near do true
# keypoints come to it?
#
# *Predict first:* a corner, or where else?

# %% tags=["hide-cell"]
from paperlib.cameras import denormalize_screen_coordinates
from paperlib.windows import network_input

print("zero is the pixel", denormalize_screen_coordinates(torch.zeros(2), 1000, 1000).tolist())
distance = torch.cat([network_input(r) for r in experiment.exact.test]).norm(dim=-1)
share = 100 * (distance < 0.1).float().mean()
print(f"{share:.0f} % of the true keypoints lie within 50 pixels of it")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# The middle of the image, where people are. A zero is not *nothing*: it is a place, and the network
# must learn to tell it from a joint that is there.
#
# </details>
#
# **7. What does the branch learn from?** The gate is 1 where õ ≤ τ and 0 elsewhere. What is the
# gradient of the pose's error by the weights of the occlusion branch? And with a *straight-through*
# gate, which is 1 or 0 forwards, and $1 - õ$ backwards?
#
# *Predict first:* zero or not, twice.

# %% tags=["hide-cell"]
inputs = torch.rand(4, 29, 17, 3, generator=torch.Generator().manual_seed(seed))
inputs[..., 2] = inputs[..., 2].round()
for gate in ("hard", "straight_through"):
    torch.manual_seed(seed)
    model = OcclusionAware(17, 3, 17, filter_widths(27), gate=gate, channels=16).eval()
    metrics.mpjpe(model(inputs), torch.zeros(4, 1, 17, 3)).backward()
    gradients = [p.grad for p in model.branch.parameters()]
    largest = max(0.0 if g is None else g.abs().max().item() for g in gradients)
    print(f"{gate:17} largest gradient of the branch {largest:.1e}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Zero with the paper's gate: a step has no slope. Its branch learns from its own labels alone, and
# never whether zeroing helped the pose.
#
# </details>
#
# **8. One vector or many?** The branch for *many* vectors is one convolution of 3 frames from 17
# guesses to 17 occlusions; for *one* vector a window it has three of them, which see 27 frames. How
# many parameters are that? How many frames does the whole network see?
#
# *Predict first:* $3 \cdot 17 \cdot 17 + 17$, and three times that.

# %% tags=["hide-cell"]
for vectors in ("many", "one"):
    model = OcclusionAware(17, 3, 17, filter_widths(27), vectors=vectors, channels=1024)
    branch, whole = count_parameters(model.branch), count_parameters(model)
    sees = model.receptive_field
    print(f"{vectors:5} branch {branch:,} of {whole:,} parameters, sees {sees} frames")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 884 and 2,652 of 8.6 million. With many vectors each of the 27 frames looks one further to both
# sides, and the whole sees 29.
#
# </details>
#
# ## [Tables 1 to 5](table1_to_5.ipynb): differences of a tenth of a millimetre
#
# **9. Nine numbers, one average.** Tables 1 to 3 have three subjects each. Work out the averages of
# table 5 from the nine numbers of each network. Do they agree? Which single number moves them most?
#
# *Predict first:* rounding to a tenth leaves the mean of nine uncertain by how much?

# %% tags=["hide-cell"]
subjects = {f"subject_{n}": f"subject {n}" for n in (1, 2, 3)}
parts = {f"table {n}": paper_table(f"wang2020_table{n}").set_index("method") for n in (1, 2, 3)}
nine = {name: part[[*subjects]].rename(columns=subjects) for name, part in parts.items()}
nine = pd.concat(nine, axis=1).astype(float)
printed = paper_table("wang2020_table5").set_index("method")["average"]
means = pd.DataFrame({"mean of nine": nine.mean(axis=1), "printed": printed}).round(2)
print(means.to_string())
farthest = (nine - nine.stack([0, 1]).mean()).abs().mean().idxmax()
print("farthest from the mean:", ", ".join(farthest))

# %% [markdown]
# <details><summary>What it shows</summary>
#
# They agree to the printed digit: roundings of up to 0.05 mostly cancel over nine numbers.
# *Walking* of subject 3, near 47 mm, is twice as large as most others: half a millimetre more or
# less there moves the mean by 0.06, which is as much as lies between the networks.
#
# </details>
#
# **10. How many seeds?** Two trainings of one network differ by a standard deviation of 0.3 mm. How
# many seeds does it take to know a mean to ± 0.1 mm (95 %)?
#
# *Predict first:* $1.96 \cdot 0.3 / \sqrt n = 0.1$.

# %% tags=["hide-cell"]
from paperlib.results import seeds_needed

for spread in (0.3, 0.1):
    by_hand = (1.96 * spread / 0.1) ** 2
    print(f"spread {spread} mm: {seeds_needed(0.1, spread)} seeds; {by_hand:.1f} by the formula")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# It takes 38. (Student's t asks for a few more than 1.96 does, for it also has to find the spread.)
# Of how many the paper's differences of 0.05 to 0.10 mm are, it does not say.
#
# </details>
#
# **11. Paired.** Five seeds give one network 23.1, 22.7, 23.5, 22.9 and 23.3 mm, another, with the
# same seeds, 23.0, 22.5, 23.45, 22.75 and 23.25. Is the second one better? Compare the two means
# with their intervals; then take the differences seed by seed. (t = 2.776.)
#
# *Predict first:* does either of the two ways decide?

# %% tags=["hide-cell"]
first = torch.tensor([23.1, 22.7, 23.5, 22.9, 23.3])
second = torch.tensor([23.0, 22.5, 23.45, 22.75, 23.25])
difference = second - first
by_hand = 2.776 * difference.std() / math.sqrt(5)
print("alone ", " and ".join(shown(*interval(v.tolist()), decimals=2) for v in (first, second)))
print(f"paired {shown(*interval(difference.tolist()), decimals=2)}; by hand ± {by_hand:.2f}")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# Alone, each mean is known to ± 0.4 or 0.5 mm, and the two overlap almost wholly. Seed by seed the
# second is better by 0.11 ± 0.08: what both owe to the seed cancels.
#
# </details>
#
# ## [Tables 6 and 7](table6_7.ipynb): two protocols in one comparison
#
# **12. Can alignment make it worse?** P-MPJPE moves, turns and scales a pose onto the truth.
# Sixteen joints are exactly right, one is 50 cm off. What is the MPJPE, and is P-MPJPE lower?
#
# *Predict first:* 500 / 17 mm; and the alignment minimises the sum of *squares*.

# %% tags=["hide-cell"]
wrong = pose[:1].clone()
wrong[:, skeleton.index("right_wrist"), 0] += 0.5
for name, metric in {"MPJPE": metrics.mpjpe, "P-MPJPE": metrics.p_mpjpe}.items():
    print(f"{name:8} {1000 * metric(wrong, pose[:1]):.1f} mm")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 29.4 mm before, more after: to please one joint the sixteen others are moved. As a rule P-MPJPE is
# the lower one, but it is another question, and no difference between the two says how good a
# network is.
#
# </details>
#
# **13. What is compared?** The baseline's 47.7 mm are P-MPJPE, the other network's 42.9 mm MPJPE.
# Table II of Kato et al. has the baseline under both protocols. What gain is printed, and what is
# it when both are measured alike? On which action is it largest, as printed?
#
# *Predict first:* two gains in millimetres.

# %% tags=["hide-cell"]
baseline = paper_table("kato2020_table2").set_index("method").loc["Martinez et al."]
other = paper_table("wang2020_table7").iloc[0]
linear = paper_table("wang2020_table6").query("training_state == 'at_convergence'").iloc[0]
columns = {"as printed": "protocol2_p_mpjpe_mm", "both MPJPE": "protocol1_mpjpe_mm"}
for name, column in columns.items():
    gain = baseline[column] - other["average"]
    print(f"{name:12} {baseline[column]:.1f} - {other['average']} = {gain:.1f} mm")
unaligned = paper_table("pavllo2019_table1a").set_index("method").loc["Martinez et al."]
for action in ("directions", "photo", "sitting_down"):
    printed, alike = linear[action] - other[action], unaligned[action] - other[action]
    print(f"{action.replace('_', ' '):12} {printed:.1f} mm as printed, {alike:.1f} both MPJPE")

# %% [markdown]
# <details><summary>What it shows</summary>
#
# 4.8 mm as printed, 20.0 mm by one protocol. By action 0.7, 4.1 and 11.0 mm: the order fits what
# the paper expects of occlusion. It is no work of the alignment, which takes more off where errors
# are large, and here off the baseline alone: with the baseline's MPJPE it is 13.0, 26.5 and 36.2.
#
# </details>
#
# ## Back to the paper
#
# [Tables 1 to 5](table1_to_5.ipynb) measure the networks with five seeds, and the
# [ledger](../claims.ipynb) says which of the paper's claims hold.
