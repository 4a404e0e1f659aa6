"""From how someone holds themselves to where their joints are.

A :class:`Figure` holds, for every frame, the few things a motion is thought of in: where the feet
and the pelvis are, how trunk and head are bent, the angles of the arms. The legs follow from feet
and pelvis by inverse kinematics, so that a foot on the floor stays exactly where it is.
"""

import numpy as np
import torch

from paperlib.datasets.motion.bodies import Body
from paperlib.datasets.motion.curves import smooth
from paperlib.kinematics import rotation_from_euler
from paperlib.skeletons import H36M_17

LEFT, RIGHT = 0, 1
SIDES = ("left", "right")
OUTWARD = (1.0, -1.0)  # sign of y away from the body
# flexion (forward), abduction (outward), inward twist of the upper arm, bend of the elbow
FLEX, ABDUCT, TWIST, ELBOW = range(4)
LEAN, SIDE, TURN = range(3)  # of trunk and head: forward, to the left, to the left

STRETCH = 0.993  # share of the leg's length a standing leg uses at most
MOST_BENT = np.radians(152)  # of knees and elbows


class Figure:
    """What a body does over T frames; every attribute is an array of frames, to be changed.

    ``ankles`` (2, T, 3) world metres, left then right; ``toes`` (2, T) headings of the feet;
    ``free`` (2, T) from 0 for a foot that carries weight to 1 for a leg that hangs from the hip;
    ``splay`` (2, T) knees turned outward; ``place`` (T, 2) pelvis on the floor plan; ``height``
    (T,) of the pelvis, which is lowered where the feet would be out of reach; ``heading`` (T,);
    ``tilt`` (T, 3), ``trunk`` (T, 3), ``head`` (T, 3): bends of pelvis, trunk and neck, each
    against the part below; ``arms`` (2, T, 4). Metres and radians.
    """

    def __init__(self, body: Body, seconds: float, fps: float):
        frames = max(1, round(seconds * fps))
        self.body, self.fps, self.seconds = body, fps, seconds
        self.t = np.arange(frames) / fps
        self.offsets = body.offsets().numpy()
        self.standing = self.offsets[0, 2] - (1 - STRETCH) * sum(body.leg)
        self.ankles = np.zeros((2, frames, 3))
        self.toes = np.zeros((2, frames))
        self.free = np.zeros((2, frames))
        self.splay = np.zeros((2, frames))
        self.place = np.zeros((frames, 2))
        self.height = np.full(frames, self.standing)
        self.heading = np.zeros(frames)
        self.tilt = np.zeros((frames, 3))
        self.trunk = np.zeros((frames, 3))
        self.head = np.zeros((frames, 3))
        self.arms = np.zeros((2, frames, 4))

    def raise_arm(self, side: int, pose, weight: np.ndarray) -> None:
        """Bring an arm to ``pose`` (4,) or (T, 4) degrees by ``weight`` (T,) from 0 to 1."""
        w = weight[:, None]
        self.arms[side] = (1 - w) * self.arms[side] + w * np.radians(pose)

    def hang_leg(self, side: int, flex, abduct, knee, weight: np.ndarray) -> None:
        """Lift a leg off the floor to the given hip and knee angles (T,) in degrees."""
        thigh, shin = self.body.leg
        flex, abduct, knee = (np.radians(angle) for angle in (flex, abduct, knee))
        drop = thigh * np.cos(flex) + shin * np.cos(flex - knee)
        ahead = thigh * np.sin(flex) + shin * np.sin(flex - knee)
        across = OUTWARD[side] * (self.hip_offset + drop * np.sin(abduct))
        turn = self.heading
        x = self.place[:, 0] + ahead * np.cos(turn) - across * np.sin(turn)
        y = self.place[:, 1] + ahead * np.sin(turn) + across * np.cos(turn)
        # a soft maximum keeps the foot off the floor
        floor = self.body.ankle_height + 0.05
        z = np.logaddexp(60 * (self.height - drop * np.cos(abduct)), 60 * floor) / 60
        target = np.stack([x, y, z], axis=-1)
        # up before along, so that the foot neither drags nor slides
        by = np.stack([weight**2, weight**2, weight], axis=-1)
        self.ankles[side] += by * (target - self.ankles[side])
        self.free[side] = np.maximum(self.free[side], weight)

    @property
    def hip_offset(self) -> float:
        """Metres from the pelvis to a hip."""
        return self.offsets[H36M_17.index("left_hip"), 1]

    def positions(self) -> np.ndarray:
        """(T, 17, 3) float32 world metres."""
        for name in ("place", "height", "heading", "tilt", "trunk", "head"):
            setattr(self, name, smooth(getattr(self, name), self.fps, 0.05))
        self.arms = np.stack([smooth(arm, self.fps, 0.03) for arm in self.arms])
        limits = np.radians([[-60, -35, -90, 3], [178, 160, 95, 0]])
        limits[1, ELBOW] = MOST_BENT
        self.arms = np.clip(self.arms, *limits)
        return _Solver(self).solve().astype(np.float32)


