"""Heatmaps of keypoints with the hidden ones left out (wang2020, 4.1, figures 2 and 3)."""

import torch
from torch import Tensor

from paperlib.occlusion.bodies import check_points

SIZE = 128  # pixels along each side: wang2020, 4.1
_SIGMA = 2.0  # heatmap pixels; the paper has none


def heatmaps(
    keypoints: Tensor,
    visible: Tensor | None = None,
    size: int = SIZE,
    sigma: float = _SIGMA,
    margin: float = 0.2,
) -> Tensor:
    """A picture ``(T, K, size, size)`` of each keypoint ``(T, K, 2)``: a Gaussian of height 1 and
    standard deviation ``sigma`` (its pixels), or nothing where it is not ``visible`` ``(T, K)``.

    Each frame is cropped to a square about all of the person's keypoints, hidden ones too, with a
    ``margin`` (share of the longer side) around. The keypoints may be of any unit.
    """
    if keypoints.ndim != 3 or keypoints.shape[-1] != 2 or not keypoints.numel():
        raise ValueError(f"expected keypoints (T, K, 2), got {tuple(keypoints.shape)}")
    check_points(keypoints, "keypoints", 2)
    if visible is not None and (
        visible.shape != keypoints.shape[:-1] or visible.dtype != torch.bool
    ):
        raise ValueError(
            f"visible {tuple(visible.shape)} {visible.dtype} does not fit keypoints "
            f"{tuple(keypoints.shape)}: expected one boolean for each"
        )
    if size < 1 or not sigma > 0 or not margin >= 0:
        raise ValueError(
            f"a size and a sigma above 0, margin 0 or more, got {size=} {sigma=} {margin=}"
        )
    low, high = keypoints.amin(dim=1, keepdim=True), keypoints.amax(dim=1, keepdim=True)
    tiny = torch.finfo(keypoints.dtype).tiny
    side = (high - low).amax(dim=-1, keepdim=True).clamp_min(tiny) * (1 + 2 * margin)
    places = ((keypoints - (low + high) / 2) / side + 0.5) * size - 0.5  # of pixels' middles
    x, y = gaussians(places, size, sigma)
    if visible is not None:
        y = y * visible[..., None]
    return y[..., :, None] * x[..., None, :]


def gaussians(places: Tensor, size: int, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
    """Both factors ``(…, size)`` of Gaussians of height 1 at ``places`` ``(…, 2)``, counted in
    cells from the middle of the first: that along x, and that along y. ``sigma`` in cells is one
    for all, or ``(…)``."""
    cells = torch.arange(size, device=places.device, dtype=places.dtype)
    if isinstance(sigma, Tensor):
        sigma = sigma[..., None]
    # a Gaussian of two dimensions is the product of two of one
    x, y = (torch.exp(-((p[..., None] - cells) ** 2) / (2 * sigma**2)) for p in places.unbind(-1))
    return x, y
