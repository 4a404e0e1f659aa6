"""How the direct solver looks for the lowest of several minima."""

from typing import NamedTuple

from paperlib.refinement.settings import Settings

RIDGE = 1e-9  # of the largest weights: holds what nothing else does
NEAR_CAP = 0.5  # of the squared error from which it pays to give a frame up
REACH = 1  # long steps: frames further away than that are left out of the search
SEEN = 0.5  # of the score: one start gives up what scores less
DESCENT = 100  # steps at most; a few are usual
HARDER = 8.0  # factor on the hardness of the soft cap from step to step …
HARD = 6.0  # … up to this one, from which the cap itself leads on


class Search(NamedTuple):
    """The energy of a track and these numbers, as compiled code takes them."""

    short: float  # weight of the short step
    long: float  # weight of the long step
    short_step: int  # frames
    long_step: int  # frames
    cap: float  # square metres
    reach: int  # frames
    ridge: float = RIDGE
    near_cap: float = NEAR_CAP
    seen: float = SEEN
    descent: int = DESCENT
    harder: float = HARDER
    hard: float = HARD


def searches(settings: Settings) -> tuple[Search, Search]:
    """For the root, and for the other joints relative to it."""
    steps = settings.short_step, settings.long_step
    rest = *steps, settings.cap, REACH * settings.long_step
    return (
        Search(float(settings.root_short), float(settings.root_long), *rest),
        Search(float(settings.pose_short), float(settings.pose_long), *rest),
    )
