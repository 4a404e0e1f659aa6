"""Smooth trajectories through occlusions: the energy of veges2020, its solvers, and baselines."""

from paperlib import lazily
from paperlib.refinement.adam import History, adam
from paperlib.refinement.direct import direct
from paperlib.refinement.energy import energy, energy_terms, visibility_score
from paperlib.refinement.filters import delay, gaussian, one_euro, savitzky_golay
from paperlib.refinement.interpolation import interpolate
from paperlib.refinement.settings import PAPER, Settings
from paperlib.refinement.solvers import SOLVERS, refine

__getattr__, __dir__ = lazily(__name__)
