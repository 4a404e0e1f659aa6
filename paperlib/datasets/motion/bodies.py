"""The people of the synthetic data set: how they are built and how they carry themselves.

Segment lengths are shares of the stature, after the anthropometry of Drillis and Contini (1966),
moved to the joints that Human3.6M uses and varied from body to body.
"""

from dataclasses import dataclass, field

import torch

from paperlib.skeletons import H36M_17

# shares of the stature in a person of average build
ANKLE_HEIGHT = 0.045
SHIN = 0.243
THIGH = 0.245
HALF_HIPS = 0.068
HALF_SHOULDERS = 0.098
UPPER_ARM = 0.178
FOREARM = 0.146
NECK_AND_HEAD = 0.177


@dataclass(frozen=True)
class Style:
    """How someone moves, whatever they do. Angles are radians, the rest are factors of 1."""

    tempo: float = 1.0
    vigour: float = 1.0  # size of swings and gestures
    stance: float = 1.0  # how far apart the feet stand
    stoop: float = 0.0  # trunk bent forward
    turnout: float = 0.12  # toes turned outward
    arm_spread: float = 0.12  # arms held away from the trunk
    elbows: float = 0.25  # bend of hanging arms
    lean: float = 0.0  # pelvis tilted forward
    left_handed: float = 0.15  # how often the left side leads


@dataclass(frozen=True)
class Body:
    """A person: ``stature`` in metres; the other numbers are factors on the average build.

    The trunk takes what legs, neck and head leave of the stature, so long legs mean a short trunk.
    """

    name: str
    stature: float
    legs: float = 1.0
    arms: float = 1.0
    shoulders: float = 1.0
    hips: float = 1.0
    head: float = 1.0
    thigh: float = 1.0  # thigh against shin, the leg's length being the same
    style: Style = field(default_factory=Style)

    def __post_init__(self):
        if not 1.0 <= self.stature <= 2.3:
            raise ValueError(f"body {self.name}: stature {self.stature} m; expected 1.0 to 2.3 m")

    @property
    def ankle_height(self) -> float:
        """Metres from the floor to the ankle of a flat foot."""
        return ANKLE_HEIGHT * self.stature

    @property
    def leg(self) -> tuple[float, float]:
        """Lengths of thigh and shin in metres."""
        whole = (THIGH + SHIN) * self.legs * self.stature
        thigh = THIGH / (THIGH + SHIN) * self.thigh
        return whole * thigh, whole * (1 - thigh)

    @property
    def arm(self) -> tuple[float, float]:
        """Lengths of upper arm and forearm in metres."""
        return UPPER_ARM * self.arms * self.stature, FOREARM * self.arms * self.stature

    def offsets(self) -> torch.Tensor:
        """(17, 3) metres: each joint of H36M_17 from its parent in the rest pose, which stands
        upright, arms hanging, and faces +x with y to the left and z up; the pelvis is from the
        floor below it."""
        head = NECK_AND_HEAD * self.head
        trunk = 1 - ANKLE_HEIGHT - (THIGH + SHIN) * self.legs - head
        hips, shoulders = HALF_HIPS * self.hips, HALF_SHOULDERS * self.shoulders
        (thigh, shin), (upper, fore) = self.leg, self.arm
        shares = {
            "pelvis": (0, 0, ANKLE_HEIGHT + (THIGH + SHIN) * self.legs),
            "spine": (-0.008, 0, 0.47 * trunk),
            "thorax": (0.008, 0, 0.53 * trunk),
            "neck_nose": (0.030, 0, 0.56 * head),
            "head_top": (-0.016, 0, 0.44 * head),
            "hip": (0, hips, 0),
            "shoulder": (-0.006, shoulders, -0.012),
        }
        metres = {name: [v * self.stature for v in share] for name, share in shares.items()}
        metres |= {"knee": [0, 0, -thigh], "ankle": [0, 0, -shin]}
        metres |= {"elbow": [0, 0, -upper], "wrist": [0, 0, -fore]}
        rows = []
        for joint, name in enumerate(H36M_17.joints):
            x, y, z = metres[name.removeprefix("left_").removeprefix("right_")]
            rows.append([x, -y if H36M_17.side(joint) == "right" else y, z])
        return torch.tensor(rows, dtype=torch.float64)


# stature, legs, arms, shoulders, hips, head and thigh, as `Body` has them
_BUILDS = {
    "S1": (1.74, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    "S2": (1.62, 0.97, 0.97, 0.93, 1.10, 1.03, 1.02),
    "S3": (1.90, 1.04, 1.05, 1.06, 0.98, 0.95, 0.99),
    "S4": (1.53, 0.95, 0.96, 0.95, 1.05, 1.06, 0.98),
    "S5": (1.81, 0.98, 1.03, 1.12, 1.06, 0.98, 1.01),
    "S6": (1.68, 1.03, 1.01, 0.97, 1.02, 1.00, 1.01),
    "S7": (1.86, 1.00, 0.99, 1.08, 1.00, 0.97, 0.98),
}
# tempo, vigour and so on, as `Style` has them; S1 moves in the plain way
_STYLES = {
    "S2": (1.10, 0.85, 0.85, 0.02, 0.08, 0.08, 0.35, 0.04, 0.10),
    "S3": (0.90, 1.10, 1.15, 0.08, 0.20, 0.16, 0.20, -0.02, 0.90),
    "S4": (1.15, 1.15, 0.95, -0.03, 0.05, 0.10, 0.45, 0.06, 0.20),
    "S5": (0.95, 0.95, 1.25, 0.05, 0.25, 0.24, 0.30, 0.02, 0.15),
    "S6": (1.05, 1.05, 0.90, 0.00, 0.15, 0.13, 0.28, 0.03, 0.25),
    "S7": (0.93, 0.90, 1.10, 0.10, 0.18, 0.18, 0.40, 0.00, 0.10),
}
BODIES = {n: Body(n, *build, Style(*_STYLES.get(n, ()))) for n, build in _BUILDS.items()}
