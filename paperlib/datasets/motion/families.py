"""The families of motion of the synthetic data set, each made anew for every take.

A family is a function ``(body, seconds, fps, rng) -> (T, 17, 3)`` float32 world positions of
H36M_17 in metres, z up, the floor at 0, near the middle of the stage. What differs from take to
take comes from ``rng``, what differs from person to person from ``body``.
"""

from collections.abc import Callable

import numpy as np

from paperlib.datasets.motion.bodies import Body
from paperlib.datasets.motion.curves import ease, keyed, pulse, repeats, smooth, wander
from paperlib.datasets.motion.exercises import bending, jumping, kicking, sitting_down, squatting
from paperlib.datasets.motion.footwork import Footwork
from paperlib.datasets.motion.gaits import jogging, walk, walking
from paperlib.datasets.motion.posing import LEAN, LEFT, RIGHT, SIDE, TURN
from paperlib.datasets.motion.standing import (
    ARMS_DOWN,
    between,
    hold_arms,
    lean_back,
    restless,
    stand,
)

Motion = Callable[[Body, float, float, np.random.Generator], np.ndarray]


def leading_side(body: Body, rng: np.random.Generator) -> int:
    """LEFT or RIGHT, as the person is handed, most of the time."""
    return LEFT if rng.random() < body.style.left_handed else RIGHT


