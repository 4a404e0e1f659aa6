# %% [markdown]
# # The ledger of claims
#
# The five papers make 88 claims that can be checked. Which hold, on data that are free and models
# small enough for two CPU cores?
#
# This is the one place where the answers are kept. A claim has a **test of its own**, set down in
# `data/papers/claims.csv`: what is compared, on which side of which number it ought to lie, and
# what difference is too small to matter. An **effect** is a difference between two systems, taken
# seed by seed, so that what a seed does to both of them cancels (of a timing it is round by round,
# of labels that depend on no seed take by take); its 95 % interval over these (`±`) is set against
# that test, and the code, not the writer, says one of six words:
#
# * **reproduced exactly**: it was computed, and comes out to the printed digit;
# * **shows**: the whole interval lies on the claimed side of the number; or, where the claim is
#   that two things are equal, within what counts as equal;
# * **does not show**: no effect on the claimed side is left that is large enough to matter;
# * **opposite**: the whole interval lies on the other side;
# * **not decided**: none of these. Then it says how many seeds (or rounds, or takes) would decide,
#   if mean and spread stayed as they are; or what else is missing;
# * **cannot be judged here**: it takes what is not here, as photographs or a licensed data set.
#
# A claim with several parts holds only if every part does: it has the worst of their verdicts.
# *Open* is no verdict: nobody has run it. A size in millimetres belongs to the paper's data and is
# not tested; one in words (*about a quarter*) is, and means: nearer to this than to the next such
# word.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # needed by no cell: verdicts stand on rows that are on record
preset = "auto"  # needed by no cell
seed = 0  # needed by no cell
device = "auto"  # "cpu", "cuda"; needed by no cell
retrain = False  # needed by no cell

# %%
import pandas as pd
import torch
from IPython.display import Markdown

from paperlib import claims, plotting
from paperlib.claims import Rows, cannot, table
from paperlib.experiment import Experiment
from paperlib.models import OcclusionAware, TemporalModel, filter_widths
from paperlib.models import flops_per_frame, flops_per_window  # isort: skip

plotting.use_style()
experiment = Experiment.begin("claims", globals())
experiment

# %% [markdown]
# ## How it is judged
#
# A notebook gives the effects that it measures to `judge`, and its verdicts are shown below. Here
# are judged what takes the rows of two notebooks, and what cannot be measured. *Millimetres here
# are not the papers' millimetres.* Each line says on which data and with which detector it was
# measured.
#
# ### Pavllo et al. 2019

# %%
c05 = cannot("pavllo2019-c05", "pavllo2019/table1", "it takes images and person boxes")
c34 = cannot("pavllo2019-c34", "pavllo2019/table1", "it takes Human3.6M")
Markdown(table([c05, c34]))

# %% [markdown]
# ### Véges & Lőrincz 2020

# %%
parts, bridges = (Rows(f"veges2020/table{n}", dataset="mocap") for n in (3, 2))


def scale_free(system, poses="all", rows=bridges):
    free, metric = (rows.by_seed(m, action=poses)[system] for m in ("n_mrpe", "mrpe"))
    return free - metric


NET, OURS = "without refinement", "refinement"
below = {"unrefined": scale_free(NET), "interpolation": scale_free("interpolation")}
below |= {"1-Euro": scale_free("1-Euro"), "refinement": scale_free(OURS)}
below["without MuCo-Temp"] = scale_free("single people", rows=parts)
below["unrefined, visible"] = scale_free(NET, "visible")
below["refinement, visible"] = scale_free(OURS, "visible")
v14 = bridges.judge("veges2020-c14", below)
v11 = cannot("veges2020-c11", "veges2020/table1", "it takes MuPoTS-3D and methods on images")
Markdown(table([v11, v14]))

# %% [markdown]
# ### Wang et al. 2020

# %%
w06 = cannot("wang2020-c06", "wang2020/table1_to_5", "it takes HumanEva-I and a network on images")
actions = "it takes Human3.6M's actions, and others say nothing of sitting"
w07 = cannot("wang2020-c07", "wang2020/table6_7", actions)
Markdown(table([w06, w07]))

# %% [markdown]
# What a frame costs needs no data: multiplications and additions of the networks as they are built.

# %%
joints, widths = 15, filter_widths(27)
with torch.device("meta"):
    plain = TemporalModel(joints, 2, joints, widths)
    one, many = (OcclusionAware(joints, 3, joints, widths, vectors=v) for v in ("one", "many"))
alone = flops_per_window(plain) + flops_per_frame(one) - flops_per_frame(plain)
added = {"many vectors": flops_per_frame(many), "one vector": alone}
added = {name: flops - flops_per_frame(plain) for name, flops in added.items()}
cost = {"notebook": "wang2020/section4_3_occlusion_aware_tcn", "about": {}}
w10 = claims.judge("wang2020-c10", added, **cost)
Markdown(table([w10]))

# %% [markdown]
# ## The count

# %%
whole = claims.recorded()
counted = claims.counts(whole)
figure = plotting.verdict_counts(counted)
saved = experiment.save_figure(figure, "claims_counts")

# %%
totals = pd.concat([counted, counted.sum().rename("together").to_frame().T])
totals.insert(0, "claims", totals.sum(axis=1))
totals.rename(index=claims.TITLES)


# %% [markdown]
# ## All effects in one picture
#
# Every effect that was measured, with its 95 % interval, in units of the smallest difference that
# matters to its claim (beyond 1 the axis is logarithmic). What is claimed lies to the right,
# shaded; a stroke is the paper's own effect, on its own data.

# %%
figure = plotting.claim_effects(whole)
saved = experiment.save_figure(figure, "claims_effects")

# %% [markdown]
# ## The whole ledger
#
# What is printed here is what is on record, in `data/results/claims.csv`. In italics each claim's
# test, with the smallest difference that matters as its last number; and what was measured, on
# which data.


# %%
def page(paper):
    lines = [line for name, line in whole.items() if name.startswith(paper)]
    return Markdown(f"### {claims.TITLES[paper]}\n\n{table(lines, folder='')}")


page("pavllo2019")

# %%
page("veges2020")

# %%
page("wang2020")

# %%
page("cheng2020")

# %%
page("kato2020")

# %% [markdown]
# ## What a verdict costs
#
# `make claims ONLY=pavllo2019-c01` runs what one claim needs, and prints its verdict. The minutes
# are those of training alone, as they went on record, each on its machine; claims of one notebook
# share them. Without minutes: what is computed, or was measured before times were kept.

# %%
costs = claims.costs(whole)
minutes = [name for name in costs if name.startswith("minutes")]
costs.style.hide(axis="index").format("{:.0f}", minutes, na_rep="")

# %% [markdown]
# ## Try next
#
# * A verdict that you doubt: open its notebook, measure more seeds
#   (`make notebooks ONLY=pavllo2019/table1 SEEDS="1 2 3 4"`), and execute this page again.
# * A margin that you find too wide or too narrow: it is the last number of the claim's test in
#   `data/papers/claims.csv`.
