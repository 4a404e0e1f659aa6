"""Filters that smooth every frame alike, seen or not: what the refinement is compared with. And how
far a filter runs behind, which is the price of smoothing where the future is not known.

All filters take ``(..., T, J, 3)`` without gaps, NumPy or torch, and return the same kind.
"""

import math

import torch

from paperlib.arrays import Array, as_positions, like


def one_euro(
    positions: Array,
    fps: float,
    min_cutoff: float = 1.0,
    beta: float = 0.0,
    derivative_cutoff: float = 1.0,
) -> Array:
    """The 1-Euro filter (Casiez et al. 2012) on each coordinate: a first-order low-pass filter that
    looks at the past only, whose cut-off is ``min_cutoff`` Hz at rest and rises with speed by
    ``beta`` Hz for each metre per second; ``derivative_cutoff`` Hz smooths that speed. The second
    baseline of veges2020 (5), which does not give its parameters.
    """
    values = as_positions(positions, gaps=False).double()
    if not (fps > 0 and min_cutoff > 0 and derivative_cutoff > 0 and beta >= 0):
        raise ValueError(
            f"fps={fps}, min_cutoff={min_cutoff}, beta={beta}, "
            f"derivative_cutoff={derivative_cutoff}: rate and cut-offs are in Hz and above 0, beta "
            "is not negative"
        )
    follow = _follow(derivative_cutoff, fps)
    frames = values.unbind(dim=-3)
    last, speed = frames[0], torch.zeros_like(frames[0])
    filtered = [last]
    for frame in frames[1:]:
        # as published: the speed is that of the input against the filtered frame before it
        speed = speed + follow * ((frame - last) * fps - speed)
        last = last + _follow(min_cutoff + beta * speed.abs(), fps) * (frame - last)
        filtered.append(last)
    return like(torch.stack(filtered, dim=-3), positions)


def _follow(cutoff, fps: float):
    """The share of the way to a new value that a low-pass filter goes in one frame."""
    return 1 / (1 + fps / (2 * math.pi * cutoff))


def savitzky_golay(positions: Array, window: int, order: int) -> Array:
    """Each frame from the polynomial of an ``order`` that fits the ``window`` of frames about it
    best, an odd number of them; at the ends, from that of the first or last window."""
    from scipy.signal import savgol_filter

    values = as_positions(positions, gaps=False)
    frames = values.shape[-3]
    if window % 2 == 0 or not 0 <= order < window <= frames:
        raise ValueError(
            f"window={window}, order={order}: a Savitzky-Golay filter of {frames} frames takes an "
            "odd window of at most as many, and an order below it"
        )
    values = values.double().cpu().numpy()
    return like(torch.from_numpy(savgol_filter(values, window, order, axis=-3)), positions)


def gaussian(positions: Array, sigma: float) -> Array:
    """A Gaussian of ``sigma`` frames over time; the ends are continued by their mirror image."""
    from scipy.ndimage import gaussian_filter1d

    values = as_positions(positions, gaps=False)
    if not sigma > 0:
        raise ValueError(f"sigma={sigma}: the width of the Gaussian must be above 0 frames")
    values = values.double().cpu().numpy()
    return like(torch.from_numpy(gaussian_filter1d(values, sigma, axis=-3)), positions)


def delay(filtered: Array, original: Array, most: int = 10) -> float:
    """Frames by which ``filtered`` positions ``(..., T, J, 3)`` come later than the ``original``
    ones: the shift, up to ``most``, at which their velocities agree best, between whole frames by
    the parabola through the best one and its neighbours."""
    after, before = (as_positions(p, gaps=False).double() for p in (filtered, original))
    if after.shape != before.shape or not 0 < most < after.shape[-3] - 1:
        raise ValueError(
            f"positions of shapes {tuple(after.shape)} and {tuple(before.shape)} with shifts up to "
            f"{most}: both must have the same shape, and more frames than that"
        )
    after, before = after.diff(dim=-3), before.diff(dim=-3)
    frames = after.shape[-3] - most
    after = after.narrow(-3, most, frames)  # the same ones for every shift
    apart = [
        (after - before.narrow(-3, most - k, frames)).square().mean().item()
        for k in range(most + 1)
    ]
    best = apart.index(min(apart))
    if best in (0, most):
        return float(best)
    low, least, high = apart[best - 1 : best + 2]
    return best + 0.5 * (low - high) / (low - 2 * least + high)
