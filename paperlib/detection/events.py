"""Chance over time, at any frame rate: noise that lasts, and events that begin and end."""

from typing import NamedTuple

import numpy as np

_WARM_UP = 5  # time constants after which a filter has forgotten how it began


class Events(NamedTuple):
    """What happens when: a row for each frame of each event, in the order in which they begin."""

    frame: np.ndarray  # (N,)
    column: np.ndarray  # (N,)
    event: np.ndarray  # (N,) its number, from 0 on
    count: int  # of events

    def where(self, kept: np.ndarray) -> "Events":
        """Only the rows ``kept`` ``(N,)`` bool."""
        return Events(self.frame[kept], self.column[kept], self.event[kept], self.count)


def events(
    rng: np.random.Generator,
    frames: int,
    share: np.ndarray,
    seconds: np.ndarray | float,
    fps: float,
) -> Events:
    """Events in each of K columns that cover ``share`` ``(K,)`` of the frames and last ``seconds``,
    one number or ``(K,)``, on average, a frame at least. They begin at any time, before the first
    frame too; their lengths are geometric, so that none is due."""
    length = np.maximum(1.0, np.broadcast_to(seconds, share.shape) * fps)
    running = -np.log1p(-np.minimum(share, 0.99))  # in any frame: overlapping ones count each
    first, later = rng.poisson([running, running * (frames - 1) / length])
    columns = np.arange(len(share))
    column = np.concatenate([columns.repeat(first), columns.repeat(later)])
    begun = rng.integers(1, max(2, frames), len(column))
    begun[: first.sum()] = 0
    order = begun.argsort(kind="stable")
    begun, column = begun[order], column[order]
    lasting = np.minimum(rng.geometric(1 / length[column]), frames - begun)
    event = np.arange(len(begun)).repeat(lasting)
    since = np.arange(len(event)) - (lasting.cumsum() - lasting)[event]
    return Events(begun[event] + since, column[event], event, len(begun))


def marked(happened: Events, shape: tuple[int, int]) -> np.ndarray:
    """``(T, K)`` bool: where an event is running."""
    mask = np.zeros(shape, dtype=bool)
    mask[happened.frame, happened.column] = True
    return mask


def lasting_noise(
    rng: np.random.Generator, shape: tuple[int, ...], frames: float, smoothness: int = 1
) -> np.ndarray:
    """Normal noise of unit variance along the first axis, whose correlation has fallen to 1/e
    after about ``frames``: first-order autoregressive, or that once more (``smoothness`` 2), which
    has no corners and lasts longer."""
    from scipy.signal import lfilter  # takes long to load, and few need it

    keep = float(np.exp(-1 / max(frames, 1e-6)))
    if smoothness == 1:
        white = rng.standard_normal(shape, dtype=np.float32)
        white[1:] *= np.sqrt(1 - keep**2)  # the first frame is drawn from the stationary state
        return lfilter(*_pass(keep), white, axis=0)
    before = int(np.ceil(_WARM_UP * frames))
    noise = rng.standard_normal((before + shape[0], *shape[1:]), dtype=np.float32)
    noise *= np.sqrt((1 - keep**2) ** 3 / (1 + keep**2))
    return lfilter(*_pass(keep), lfilter(*_pass(keep), noise, axis=0), axis=0)[before:]


def _pass(keep: float) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(1, np.float32), np.array([1, -keep], np.float32)
