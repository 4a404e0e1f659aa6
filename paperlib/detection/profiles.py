"""The second simulated detector: what its profiles are made of, and those that have a name.

Sizes are in % of the person's height in the image (:func:`paperlib.detection.height.image_height`),
so that they hold near and far; times are in seconds, so that they hold at any frame rate. What
real detections are like, and how near these come, says :mod:`paperlib.detection.calibration`.
"""

from dataclasses import dataclass, fields, is_dataclass
from math import inf


@dataclass(frozen=True)
class Standing:
    """A bias that stays while pose and view do: a smooth function of both, the same in every
    recording, so that a network can learn it, as it can a real detector's."""

    size: float  # %: root mean square length over poses and views, of a joint of weight 1
    bend: float = 1.2  # radians by which a turn of a limb or of the trunk by one radian moves it
    constant: float = 0.4  # share of its variance that is the same in every pose and view


@dataclass(frozen=True)
class Noise:
    """Errors without a cause: new in each frame, or lasting for a while, both in bursts."""

    jitter: float  # %: standard deviation along x and y, new in each frame
    drift: float  # %: the same, correlated over time
    drift_seconds: float  # after which the correlation of the drift has fallen to 1/e
    smoothness: int = 1  # how often the drift is smoothed: 1 has corners, 2 has none
    bursts: float = 0.5  # standard deviation of the logarithm of their size
    burst_seconds: float = 0.4  # after which a burst has fallen to 1/e


@dataclass(frozen=True)
class Spikes:
    """Keypoints that are somewhere else entirely: of one joint, or of the whole person."""

    share: float = 0.0  # of frames of a joint of weight 1, each alone
    person_share: float = 0.0  # of frames, all joints together: another person is taken for this
    lasting_share: float = 0.0  # of frames of a joint, for `seconds`; the others last one frame
    seconds: float = 0.2  # mean length of those that last
    size: float = 48.0  # %: median distance; twice that of the whole person
    spread: float = 0.4  # standard deviation of its logarithm


@dataclass(frozen=True)
class Hidden:
    """What becomes of a joint that the camera does not see."""

    factor: float = 1.5  # on noise
    snaps: float = 0.15  # share of the frames in which it lies on what hides it
    seconds: float = 0.3  # mean length of such a snap


@dataclass(frozen=True)
class Swaps:
    """Left and right of an arm or a leg exchanged, where they lie close together in the image or
    where one of their joints is hidden."""

    close: float = 0.0  # share of frames in which the two lie close, or cross
    hidden: float = 0.0  # share of frames in which one of their joints is hidden
    seconds: float = 0.15  # mean length
    within: float = 8.0  # % of the height: mean distance of the two limbs, below which it is close


@dataclass(frozen=True)
class Losses:
    """Keypoints that are not found: confidence 0, and interpolated over time, as the readers of
    real ones do."""

    share: float = 0.0  # of frames of a seen joint
    hidden: float = 0.0  # of frames of a hidden one
    seconds: float = 0.1  # mean length


@dataclass(frozen=True)
class Confidence:
    """How sure the detector is: a logistic curve of what it suspects, which is partly right."""

    level: float  # log odds of a joint that is seen and found well
    scale: float  # log odds for each unit of suspicion
    hidden: float  # units by which suspicion grows where the joint is hidden
    error: float  # units for each e-fold of the error, from 1 % of the height on
    doubt: float = 0.7  # share of the rest, of variance 1, that lasts
    seconds: float = 0.5  # after which that has fallen to 1/e


@dataclass(frozen=True)
class Crossing:
    """Identities that are exchanged where two people cross in the image."""

    chance: float = 0.0  # for each crossing
    seconds: float = 0.6  # mean time, from the crossing on, after which it is noticed
    within: float = 25.0  # % of the height: distance of the middles of their boxes


@dataclass(frozen=True)
class ErrorProfile:
    """How a detector of the second kind errs. ``name`` seeds all its errors: profiles of one name
    that differ in one part have the same chance in all others, which makes comparisons paired."""

    name: str
    standing: Standing
    noise: Noise
    confidence: Confidence
    spikes: Spikes = Spikes()
    hidden: Hidden = Hidden()
    swaps: Swaps = Swaps()
    losses: Losses = Losses()
    crossing: Crossing = Crossing()

    def __post_init__(self):
        if not self.name:
            raise ValueError("an error profile needs a name, from which its errors follow")
        for part in (getattr(self, field.name) for field in fields(self)):
            if is_dataclass(part):
                _check(self.name, part)


