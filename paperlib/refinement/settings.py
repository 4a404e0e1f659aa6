"""The settings of a refinement of trajectories: weights, time steps, the cap, the median filter."""

from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True)
class Settings:
    """The constants of the energy (veges2020, 3.2 and 4.3; the weights, which its text lost, as in
    published configurations). Immutable; ``settings.but(cap=0.25)`` gives a changed one.

    The weights belong to sums over all frames and coordinates in metres, not to means. The long
    step counts frames, whatever the frame rate: 20 are 0.8 s at 25 fps.
    """

    root_short: float = 1.0  # weight of the root's motion over the short step
    root_long: float = 0.1  # … over the long step, where the person is hidden
    pose_short: float = 0.1  # the same two for the joints relative to the root
    pose_long: float = 0.01
    short_step: int = 1  # frames
    long_step: int = 20  # frames
    cap: float = 1.0  # square metres: a coordinate further off than its root counts no more
    median: int = 9  # frames of the median filter on the visibility score; 1 for none

    def __post_init__(self):
        for name, value in vars(self).items():  # NumPy's numbers and tensors are none to compilers
            try:
                object.__setattr__(self, name, value if type(value) is int else float(value))
            except (TypeError, ValueError) as problem:
                raise ValueError(f"{name}={value!r} is not a number") from problem
        weights = ("root_short", "root_long", "pose_short", "pose_long")
        given = {name: getattr(self, name) for name in weights}
        wrong = {name: weight for name, weight in given.items() if not 0 <= weight < inf}
        if wrong:
            raise ValueError(
                f"the weights of the energy must be 0 or more, and finite, got {wrong}"
            )
        steps = {name: getattr(self, name) for name in ("short_step", "long_step", "median")}
        if not all(step >= 1 and float(step).is_integer() for step in steps.values()):
            raise ValueError(f"steps and median filter take whole frames, 1 or more, got {steps}")
        for name, step in steps.items():
            object.__setattr__(self, name, int(step))
        if self.median % 2 == 0:
            raise ValueError(
                f"median={self.median}: a median filter needs an odd number of frames to have a "
                "middle; take one more or one less"
            )
        if not self.cap > 0:
            raise ValueError(
                f"cap={self.cap}: the largest squared error must be above 0 square metres; "
                'for none, cap=float("inf")'
            )

    def but(self, **changes) -> "Settings":
        return replace(self, **changes)


PAPER = Settings()
