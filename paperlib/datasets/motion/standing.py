"""Someone who stands: what every motion on the spot begins from, so that nobody is a statue."""

from itertools import pairwise

import numpy as np

from paperlib.datasets.motion.bodies import Body
from paperlib.datasets.motion.curves import smooth, wander
from paperlib.datasets.motion.footwork import Footwork
from paperlib.datasets.motion.posing import (
    ABDUCT,
    ELBOW,
    FLEX,
    LEAN,
    LEFT,
    RIGHT,
    SIDE,
    TURN,
    TWIST,
    Figure,
)

ARMS_DOWN, HANDS_FOLDED, ARMS_CROSSED, HANDS_ON_HIPS = range(4)
_HOLDS = {  # degrees of flexion, abduction, twist, elbow
    HANDS_FOLDED: (12, 5, 42, 75),
    ARMS_CROSSED: (24, 2, 68, 102),
    HANDS_ON_HIPS: (-14, 46, 42, 92),
}


def stand(
    body: Body, seconds: float, fps: float, rng: np.random.Generator, footwork: Footwork
) -> Figure:
    """A figure that stands on ``footwork``, arms hanging, swaying and looking about a little."""
    figure, style = Figure(body, seconds, fps), body.style
    t = figure.t
    footwork.apply(figure)
    facing = np.stack([np.cos(figure.heading), np.sin(figure.heading)], axis=-1)
    leftward = facing[:, ::-1] * (-1, 1)
    # weight goes from one leg to the other; the pelvis drops over the resting leg
    weight = wander(t, rng, 0.5, 0.05, 0.25)
    figure.place = figure.place + (0.02 + wander(t, rng, 0.008))[:, None] * facing
    figure.place += (0.035 * weight)[:, None] * leftward
    figure.height -= 0.004 + 0.003 * np.abs(wander(t, rng, 1.0))
    figure.heading = figure.heading + wander(t, rng, 0.06, 0.05, 0.3)
    figure.splay += 0.05
    figure.tilt[:, LEAN] = style.lean + wander(t, rng, 0.02)
    figure.tilt[:, SIDE] = 0.04 * weight
    figure.tilt[:, TURN] = wander(t, rng, 0.04)
    breath = 0.012 * np.sin(2 * np.pi * rng.uniform(0.2, 0.3) * t + rng.uniform(0, 6))
    figure.trunk[:, LEAN] = style.stoop + 0.03 + wander(t, rng, 0.03) - breath
    figure.trunk[:, SIDE] = -0.05 * weight + wander(t, rng, 0.015)
    figure.trunk[:, TURN] = wander(t, rng, 0.06)
    figure.head[:, LEAN] = rng.normal(0, 0.08) - style.stoop + wander(t, rng, 0.07)
    figure.head[:, SIDE] = wander(t, rng, 0.05)
    figure.head[:, TURN] += wander(t, rng, 0.24)
    for side in (LEFT, RIGHT):
        arm = figure.arms[side]
        arm[:, FLEX] = 0.02 + wander(t, rng, 0.06) + 2 * breath
        arm[:, ABDUCT] = style.arm_spread + rng.uniform(0, 0.06) + wander(t, rng, 0.03)
        arm[:, TWIST] = rng.uniform(0.1, 0.5) + wander(t, rng, 0.08)
        arm[:, ELBOW] = style.elbows + rng.uniform(-0.1, 0.2) + wander(t, rng, 0.07)
    return figure


def restless(body: Body, seconds: float, rng: np.random.Generator, **stance) -> Footwork:
    """Feet that stand, and in most takes step to another place and heading now and then."""
    footwork = Footwork(body, rng, **({"wide": rng.uniform(0.8, 1.3)} | stance))
    now = rng.uniform(0.5, 4.0)
    while now < seconds:
        angle = rng.normal(0, 0.7)
        shift = np.clip(rng.normal(0, 0.15, 2) - 0.3 * footwork.middle, -0.3, 0.3)
        now = footwork.turn(now, angle, shift, rng.uniform(0.42, 0.6) / body.style.tempo)
        now += rng.uniform(1.5, 6.0)
    return footwork


def between(body: Body, rng, actions: list[tuple[float, float]], **stance) -> Footwork:
    """Feet that stay put during each of ``actions`` (start, length) and may step in the pauses."""
    footwork = Footwork(body, rng, **({"wide": rng.uniform(0.8, 1.3)} | stance))
    step = rng.uniform(0.4, 0.52) / body.style.tempo
    for (start, length), (following, _) in pairwise(actions):
        pause = following - start - length
        angle = np.clip(rng.normal(0, 0.6), -0.85, 0.85)
        if pause > 2 * step and rng.random() < 0.6:
            shift = np.clip(rng.normal(0, 0.12, 2) - 0.3 * footwork.middle, -0.2, 0.2)
            footwork.turn(start + length, angle, shift, step)
    return footwork


def hold_arms(figure: Figure, rng: np.random.Generator, manner: int, weight: np.ndarray) -> None:
    """Both arms to one of the ways people hold them while nothing is to be done."""
    if manner == ARMS_DOWN:
        return
    pose = np.array(_HOLDS[manner], float)
    for side in (LEFT, RIGHT):
        own = pose + rng.normal(0, 3, 4)
        figure.raise_arm(side, own, 0.96 * weight)


def lean_back(figure: Figure, ahead: np.ndarray) -> None:
    """Move the pelvis back by ``ahead`` (T,) metres along the heading, as balance asks."""
    figure.place = figure.place - smooth(ahead, figure.fps, 0.05)[:, None] * np.stack(
        [np.cos(figure.heading), np.sin(figure.heading)], axis=-1
    )
