"""Where feet stand, and how they get from one place to the next."""

import numpy as np

from paperlib.datasets.motion.bodies import Body
from paperlib.datasets.motion.curves import ease, minimum_jerk, smooth
from paperlib.datasets.motion.posing import LEFT, OUTWARD, RIGHT, TURN, Figure


class Footprints:
    """The places one foot stands on, one after another, and the swings between them."""

    def __init__(self, x: float, y: float, heading: float):
        self.land, self.leave = [-np.inf], []
        self.prints = [(x, y, heading)]
        self.lifts = []

    def step(self, start: float, length: float, to: tuple, lift: float) -> None:
        """Leave the floor at ``start`` and stand on ``to`` (x, y, heading) ``length`` later."""
        self.leave.append(start)
        self.land.append(start + length)
        self.prints.append(to)
        self.lifts.append(lift)

    def track(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(T, 2) places, (T,) headings and (T,) heights above the standing foot's."""
        prints = np.array([*self.prints, self.prints[-1]])
        lifts = np.array([*self.lifts, 0.0])
        last = np.searchsorted(self.land, t, side="right") - 1
        leave, land = np.array([*self.leave, np.inf]), np.array([*self.land[1:], np.inf])
        swinging = t > leave[last]
        u = np.zeros(len(t))
        k = last[swinging]
        u[swinging] = (t[swinging] - leave[k]) / (land[k] - leave[k])
        # it travels only while clear of the floor, so that it never slides
        along = minimum_jerk((u - 0.03) / 0.93)[:, None]
        moved = prints[last] + along * (prints[last + 1] - prints[last])
        # highest before the middle of the swing, when the heel comes up; 0.0476 is the maximum
        height = lifts[last] * u**2 * (1 - u) ** 2 * (1 - 0.5 * u) / 0.0476
        return moved[:, :2], moved[:, 2], height


def set_feet(figure: Figure, feet: tuple[Footprints, Footprints]) -> np.ndarray:
    """Put the figure's feet where the footprints say; returns their heights (2, T)."""
    heights = []
    for side, foot in enumerate(feet):
        xy, figure.toes[side], height = foot.track(figure.t)
        figure.ankles[side, :, :2] = xy
        figure.ankles[side, :, 2] = figure.body.ankle_height + height
        heights.append(height)
    return np.stack(heights)


class Footwork:
    """Both feet of someone who stands, and steps about now and then."""

    def __init__(self, body: Body, rng: np.random.Generator, wide: float, stagger: float = 0.0):
        """``wide`` times the hips' width apart; the left foot ``stagger`` metres ahead."""
        self.half = wide * body.style.stance * body.offsets()[4, 1].item()
        self.stagger, self.turnout = stagger, body.style.turnout + 0.1 * (wide > 1.2)
        self.lift = rng.uniform(0.05, 0.09) * body.stature / 1.7
        self.middle, self.heading = np.zeros(2), 0.0
        self.turns: list[tuple[float, float, float]] = []
        self.feet = tuple(Footprints(*self.spot(side)) for side in (LEFT, RIGHT))

    def spot(self, side: int) -> tuple[float, float, float]:
        """Where a foot belongs when one stands at ``middle`` facing ``heading``."""
        c, s = np.cos(self.heading), np.sin(self.heading)
        ahead, across = OUTWARD[side] * self.stagger / 2, OUTWARD[side] * self.half
        x, y = self.middle + np.array([ahead * c - across * s, ahead * s + across * c])
        return x, y, self.heading + OUTWARD[side] * self.turnout

    def turn(self, start: float, angle: float, shift: np.ndarray, step: float) -> float:
        """From ``start`` on turn by ``angle`` and move by ``shift`` (2,), a step taking ``step``
        seconds; returns when it is done. The foot on the inner side goes first."""
        pairs = max(1, int(np.ceil(max(abs(angle) / 0.9, np.linalg.norm(shift) / 0.3))))
        first = LEFT if angle > 0 else RIGHT
        self.turns.append((start, 2 * pairs * step, angle))
        for pair in range(pairs):
            self.heading += angle / pairs
            self.middle = self.middle + shift / pairs
            for order, side in enumerate((first, 1 - first)):
                begin = start + (2 * pair + order) * step
                self.feet[side].step(begin, 0.92 * step, self.spot(side), self.lift)
        return start + 2 * pairs * step

    def apply(self, figure: Figure) -> None:
        """Feet, heading and the pelvis above the foot that carries the weight."""
        t = figure.t
        lifted = np.minimum(set_feet(figure, self.feet) / self.lift, 1.0)
        middle = figure.ankles[:, :, :2].mean(axis=0)
        half_way = (figure.ankles[RIGHT] - figure.ankles[LEFT])[:, :2] / 2
        over = smooth(lifted[LEFT] - lifted[RIGHT], figure.fps, 0.12)
        figure.place = smooth(middle, figure.fps, 0.08) + 0.45 * over[:, None] * half_way
        for start, length, angle in self.turns:
            figure.heading += angle * ease(t, start - 0.1, length)
            ahead = ease(t, start - 0.35, 0.5) - ease(t, start, length)
            figure.head[:, TURN] += 0.5 * np.clip(angle, -1.2, 1.2) * ahead
