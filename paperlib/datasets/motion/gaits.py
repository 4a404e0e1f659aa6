"""Walking and jogging round the stage."""

import numpy as np

from paperlib.datasets.motion.bodies import Body
from paperlib.datasets.motion.curves import smooth, wander
from paperlib.datasets.motion.footwork import Footprints, set_feet
from paperlib.datasets.motion.posing import (
    ABDUCT,
    ELBOW,
    FLEX,
    LEAN,
    LEFT,
    OUTWARD,
    RIGHT,
    SIDE,
    TURN,
    TWIST,
    Figure,
)

PATH_RADIUS = 1.45  # metres a path may lead away from the middle of the stage


def _loop(rng: np.random.Generator, tight: bool) -> tuple[np.ndarray, float]:
    """A closed path (N, 2) on the stage, evenly spaced, and its length in metres; only a ``tight``
    one may be a figure of eight."""
    angle = np.linspace(0, 2 * np.pi, 2001)
    if rng.random() < 0.35 and tight:
        x, y = np.sin(angle), rng.uniform(0.6, 0.85) * np.sin(2 * angle)
    else:
        phases = rng.uniform(0, 2 * np.pi, 2)
        radius = 1 + rng.uniform(0, 0.22) * np.cos(2 * angle + phases[0])
        radius = radius + rng.uniform(0, 0.06) * np.cos(3 * angle + phases[1])
        x, y = radius * np.cos(angle), radius * np.sin(angle)
    path = np.stack([x, y], axis=-1) * rng.choice([-1.0, 1.0], 2)
    path *= rng.uniform(0.85, 1.0) * PATH_RADIUS / np.linalg.norm(path, axis=-1).max()
    travelled = np.r_[0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=-1))]
    even = np.linspace(0, travelled[-1], 2001)
    path = np.stack([np.interp(even, travelled, path[:, i]) for i in range(2)], axis=-1)
    return path, travelled[-1]