def turning(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Turns on the spot this way and that, by up to a half turn and more, in small steps."""
    footwork = Footwork(body, rng, rng.uniform(0.8, 1.2))
    now = rng.uniform(-0.8, 0.4)
    while now < seconds:
        angle = rng.choice([-1, 1]) * rng.uniform(0.8, 3.8)
        shift = np.clip(rng.normal(0, 0.12, 2) - 0.5 * footwork.middle, -0.25, 0.25)
        step = rng.uniform(0.38, 0.52) / body.style.tempo
        now = footwork.turn(now, angle, shift, step) + rng.uniform(0.1, 1.0)
    figure = stand(body, seconds, fps, rng, footwork)
    manner = int(rng.integers(4)) if rng.random() < 0.4 else ARMS_DOWN
    hold_arms(figure, rng, manner, np.ones(len(figure.t)))
    return figure.positions()


def reaching(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Reaches for things high and low, before the body, beside it and across it."""
    actions = list(repeats(rng, seconds, (1.5, 2.8), (0.1, 1.2)))
    figure = stand(body, seconds, fps, rng, between(body, rng, actions))
    vigour = body.style.vigour
    for start, length in actions:
        side = leading_side(body, rng) if rng.random() < 0.8 else int(rng.integers(2))
        up, down = 0.38 * length, 0.36 * length
        w = pulse(figure.t, start, up, length - up - down, down)
        sooner = pulse(figure.t, start - 0.15, up, length - up - down, down)
        sides = (LEFT, RIGHT) if rng.random() < 0.2 else (side,)
        flex, abduct = rng.uniform(55, 160), rng.uniform(-12, 65 if len(sides) == 1 else 15)
        pose = np.array([flex, abduct, rng.uniform(-20, 30), rng.uniform(8, 32)])
        for arm in sides:
            figure.raise_arm(arm, pose, w)
        out = (1 if side == LEFT else -1) * (abduct / 60) * (len(sides) == 1)
        far = vigour * rng.uniform(0.4, 1.2)
        figure.trunk[:, TURN] += sooner * far * (0.35 * out - 0.12 * (1 if side == LEFT else -1))
        figure.trunk[:, SIDE] += w * far * 0.22 * out
        low = np.clip((100 - flex) / 45, -0.3, 1.0)
        figure.trunk[:, LEAN] += w * far * 0.45 * low
        figure.tilt[:, LEAN] += w * far * 0.25 * low
        lean_back(figure, w * far * 0.10 * low)
        figure.height -= w * far * 0.06 * max(low, 0)
        figure.head[:, TURN] += sooner * 0.45 * out
        figure.head[:, LEAN] += sooner * 0.45 * (low - 0.35)
    return figure.positions()


def waving(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Waves: a forearm beside the head, a whole arm above it, or both arms."""
    actions = list(repeats(rng, seconds, (2.2, 4.5), (0.3, 1.5)))
    figure = stand(body, seconds, fps, rng, between(body, rng, actions))
    t, vigour = figure.t, body.style.vigour
    rate = rng.uniform(1.2, 2.0) * body.style.tempo
    for start, length in actions:
        side = leading_side(body, rng)
        w = pulse(t, start, 0.6, length - 1.2, 0.6)
        beat = np.sin(2 * np.pi * rate * t + wander(t, rng, 0.3)) * vigour
        manner, size = rng.random(), rng.uniform(0.8, 1.3)
        for arm in (LEFT, RIGHT) if manner > 0.72 else (side,):
            phase = 1 if arm == side else rng.choice([-1, 1])
            if manner < 0.5:  # from the elbow
                base, swing = (72, rng.uniform(35, 75), -5, 98), (3, 4, 26, 10)
            else:  # from the shoulder
                base, swing = (150, rng.uniform(12, 30), 0, 28), (5, 20, 10, 14)
            pose = np.array(base) + size * phase * beat[:, None] * np.array(swing)
            figure.raise_arm(arm, pose, w)
        sign = 1 if side == LEFT else -1
        figure.trunk[:, SIDE] += w * sign * (0.02 * beat - 0.05)
        figure.head[:, SIDE] -= w * sign * 0.05
        figure.height -= 0.006 * w * beat
    return figure.positions()


def phoning(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Talks on the phone, standing or pacing up and down; the free hand talks along."""
    if rng.random() < 0.4:
        figure = walk(body, seconds, fps, rng, rng.uniform(0.55, 0.85))
    else:
        figure = stand(body, seconds, fps, rng, restless(body, seconds, rng))
    t, side = figure.t, leading_side(body, rng)
    start = rng.uniform(-1.5, 1.2)
    w = ease(t, start, 0.9)
    if rng.random() < 0.3:
        w = w - ease(t, seconds - rng.uniform(1.0, 2.0), 0.9)
    ear = np.array([rng.uniform(88, 104), rng.uniform(-15, 8), rng.uniform(24, 40), 144])
    held = ear + np.stack([wander(t, rng, 2.5) for _ in range(4)], axis=-1)
    figure.raise_arm(side, held, w)
    sign = 1 if side == LEFT else -1
    figure.head[:, SIDE] += sign * 0.14 * w
    figure.head[:, LEAN] += 0.10 * w
    if rng.random() < 0.35:  # the free arm across the body, under the elbow of the other
        figure.raise_arm(1 - side, (20, 0, 70, 88), 0.96 * w)
    else:
        for begin, length in repeats(rng, seconds, (1.2, 2.6), (0.5, 2.0)):
            beat = 9 * np.sin(2 * np.pi * rng.uniform(0.7, 1.4) * t)
            gesture = rng.uniform((5, 8, -25, 60), (35, 25, 30, 105))
            moving = gesture + beat[:, None] * np.array([0.5, 0.4, 1.0, 1.0])
            figure.raise_arm(1 - side, moving, pulse(t, begin, 0.45, length - 0.9, 0.45))
    return figure.positions()


# degrees of flexion, abduction, twist and elbow where each blow ends, the turn of the trunk
# towards the other side and its lean in radians
_BLOWS = {
    "jab": ((88, 4, 20, 8), 0.25, 0.08),
    "cross": ((86, -6, 20, 8), 0.65, 0.16),
    "hook": ((78, 62, 20, 88), 0.60, 0.05),
    "uppercut": ((62, 2, -5, 88), 0.40, -0.05),
}
# the blows of either hand, and how often each comes
_OF_FRONT = (("jab", "hook"), (0.75, 0.25))
_OF_REAR = (("cross", "hook", "uppercut"), (0.5, 0.25, 0.25))


def boxing(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Shadow-boxes: guard up, one foot ahead, blows singly and in combinations."""
    rear = leading_side(body, rng)
    front, sign = 1 - rear, 1 if rear == RIGHT else -1
    footwork = restless(body, seconds, rng, wide=1.25, stagger=sign * rng.uniform(0.25, 0.38))
    figure = stand(body, seconds, fps, rng, footwork)
    t, tempo = figure.t, body.style.tempo
    bob = np.sin(2 * np.pi * rng.uniform(1.5, 2.2) * tempo * t + wander(t, rng, 0.5))
    figure.height -= rng.uniform(0.05, 0.11) + 0.012 * bob
    figure.tilt[:, TURN] -= sign * 0.45
    figure.head[:, TURN] = 0.4 * figure.head[:, TURN] + sign * 0.40
    figure.trunk[:, LEAN] += 0.16
    figure.head[:, LEAN] += 0.02
    guard = np.array([rng.uniform(42, 58), rng.uniform(2, 16), rng.uniform(22, 36), 132])
    for side in (front, rear):
        moving = guard + bob[:, None] * np.array([3, 2, 1, 3]) + 6 * (side == front)
        figure.raise_arm(side, moving, np.full(len(t), 0.97))
    now = rng.uniform(-0.5, 0.6)
    while now < seconds:
        for blow in range(rng.integers(1, 5)):
            side = (front, rear)[blow % 2] if rng.random() < 0.85 else front
            kinds, often = _OF_FRONT if side == front else _OF_REAR
            pose, turn, lean = _BLOWS[rng.choice(kinds, p=often)]
            there, back = rng.uniform(0.24, 0.32) / tempo, rng.uniform(0.28, 0.4) / tempo
            w = pulse(t, now, there, 0.03, back)
            figure.raise_arm(side, np.array(pose) + rng.normal(0, 4, 4), w)
            across = (1 if side == RIGHT else -1) * body.style.vigour
            figure.trunk[:, TURN] += across * turn * 0.7 * w
            figure.tilt[:, TURN] += across * turn * 0.3 * w
            figure.head[:, TURN] -= across * turn * 0.9 * w
            figure.trunk[:, LEAN] += lean * w
            lean_back(figure, -0.05 * turn * w)
            now += there + rng.uniform(0.1, 0.9) * back
        now += rng.uniform(0.3, 1.3)
    return figure.positions()


def throwing(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Throws overarm or underarm, with a step of the other foot, and comes back."""
    actions = list(repeats(rng, seconds, (2.6, 3.4), (0.2, 1.0)))
    side = leading_side(body, rng)
    sign = 1 if side == RIGHT else -1
    footwork = Footwork(body, rng, rng.uniform(0.9, 1.2), stagger=sign * rng.uniform(0.05, 0.2))
    stride = rng.uniform(0.22, 0.40) * body.stature / 1.7
    lead = footwork.feet[1 - side]
    x, y, heading = lead.prints[0]
    for start, length in actions:
        lead.step(start + 0.28 * length, 0.20 * length, (x + stride, y, heading), 0.10)
        lead.step(start + 0.75 * length, 0.20 * length, (x, y, heading), 0.07)
    figure = stand(body, seconds, fps, rng, footwork)
    t = figure.t
    for start, length in actions:
        _throw(figure, rng, side, start, length, overarm=rng.random() < 0.7)
    # the weight is on the rear foot before the throw and on the front foot after it
    for start, length in actions:
        back = pulse(t, start, 0.30 * length, 0.02 * length, 0.2 * length)
        onto = pulse(t, start + 0.36 * length, 0.18 * length, 0.16 * length, 0.25 * length)
        lean_back(figure, 0.07 * back - 0.10 * onto)
    return figure.positions()


def _throw(figure, rng, side: int, start: float, length: float, overarm: bool) -> None:
    """Wind-up, release and follow-through of one throw."""
    t, sign = figure.t, 1 if side == RIGHT else -1
    beats = start + length * np.array([0, 0.14, 0.34, 0.42, 0.52, 0.62, 0.78, 1.0])
    if overarm:
        arm = [(25, 10, 20, 50), (45, 25, 20, 95), (58, 80, -50, 92), (78, 76, -45, 85)]
        arm += [(98, 35, 5, 18), (48, -12, 30, 25), (20, 0, 30, 35), (5, 10, 20, 22)]
        other, lean = (78, 18, 25, 25), 0.40
    else:
        arm = [(25, 8, 20, 50), (30, 10, 20, 60), (-48, 16, 5, 12), (-20, 10, 0, 10)]
        arm += [(62, 2, -10, 12), (100, -4, -10, 30), (40, 2, 10, 40), (5, 10, 20, 22)]
        other, lean = (35, 25, 25, 40), 0.50
    arm = np.array(arm, float) + rng.normal(0, 3, (8, 4))
    w = pulse(t, start - 0.3, 0.3, length, 0.3)
    figure.raise_arm(side, smooth(keyed(t, beats, arm), figure.fps, 0.03), w)
    balance = pulse(t, start, 0.30 * length, 0.06 * length, 0.22 * length)
    figure.raise_arm(1 - side, other, balance)
    wind = keyed(t, beats, [0, 0.3, 1, 0.75, -0.55, -0.9, -0.4, 0])
    bow = keyed(t, beats, [0, 0.0, -0.25, -0.15, 0.7, 1.0, 0.4, 0])
    size = figure.body.style.vigour * rng.uniform(0.8, 1.1)
    figure.trunk[:, TURN] -= sign * 0.60 * size * wind
    figure.tilt[:, TURN] -= sign * 0.30 * size * wind
    figure.head[:, TURN] += sign * 0.75 * size * wind
    figure.trunk[:, LEAN] += 0.6 * lean * size * bow
    figure.tilt[:, LEAN] += 0.4 * lean * size * bow
    figure.trunk[:, SIDE] += sign * 0.15 * size * np.maximum(wind, 0)
    figure.head[:, LEAN] -= 0.3 * lean * size * bow
    figure.height -= 0.05 * np.abs(bow)


_FAMILIES = (walking, turning, jogging, sitting_down, bending, reaching, waving, boxing, throwing)
_FAMILIES += (kicking, jumping, squatting, phoning)
MOTIONS: dict[str, Motion] = {family.__name__: family for family in _FAMILIES}
