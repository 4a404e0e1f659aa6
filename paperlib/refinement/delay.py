"""How far a filter runs behind: what smoothing is paid with, where the future is not known."""

from paperlib.refinement.arrays import Array, as_positions


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