class Course:
    """A way along a loop: where one is and where one looks at each moment."""

    def __init__(self, rng, seconds: float, cadence: float, speed: float):
        """``cadence`` in strides (two steps) a second, ``speed`` in metres a second."""
        # the clock runs over the take's ends: a foot may have landed before the first frame
        self.clock = np.arange(-6.0, seconds + 8.0, 0.01)
        pace = 1 + wander(self.clock, rng, 0.05, 0.05, 0.3)
        self.phases = np.cumsum(pace) * 0.01 * cadence + rng.uniform(0, 1)
        path, length = _loop(rng, tight=speed < 1.4)
        travelled = np.cumsum(pace) * 0.01 * speed + rng.uniform(0, length)
        where = np.linspace(0, length, len(path))
        self.path = np.stack(
            [np.interp(travelled % length, where, path[:, i]) for i in range(2)], axis=-1
        )
        self.path = smooth(self.path, 100, 0.10)
        along = np.gradient(self.path, 0.01, axis=0)
        self.headings = np.unwrap(np.arctan2(along[:, 1], along[:, 0]))
        self.speed = speed

    def at(self, t: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Places (..., 2) and headings (...) at times ``t``."""
        xy = [np.interp(t, self.clock, self.path[:, i]) for i in range(2)]
        return np.stack(xy, axis=-1), np.interp(t, self.clock, self.headings)

    def phase(self, t: np.ndarray) -> np.ndarray:
        return np.interp(t, self.clock, self.phases)

    def time(self, phase: float) -> float:
        return float(np.interp(phase, self.phases, self.clock))

    def footprints(self, side: int, share: float, width: float, lift: float, turnout: float):
        """The prints of one foot that stands for ``share`` of each stride."""
        offset = 0.0 if side == LEFT else 0.5
        strides = np.arange(np.ceil(self.phases[0]) + 1, np.floor(self.phases[-1]) - 2) + offset
        foot, left = None, 0.0
        for stride in strides:
            land, leave = self.time(stride), self.time(stride + share)
            (x, y), heading = self.at(self.time(stride + 0.46 * share))
            across = OUTWARD[side] * width / 2
            to = (x - across * np.sin(heading), y + across * np.cos(heading))
            to = (*to, heading + OUTWARD[side] * turnout)
            if foot is None:
                foot = Footprints(*to)
            else:
                foot.step(left, land - left, to, lift)
            left = leave
        return foot


def _gait(body: Body, seconds, fps, rng, *, speed, stride, share, lift, bounce, run) -> Figure:
    """Walking or running; ``speed`` m/s, ``stride`` and ``lift`` metres, ``share`` of a stride on
    a foot, ``bounce`` of the pelvis in metres, ``run`` 0 or 1."""
    figure, style = Figure(body, seconds, fps), body.style
    course = Course(rng, seconds, speed / stride, speed)
    t, vigour = figure.t, style.vigour * rng.uniform(0.8, 1.2)
    width = (0.8 - 0.35 * run) * 2 * figure.hip_offset * style.stance
    for_feet = (share, width, lift, style.turnout * (1 - 0.6 * run))
    set_feet(figure, tuple(course.footprints(side, *for_feet) for side in (LEFT, RIGHT)))
    figure.place, heading = course.at(t)
    wave = 2 * np.pi * course.phase(t)
    figure.heading = heading + wander(t, rng, 0.03)
    # into the curve, as a cyclist does
    turning = np.gradient(heading, t) if len(t) > 1 else np.zeros(1)
    inward = 0.26 * np.tanh(smooth(turning, fps, 0.25) * speed / 9.81 / 0.26)
    over = 0.02 * (1 - run) * np.cos(wave - 2 * np.pi * share / 2) + 0.85 * np.sin(inward)
    figure.place = figure.place + over[:, None] * np.stack([-np.sin(heading), np.cos(heading)], -1)
    low = share / 2 if run else 0.04
    figure.height = figure.standing - bounce * (1.3 + np.cos(2 * wave - 4 * np.pi * low))
    figure.height -= run * rng.uniform(0.02, 0.04)
    swing = (0.09 + 0.07 * run) * vigour
    figure.tilt[:, TURN] = -swing * np.cos(wave)
    figure.tilt[:, SIDE] = inward + 0.05 * np.cos(wave - 2 * np.pi * (share / 2 + 0.05))
    figure.tilt[:, LEAN] = style.lean + 0.03 + 0.10 * run + wander(t, rng, 0.015)
    figure.trunk[:, TURN] = 1.9 * swing * np.cos(wave - 0.2) + wander(t, rng, 0.03)
    figure.trunk[:, SIDE] = -0.045 * np.cos(wave - 2 * np.pi * (share / 2 + 0.05))
    figure.trunk[:, LEAN] = style.stoop + 0.05 + 0.06 * run + 0.02 * np.cos(2 * wave)
    figure.head[:, LEAN] = -style.stoop - 0.10 * run + wander(t, rng, 0.06)
    looking = smooth(turning, fps, 0.3) * 0.25 + wander(t, rng, 0.14)
    figure.head[:, TURN] = looking - figure.tilt[:, TURN] - figure.trunk[:, TURN]
    figure.head[:, SIDE] = -0.6 * inward + wander(t, rng, 0.03)
    _swing_arms(figure, rng, wave, vigour, run)
    return figure


def _swing_arms(figure: Figure, rng, wave: np.ndarray, vigour: float, run: float) -> None:
    """Each arm goes with the leg of the other side."""
    style, t = figure.body.style, figure.t
    size = (0.38 + 0.22 * run) * vigour * rng.uniform(0.8, 1.2, 2)
    for side in (LEFT, RIGHT):
        swing = -OUTWARD[side] * np.cos(wave - 0.25)
        arm = figure.arms[side]
        arm[:, FLEX] = 0.04 - 0.12 * run + size[side] * swing + wander(t, rng, 0.04)
        arm[:, ABDUCT] = style.arm_spread + 0.10 * run + wander(t, rng, 0.025)
        arm[:, TWIST] = 0.15 + 0.12 * run + wander(t, rng, 0.05)
        bend = style.elbows + 0.28 * size[side] * (1 + swing)
        running = 1.45 + 0.5 * style.elbows + 0.25 * swing
        arm[:, ELBOW] = (1 - run) * bend + run * running + wander(t, rng, 0.05)


def walking(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Walks round the stage at anything between a stroll and a brisk pace."""
    figure = walk(body, seconds, fps, rng, rng.uniform(0.75, 1.5))
    manner = rng.random()
    if manner < 0.12:  # hands behind the back
        for side in (LEFT, RIGHT):
            figure.raise_arm(side, (-28, 12, 75, 45 + 6 * side), np.full(len(figure.t), 0.95))
    elif manner < 0.30:  # carries something in both hands
        for side in (LEFT, RIGHT):
            figure.raise_arm(side, (18, 6, 28, 85), np.full(len(figure.t), 0.93))
    elif manner < 0.42:  # something under one arm
        side = int(rng.integers(2))
        figure.raise_arm(side, (8, 16, 40, 95), np.full(len(figure.t), 0.9))
    return figure.positions()


def walk(body: Body, seconds, fps, rng, speed: float) -> Figure:
    """The figure of someone walking at ``speed`` for a person of average size, in m/s."""
    tempo, legs = body.style.tempo, sum(body.leg) / 0.85
    speed = speed * np.sqrt(legs)
    # people lengthen their stride as the square root of their speed
    stride = 1.22 * legs * np.sqrt(speed / 1.3) / tempo * rng.uniform(0.95, 1.06)
    lift = rng.uniform(0.085, 0.12) * legs * (0.7 + 0.3 * speed)
    step = {"stride": stride, "share": 0.43, "lift": lift, "bounce": 0.018 * legs * speed}
    return _gait(body, seconds, fps, rng, speed=speed, run=0.0, **step)


def jogging(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Jogs round the stage, elbows bent, with a moment off the floor in each step."""
    legs = sum(body.leg) / 0.85
    speed = rng.uniform(1.6, 2.3) * np.sqrt(legs)
    cadence = rng.uniform(1.28, 1.42) * body.style.tempo**0.5 / np.sqrt(legs)
    lift, bounce = rng.uniform(0.20, 0.32) * legs, rng.uniform(0.025, 0.04)
    step = {"stride": speed / cadence, "share": 0.27, "lift": lift, "bounce": bounce}
    return _gait(body, seconds, fps, rng, speed=speed, run=1.0, **step).positions()