def _turned(axes: str, *angles: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations from angles (T,), left to right."""
    return rotation_from_euler(axes, torch.from_numpy(np.stack(angles, axis=-1))).numpy()


def _bend(bends: np.ndarray, share: float = 1.0) -> np.ndarray:
    """(T, 3) lean, side, turn as rotations; leaning to the left is turning about -x."""
    lean, side, turn = share * bends.T
    return _turned("zxy", turn, -side, lean)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


class _Solver:
    def __init__(self, figure: Figure):
        self.figure = figure
        self.joints = np.zeros((len(figure.t), len(H36M_17), 3))
        self.pelvis = _turned("z", figure.heading) @ _bend(figure.tilt)

    def solve(self) -> np.ndarray:
        figure = self.figure
        self.joints[:, 0, :2] = figure.place
        self.joints[:, 0, 2] = self.reachable_height()
        for side in (LEFT, RIGHT):
            self.leg(side)
        lower = self.pelvis @ _bend(figure.trunk, 0.4)
        upper = self.pelvis @ _bend(figure.trunk)
        self.place("spine", lower)
        self.place("thorax", upper)
        self.place("neck_nose", upper @ _bend(figure.head, 0.5))
        self.place("head_top", upper @ _bend(figure.head))
        for side in (LEFT, RIGHT):
            self.arm(side, upper)
        return self.joints

    def place(self, joint: str, rotation: np.ndarray) -> None:
        """Put a joint at its offset from its parent, turned by ``rotation`` (T, 3, 3)."""
        j = H36M_17.index(joint)
        parent = self.joints[:, H36M_17.parents[j]]
        self.joints[:, j] = parent + rotation @ self.figure.offsets[j]

    def hip(self, side: int) -> np.ndarray:
        return self.pelvis @ self.figure.offsets[H36M_17.index(f"{SIDES[side]}_hip")]

    def reachable_height(self) -> np.ndarray:
        """The pelvis' height (T,): as wished, or lower, so that both legs reach their feet."""
        figure = self.figure
        reach = STRETCH * sum(figure.body.leg)
        tops = [figure.height]
        for side in (LEFT, RIGHT):
            hip = self.hip(side)
            away = figure.ankles[side, :, :2] - figure.place - hip[:, :2]
            above = np.sqrt(np.maximum(reach**2 - (away**2).sum(-1), 0.01))
            tops.append(figure.ankles[side, :, 2] + above - hip[:, 2] + figure.free[side])
        # a soft minimum, so that the pelvis changes from one limit to the other without a jerk
        sharpness = 150.0
        return -np.logaddexp.reduce(-sharpness * np.stack(tops), axis=0) / sharpness

    def leg(self, side: int) -> None:
        """Two bones from the hip to the ankle, the knee in the plane the foot points along."""
        figure, (thigh, shin) = self.figure, self.figure.body.leg
        self.place(f"{SIDES[side]}_hip", self.pelvis)
        hip = self.joints[:, H36M_17.index(f"{SIDES[side]}_hip")]
        way = figure.ankles[side] - hip
        shortest = np.sqrt(thigh**2 + shin**2 + 2 * thigh * shin * np.cos(MOST_BENT))
        length = np.linalg.norm(way, axis=-1)
        axis = way / length[:, None]
        length = _soft_clip(length, shortest, thigh + shin)
        outward = figure.splay[side] * OUTWARD[side]
        foot = _turned("z", figure.toes[side] + outward)[..., 1]
        leftward = _unit(foot + (self.pelvis @ _turned("z", outward))[..., 1])
        forward = _unit(np.cross(axis, leftward))
        cosine = (thigh**2 + length**2 - shin**2) / (2 * thigh * length)
        sine = np.sqrt(1 - cosine**2)
        knee = hip + thigh * (cosine[:, None] * axis + sine[:, None] * forward)
        self.joints[:, H36M_17.index(f"{SIDES[side]}_knee")] = knee
        ankle = hip + length[:, None] * axis
        self.joints[:, H36M_17.index(f"{SIDES[side]}_ankle")] = ankle

    def arm(self, side: int, trunk: np.ndarray) -> None:
        """Shoulder, elbow and wrist from the arm's angles."""
        flex, abduct, twist, elbow = self.figure.arms[side].T
        sign = OUTWARD[side]
        upper = _turned("yxz", -flex, sign * abduct, -sign * twist)
        along = -upper[..., 2]
        # the shoulder blade goes along: up with a raised arm, forward with one held forward
        blade = _turned("zx", -sign * 0.15 * along[:, 0], sign * 0.16 * (1 + along[:, 2]))
        self.place(f"{SIDES[side]}_shoulder", trunk @ blade)
        self.place(f"{SIDES[side]}_elbow", trunk @ upper)
        self.place(f"{SIDES[side]}_wrist", trunk @ upper @ _turned("y", -elbow))


def _soft_clip(length: np.ndarray, low: float, high: float) -> np.ndarray:
    """``length`` unchanged up to the stretch a planted leg may have, then levelling off below
    ``high``, so that knees never snap straight; and no shorter than ``low``."""
    start = (STRETCH + 0.0005) * high
    room = 0.9985 * high - start
    excess = np.maximum(length - start, 0.0)
    return np.maximum(np.minimum(length, start) + room * np.tanh(excess / room), low)
