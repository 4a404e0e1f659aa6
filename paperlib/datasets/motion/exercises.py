"""Motions of the whole body on the spot: sitting, bending, kicking, jumping, squatting."""

import numpy as np

from paperlib.datasets.motion.bodies import Body
from paperlib.datasets.motion.curves import ease, keyed, pulse, repeats
from paperlib.datasets.motion.footwork import Footwork
from paperlib.datasets.motion.posing import LEAN, LEFT, RIGHT, SIDE, TURN, Figure
from paperlib.datasets.motion.standing import between, hold_arms, lean_back, stand

GRAVITY = 9.81


def sitting_down(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Sits down on a chair, stays a while and rises."""
    footwork = Footwork(body, rng, rng.uniform(0.9, 1.4))
    figure = stand(body, seconds, fps, rng, footwork)
    t, tempo = figure.t, body.style.tempo
    seat = rng.uniform(0.27, 0.31) * body.stature
    back = rng.uniform(0.19, 0.23) * body.stature
    slump = rng.uniform(-0.15, 0.1)
    for start, length in repeats(rng, seconds, (4.0, 6.5), (0.5, 1.6)):
        down, up = rng.uniform(1.2, 1.8) / tempo, rng.uniform(1.1, 1.6) / tempo
        w = pulse(t, start, down, length - down - up, up)
        figure.height -= w * (figure.standing - seat)
        lean_back(figure, w * back)
        # the trunk goes forward while the weight is still above the feet
        rising = start + length - up
        bow = pulse(t, start - 0.1, 0.6 * down, 0, 0.7 * down)
        bow = bow + pulse(t, rising - 0.35, 0.4 * up + 0.2, 0, 0.6 * up)
        figure.tilt[:, LEAN] += 0.38 * bow + (-0.12 + slump) * w
        figure.trunk[:, LEAN] += 0.32 * bow + (0.14 - 0.5 * slump) * w
        figure.head[:, LEAN] -= 0.30 * bow
        _hands_while_sitting(figure, rng, w, start + down, rising)
        knees = rng.uniform(0.0, 0.25)
        figure.splay += knees * w
    return figure.positions()


def _hands_while_sitting(figure: Figure, rng, w: np.ndarray, sat: float, rising: float) -> None:
    """On the thighs, folded, or one of them moving in talk."""
    t, manner = figure.t, rng.random()
    if manner < 0.25:
        hold_arms(figure, rng, int(rng.integers(1, 3)), w)
        return
    for side in (LEFT, RIGHT):
        thighs = rng.uniform((14, 4, 8, 52), (32, 14, 25, 72))
        figure.raise_arm(side, thighs, w)
    if manner < 0.7:
        side = int(rng.integers(2))
        for begin, length in repeats(rng, rising - sat, (0.9, 1.8), (0.3, 1.2)):
            talk = rng.uniform((15, 5, -20, 75), (45, 25, 25, 115))
            stay = min(length, rising - sat - begin) - 0.9
            if stay > 0:
                figure.raise_arm(side, talk, pulse(t, sat + begin, 0.45, stay, 0.45))


def bending(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Bends down to the floor with one hand or both, and sometimes lifts what lies there."""
    actions = list(repeats(rng, seconds, (2.4, 4.0), (0.4, 1.4)))
    figure = stand(body, seconds, fps, rng, between(body, rng, actions, wide=rng.uniform(0.9, 1.5)))
    t = figure.t
    for start, length in actions:
        down, up = 0.38 * length, 0.40 * length
        w = pulse(t, start, down, length - down - up, up)
        deep, knees = rng.uniform(0.75, 1.15), rng.uniform(0.05, 0.32)
        aside = rng.uniform(-0.4, 0.4)
        deep -= 1.1 * knees
        figure.tilt[:, LEAN] += 0.75 * deep * w
        figure.trunk[:, LEAN] += 0.80 * deep * w
        figure.trunk[:, TURN] += aside * w
        figure.trunk[:, SIDE] += 0.3 * aside * w
        figure.head[:, LEAN] += (0.1 - 0.25 * deep) * w
        figure.height -= knees * body.stature * 0.75 * w
        lean_back(figure, (0.13 * deep + 0.10 * knees) * w)
        figure.splay += 0.3 * knees * w
        hang = np.degrees(1.55 * deep) + rng.uniform(-6, 14)
        first = int(rng.integers(2)) if rng.random() < 0.35 else None
        for side in (LEFT, RIGHT):
            if first in (None, side):
                reach = (hang, rng.uniform(2, 10), rng.uniform(0, 25), rng.uniform(8, 22))
            else:  # the other hand on the knee
                reach = (0.55 * hang, 8, 10, 30)
            figure.raise_arm(side, reach, w)
        if first is None and rng.random() < 0.6:
            lifted = pulse(t, start + down, up, 0.0, 0.6)
            for side in (LEFT, RIGHT):
                figure.raise_arm(side, (hang + 8, 4, 25, 14), pulse(t, start + down, 0.2, 0.1, up))
                figure.raise_arm(side, (16, 5, 25, 88), lifted)
    return figure.positions()


def squatting(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Knee bends, deep or shallow, arms held out, folded or on the hips."""
    footwork = Footwork(body, rng, rng.uniform(1.1, 1.7))
    figure = stand(body, seconds, fps, rng, footwork)
    t, manner = figure.t, rng.random()
    most = rng.uniform(0.45, 1.0)
    figure.splay += 0.10
    for start, length in repeats(rng, seconds, (1.7, 3.0), (0.1, 1.0)):
        depth = most * rng.uniform(0.8, 1.0)
        down, up = 0.42 * length, 0.44 * length
        w = depth * pulse(t, start, down, length - down - up, up)
        figure.height -= 0.285 * body.stature * w
        lean_back(figure, 0.10 * body.stature * w)
        figure.tilt[:, LEAN] += 0.45 * w
        figure.trunk[:, LEAN] += 0.28 * w
        figure.head[:, LEAN] -= 0.35 * w
        figure.splay += 0.16 * w
        if manner < 0.55:
            forward = (rng.uniform(88, 112), rng.uniform(0, 12), 20, rng.uniform(5, 18))
            for side in (LEFT, RIGHT):
                figure.raise_arm(side, forward, w / depth)
    if manner >= 0.55:
        hold_arms(figure, rng, int(rng.integers(1, 4)), np.ones(len(t)))
    return figure.positions()


def kicking(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Kicks forward, low as at a ball or high, and sets the foot down again."""
    actions = list(repeats(rng, seconds, (1.7, 2.3), (0.3, 1.1)))
    figure = stand(body, seconds, fps, rng, between(body, rng, actions, wide=rng.uniform(0.7, 1.0)))
    t, favourite = figure.t, LEFT if rng.random() < body.style.left_handed else RIGHT
    for start, length in actions:
        side = favourite if rng.random() < 0.75 else 1 - favourite
        sign = 1 if side == RIGHT else -1
        high = rng.uniform(28, 88) * min(body.style.vigour, 1.05)
        beats = start + length * np.array([0.08, 0.36, 0.56, 0.66, 0.92])
        flex = keyed(t, beats, [8, -24, high, 0.8 * high, 8])
        knee = keyed(t, beats, [16, 72, 10, 30, 16])
        up = pulse(t, start + 0.08 * length, 0.18 * length, 0.42 * length, 0.26 * length)
        onto = pulse(t, start - 0.15, 0.25 * length, 0.55 * length, 0.25 * length)
        # the weight goes over the standing foot first
        across = figure.ankles[1 - side, :, :2] - figure.ankles[:, :, :2].mean(axis=0)
        figure.place = figure.place + 0.75 * onto[:, None] * across
        figure.height -= 0.02 * onto
        lean = keyed(t, beats, [0, 0.12, -0.25, -0.12, 0]) * high / 60
        figure.trunk[:, LEAN] += lean
        figure.tilt[:, LEAN] += 0.6 * lean
        figure.trunk[:, TURN] += sign * keyed(t, beats, [0, -0.2, -0.28, -0.1, 0])
        figure.tilt[:, TURN] += sign * keyed(t, beats, [0, -0.2, 0.30, 0.1, 0])
        figure.head[:, LEAN] += 0.15 * onto - 0.8 * lean
        figure.hang_leg(side, flex, np.full(len(t), 3.0), knee, up)
        for arm, swing in ((side, -1.0), (1 - side, 1.0)):
            forward = keyed(t, beats, [0, -35, 48, 30, 0]) * swing * high / 60
            pose = np.stack([forward, 28 + 0 * t, 15 + 0 * t, 32 + 0 * t], axis=-1)
            figure.raise_arm(arm, pose, onto)
    return figure.positions()


def jumping(body: Body, seconds: float, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Jumps with both feet: up, forward and back, or with a turn."""
    figure = stand(body, seconds, fps, rng, Footwork(body, rng, rng.uniform(0.8, 1.2)))
    for start, length in repeats(rng, seconds, (1.5, 1.9), (0.1, 1.1)):
        _jump(figure, rng, start, length / body.style.tempo**0.5)
    return figure.positions()


def _jump(figure: Figure, rng, start: float, length: float) -> None:
    from scipy.interpolate import CubicHermiteSpline

    t, size = figure.t, figure.body.stature / 1.7
    apex = rng.uniform(0.10, 0.30) * min(figure.body.style.vigour, 1.1)
    speed = np.sqrt(2 * GRAVITY * apex)
    flight = 2 * speed / GRAVITY
    rise = 0.07 * size  # of the heels before they leave the floor
    crouch, soft = (-rng.uniform(0.16, 0.32) * size for _ in range(2))
    off = start + 0.42 * length
    land = off + flight
    path = CubicHermiteSpline(
        [start, off - 0.24, off, land, land + 0.20, land + 0.20 + 0.35 * length],
        [0, crouch, rise, rise, 0.7 * soft, 0],
        [0, 0, speed, -speed, 0, 0],
    )
    end = path.x[-1]
    figure.height += path(np.clip(t, start, end))
    # the heels rise as the cube of time, which meets the speed of take-off; mirrored in landing
    push = 3 * rise / speed
    before = np.clip((t - off + push) / push, 0, 1) ** 3
    after = np.clip((land + push - t) / push, 0, 1) ** 3
    airborne = (t >= off) & (t <= land)
    heels = np.where(airborne, path(np.clip(t, off, land)), rise * np.where(t < off, before, after))
    tuck = rng.uniform(0.02, 0.22) * size * np.sin(np.pi * np.clip((t - off) / flight, 0, 1)) ** 2
    figure.ankles[:, :, 2] += heels + tuck
    _travel(figure, rng, off, flight)
    w = pulse(t, start, off - 0.24 - start, 0, 0.24) + 0.7 * pulse(t, land, 0.2, 0, 0.4)
    figure.tilt[:, LEAN] += 0.40 * w
    figure.trunk[:, LEAN] += 0.35 * w
    figure.head[:, LEAN] -= 0.45 * w
    lean_back(figure, 0.07 * w)
    beats = [start, off - 0.28, off + 0.18, land + 0.02, land + 0.25, end]
    high = rng.uniform(60, 140)
    for side in (LEFT, RIGHT):
        up = [(5, 10, 15, 20), (-42, 14, 10, 15), (high, 16, 10, 25)]
        down = [(0.6 * high, 25, 10, 30), (15, 18, 15, 35), (5, 10, 15, 20)]
        arm = keyed(t, beats, up + down)
        figure.raise_arm(side, arm, pulse(t, start - 0.2, 0.3, end - start - 0.2, 0.4))


def _travel(figure: Figure, rng, off: float, flight: float) -> None:
    """Feet and pelvis to another place and heading while in the air."""
    t = figure.t
    moved = ease(t, off, flight)
    carried = ease(t, off - 0.1, flight + 0.2)
    middle = figure.ankles[:, :, :2].mean(axis=0)
    # towards the middle of the stage when far from it
    way = np.array([rng.normal(0, 0.18), rng.normal(0, 0.10)]) - 0.4 * middle[-1]
    angle = rng.choice([0.0, rng.normal(0, 0.6)])
    for side in (LEFT, RIGHT):
        arm = figure.ankles[side, :, :2] - middle
        c, s = np.cos(angle * moved) - 1, np.sin(angle * moved)
        swung = np.stack([c * arm[:, 0] - s * arm[:, 1], s * arm[:, 0] + c * arm[:, 1]], axis=-1)
        figure.ankles[side, :, :2] += swung + moved[:, None] * way
        figure.toes[side] += angle * moved
    figure.place = figure.place + carried[:, None] * way
    figure.heading = figure.heading + angle * carried