_SHARES = {"share", "person_share", "lasting_share", "snaps", "close", "chance", "constant"}
_TIMES = {"seconds", "drift_seconds", "burst_seconds"}
_ANY = {"level"}


def _check(name: str, part: object) -> None:
    for field in fields(part):
        value, key = getattr(part, field.name), f"{type(part).__name__.lower()}.{field.name}"
        share = field.name in _SHARES or key in (
            "swaps.hidden",
            "losses.hidden",
            "confidence.doubt",
        )
        low, high = (0, 1) if share else (-inf, inf) if field.name in _ANY else (0, inf)
        inside = low <= value <= high and abs(value) < inf
        if not inside or (field.name in _TIMES and value == 0):
            wanted = "a share from 0 to 1" if share else "finite, and not negative or a time of 0"
            raise ValueError(f"profile {name}: {key} is {value}, expected {wanted}")


ERROR_PROFILES = {
    profile.name: profile
    for profile in (
        # As OpenPose on the film: keypoints that fly away for a frame, and some that are lost.
        ErrorProfile(
            "simulated_v2",
            Standing(1.65),
            Noise(jitter=0.38, drift=1.0, drift_seconds=0.16),
            Confidence(level=0.65, scale=0.25, hidden=1.1, error=0.5),
            Spikes(share=0.0045, person_share=0.0003, lasting_share=0.0013, seconds=0.25),
            Hidden(factor=1.5, snaps=0.12),
            Swaps(close=0.01, hidden=0.01),
            Losses(share=0.001, hidden=0.03),
            Crossing(0.3),
        ),
        # As BlazePose on it, measured by what OpenPose saw in all views.
        ErrorProfile(
            "simulated_v2_blazepose",
            Standing(1.45),
            Noise(jitter=0.32, drift=0.98, drift_seconds=0.15, bursts=0.35),
            Confidence(level=3.5, scale=1.5, hidden=1.0, error=0.1),
            Spikes(share=0.0095, lasting_share=0.0007, seconds=0.3, size=26.0),
            Hidden(factor=1.3, snaps=0.06),
            Swaps(close=0.005, hidden=0.01),
            crossing=Crossing(0.1),
        ),
        # As BlazePose, measured by both detectors together: smooth over time, so that hardly
        # anything is new in a frame, and what is wrong stays wrong.
        ErrorProfile(
            "simulated_v2_smooth",
            Standing(0.6, constant=0.6),
            Noise(jitter=0.19, drift=0.86, drift_seconds=0.065, smoothness=2, bursts=0.4),
            Confidence(level=3.5, scale=1.5, hidden=1.0, error=0.1),
            hidden=Hidden(factor=1.5, snaps=0.03, seconds=0.4),
            swaps=Swaps(hidden=0.003, seconds=0.3),
            crossing=Crossing(0.1),
        ),
        # No real one: precise where it is right, but it often takes left for right.
        ErrorProfile(
            "simulated_v2_swapping",
            Standing(0.6),
            Noise(jitter=0.25, drift=0.3, drift_seconds=0.15),
            Confidence(level=1.5, scale=0.7, hidden=1.1, error=0.4),
            Spikes(share=0.001),
            Hidden(factor=1.2, snaps=0.08),
            Swaps(close=0.08, hidden=0.08, seconds=0.3),
            Losses(hidden=0.01),
            Crossing(0.5),
        ),
        # No real one: a coarse grid. Hardly a spike, but nothing is where it is said to be.
        ErrorProfile(
            "simulated_v2_coarse",
            Standing(1.2),
            Noise(jitter=1.5, drift=1.5, drift_seconds=0.3, bursts=0.3),
            Confidence(level=0.0, scale=0.5, hidden=1.0, error=0.5),
            Spikes(share=0.002),
            Hidden(factor=1.6, snaps=0.2),
            Swaps(close=0.04, hidden=0.04),
            Losses(share=0.005, hidden=0.05),
            Crossing(0.3),
        ),
    )
}
