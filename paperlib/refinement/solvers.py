"""One entrance to the refinement, whichever solver does it."""

from paperlib.arrays import Array, Visibility, as_positions, require_metres, require_people_first
from paperlib.errors import one_of
from paperlib.refinement.adam import ITERATIONS, LEARNING_RATE, adam
from paperlib.refinement.direct import direct
from paperlib.refinement.energy import root_first
from paperlib.refinement.settings import PAPER, Settings

SOLVERS = ("direct", "adam")


def refine(
    positions: Array,
    visibility: Visibility = None,
    settings: Settings = PAPER,
    solver: str = "direct",
    iterations: int = ITERATIONS,
    learning_rate: float = LEARNING_RATE,
    root: int = 0,
) -> Array:
    """Predicted trajectories made smooth where the person was not seen (veges2020, 3.2).

    ``positions`` ``(T, J, 3)`` or ``(P, T, J, 3)`` are absolute metres in camera space, joint
    ``root`` the root; NaN for what is not known, also to pad shorter tracks at their end.
    ``visibility`` is one score from 0 to 1 a frame, ``(T,)`` or ``(P, T)``, or one for each of K
    keypoints, with K last; ``None`` takes every known frame as seen. The result has the shape,
    kind, precision and device of ``positions`` and no gaps.

    A frame counts as hidden by the median of its score and those around it, so that a gap of less
    than half of that filter is taken for a flaw of the detector: put NaN there if the positions
    mean nothing.

    ``"direct"`` minimises the energy by banded linear systems; ``"adam"`` is the paper's way, with
    its number of ``iterations`` and a ``learning_rate`` chosen here. Raises ``ValueError`` for a
    joint that is known in no frame, and for what no people can be: millimetres, frames first.
    """
    one_of("solver", solver, SOLVERS)
    given = as_positions(positions)
    if root != 0:  # put it there, and back
        order = root_first(root, given.shape[-2])
        moved = positions[..., order, :]
        refined = refine(moved, visibility, settings, solver, iterations, learning_rate)
        return refined[..., [order.index(joint) for joint in range(len(order))], :]
    require_metres(given)
    require_people_first(given)
    if solver == "direct":
        return direct(positions, visibility, settings)
    return adam(positions, visibility, settings, iterations, learning_rate)
