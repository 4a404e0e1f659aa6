"""What can be read from heat maps: where their peaks are, how high and wide, and second ones."""

import torch
from torch import Tensor
from torch.nn import functional as F


def peaks(maps: Tensor, crops: Tensor) -> Tensor:
    """``(B, T, K, 3)``: x and y of the highest point of each map ``(B, T, K, H, W)``, in the unit
    of ``crops`` ``(B, T, 3)``, and its height: what is left of a map where peaks alone are lifted
    (cheng2020, table 2, Base).

    Between cells a parabola through the logarithms of three neighbours gives the place: for a
    Gaussian that is exact. A map of zeros has a peak of height 0 in the middle.
    """
    if maps.ndim != 5 or min(maps.shape[-2:]) < 3 or crops.shape != (*maps.shape[:2], 3):
        raise ValueError(
            "expected maps (B, T, K, H, W), of 3 cells a side or more, and crops (B, T, 3), got "
            f"{tuple(maps.shape)} and {tuple(crops.shape)}"
        )
    rows, columns = maps.shape[-2:]
    height, (column, row), lines = _highest(maps)
    x, y = (_vertex(line, cell) for line, cell in zip(lines, (column, row), strict=True))
    share = torch.stack([(x + 0.5) / columns - 0.5, (y + 0.5) / rows - 0.5], dim=-1)
    share = share.masked_fill(height[..., None] <= 0, 0.0)
    found = crops[..., None, :2] + share * crops[..., None, 2:]
    return torch.cat([found, height[..., None]], dim=-1)


def peak_widths(maps: Tensor) -> Tensor:
    """``(…)``: how wide the highest peak of each map ``(…, H, W)`` is, the standard deviation in
    cells of the Gaussian through its highest cell and the two on each side, the mean of across and
    down (geometric). NaN where that is no peak."""
    _, places, lines = _highest(maps)
    bends = [_parabola(line, cell)[1] for line, cell in zip(lines, places, strict=True)]
    across, down = ((-1 / bend).sqrt() for bend in bends)
    return (across * down).sqrt()


def second_peaks(maps: Tensor, apart: int = 2) -> Tensor:
    """``(…, 3)``: column, row and height of the second peak of each map ``(…, H, W)``: the highest
    cell that is no lower than any of those around it, and more than ``apart`` cells from the
    highest one, across or down. Its height is 0 where there is none."""
    _, (column, row), _ = _highest(maps)
    rows, columns = maps.shape[-2:]
    around = F.max_pool2d(maps.reshape(-1, 1, rows, columns), 3, stride=1, padding=1)
    across = (torch.arange(columns, device=maps.device) - column[..., None]).abs() <= apart
    down = (torch.arange(rows, device=maps.device) - row[..., None]).abs() <= apart
    first = down[..., :, None] & across[..., None, :]
    others = maps.masked_fill(first | (maps < around.view(maps.shape)), 0.0)
    height, cell = others.flatten(-2).max(dim=-1)
    return torch.stack([cell % columns, cell // columns, height], dim=-1)


def _highest(maps: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The height ``(…)`` of the highest cell of maps ``(…, H, W)``, its column and row, and the
    lines of cells through it, across ``(…, W)`` and down ``(…, H)``."""
    rows, columns = maps.shape[-2:]
    height, cell = maps.flatten(-2).max(dim=-1)
    column, row = cell % columns, cell // columns
    across = maps.gather(-2, row[..., None, None].expand(*cell.shape, 1, columns)).squeeze(-2)
    down = maps.gather(-1, column[..., None, None].expand(*cell.shape, rows, 1)).squeeze(-1)
    return height, (column, row), (across, down)


def _parabola(line: Tensor, highest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Through the logarithms of three cells of ``line`` ``(…, N)``, about the highest one where it
    is none of the ends: the middle cell, the second derivative, and minus twice the first there."""
    middle = highest.clamp(1, line.shape[-1] - 2)
    tiny = torch.finfo(torch.float32).tiny
    before, at, after = (
        line.gather(-1, (middle + step)[..., None]).squeeze(-1).float().clamp_min(tiny).log()
        for step in (-1, 0, 1)
    )
    return middle, before - 2 * at + after, before - after


def _vertex(line: Tensor, highest: Tensor) -> Tensor:
    """Where between the cells of ``line`` ``(…, N)`` its highest point lies."""
    middle, bend, slope = _parabola(line, highest)
    offset = torch.where(bend < 0, slope / (2 * bend), highest - middle)
    return middle + offset.clamp(-1.5, 1.5)
