"""Squares cut out of films, each of a camera of its own, and the way back: what turns pixels of a
small picture of a person into pixels of the film, and into space."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.cameras import Camera, project_to_screen, straightened

#: share of the longer side of a person's joints that is left free on each side of them, in the
#: crops of kato2020's first stage
CROP_MARGIN = 0.125
CELLS = 16  # along each side of a crop, within which a lens may count as linear
_STEPS = 4  # of Newton's method
_LEAST_SIDE = 1.0  # pixel of the film


def pixel_intrinsics(cameras: Sequence[Camera]) -> Tensor:
    """``(R, 9)``, a row for each camera: focal lengths and centre in pixels, k1, k2, k3, p1, p2."""
    rows = [(*c.focal, *c.centre, *c.radial, *c.tangential) for c in cameras]
    return torch.tensor(rows, dtype=torch.float32)


@dataclass(frozen=True, eq=False)
class Crops:
    """N squares of films, each seen as a picture of ``size`` x ``size`` pixels.

    ===============  ==========  =================================================================
    ``middle``       (N, 2)      of the square, in pixels of the film
    ``side``         (N,)        of the square, in pixels of the film
    ``angle``        (N,)        radians: the square's upper side points to (cos, sin) in the film
    ``intrinsics``   (N, 9)      of its camera (:func:`pixel_intrinsics`)
    ``film``         (N, 2)      width and height of the film's pictures
    ===============  ==========  =================================================================

    Pixels are (column, row), and the middle of the first one is (0.5, 0.5), in film and crop.
    """

    middle: Tensor
    side: Tensor
    angle: Tensor
    intrinsics: Tensor
    film: Tensor
    size: int

    @classmethod
    def about(
        cls, points: Tensor, margin: float, intrinsics: Tensor, film: Tensor, size: int
    ) -> "Crops":
        """Upright squares about points ``(N, K, 2)`` of the films, by ``margin`` (share of the
        longer side) wider on each side than they are."""
        low, high = points.amin(dim=1), points.amax(dim=1)
        side = (high - low).amax(dim=-1).clamp_min(_LEAST_SIDE) * (1 + 2 * margin)
        return cls((low + high) / 2, side, torch.zeros_like(side), intrinsics, film, size)

    def __len__(self) -> int:
        return len(self.side)

    def __getitem__(self, chosen: Tensor | slice) -> "Crops":
        names = ("middle", "side", "angle", "intrinsics", "film")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def from_film(self, pixels: Tensor) -> Tensor:
        """Pixels ``(N, K, 2)`` of the films as pixels of the crops."""
        self._check(pixels, 2)
        across, down = self._axes()
        off = pixels - self.middle[:, None]
        turned = torch.stack([(off * across).sum(dim=-1), (off * down).sum(dim=-1)], dim=-1)
        return turned * (self.size / self.side[:, None, None]) + self.size / 2

    def to_film(self, pixels: Tensor) -> Tensor:
        """Pixels ``(N, K, 2)`` of the crops as pixels of the films: inverse of :meth:`from_film`"""
        self._check(pixels, 2)
        across, down = self._axes()
        off = (pixels - self.size / 2) * (self.side[:, None, None] / self.size)
        return off[..., :1] * across + off[..., 1:] * down + self.middle[:, None]

    def project(self, positions: Tensor) -> Tensor:
        """Camera-space metres ``(N, K, 3)`` to pixels ``(N, K, 2)`` of the crops, lens included."""
        self._check(positions, 3)
        return self.from_film(project_to_screen(positions, self.intrinsics))

    def unproject(self, pixels: Tensor, depth: Tensor) -> Tensor:
        """Pixels ``(N, K, 2)`` of the crops at depths ``(N, K)``, metres along the camera's axis,
        to camera space ``(N, K, 3)``: inverse of :meth:`project`, the lens undone."""
        plane = self._plane(pixels)
        return torch.cat([plane, torch.ones_like(plane[..., :1])], dim=-1) * depth[..., None]

    def screen(self, pixels: Tensor) -> Tensor:
        """Pixels ``(N, K, 2)`` of the crops in screen coordinates of the whole film, as
        :func:`~paperlib.cameras.normalize_screen_coordinates` makes them."""
        width, height = self.film[:, None, :1], self.film[:, None, 1:]
        return (2 * self.to_film(pixels) - torch.cat([width, height], dim=-1)) / width

    def screen_squares(self) -> Tensor:
        """``(N, 3)``: middle x, middle y and side in screen coordinates: what
        :class:`~paperlib.models.MultiStrideTCN` is told of upright crops."""
        width = self.film[:, :1]
        return torch.cat([(2 * self.middle - self.film) / width, 2 * self.side[:, None] / width], 1)

    def inside(self, pixels: Tensor) -> Tensor:
        """``(N, K)`` bool: which pixels ``(N, K, 2)`` of the crops lie in the crop and the film."""
        film = self.to_film(pixels)
        in_crop = ((pixels >= 0) & (pixels <= self.size)).all(dim=-1)
        return in_crop & ((film >= 0) & (film <= self.film[:, None])).all(dim=-1)

    def pixels(self) -> Tensor:
        """``(N, size, size, 2)``: the middle of each pixel of the crops, in pixels of the films."""
        line = torch.arange(self.size, device=self.side.device) + (0.5 - self.size / 2)
        off = line * (self.side[:, None] / self.size)
        cos, sin = off * self.angle.cos()[:, None], off * self.angle.sin()[:, None]
        x = (self.middle[:, :1] - sin)[:, :, None] + cos[:, None]
        y = (self.middle[:, 1:] + cos)[:, :, None] + sin[:, None]
        return torch.stack([x, y], dim=-1)

    def rays(self) -> tuple[Tensor, Tensor]:
        """X / Z and Y / Z, ``(N, size, size)`` each, of what each pixel's middle shows.

        The lens is undone at the middles of 16 x 16 cells and those around, and taken as linear
        between: some thousandths of a cell off, for what lenses do.
        """
        cell = self.size / CELLS
        line = (torch.arange(-1, CELLS + 1, device=self.side.device) + 0.5) * cell
        grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)
        plane = self._plane(grid.view(1, -1, 2).expand(len(self), -1, -1))
        plane = plane.mT.unflatten(2, grid.shape[:2])
        cell = self.size // CELLS
        fine = F.interpolate(plane, scale_factor=cell, mode="bilinear", align_corners=False)
        x, y = fine[..., cell:-cell, cell:-cell].unbind(1)
        return x.contiguous(), y.contiguous()

    def cut(self, frames: Tensor) -> Tensor:
        """The squares ``(N, 3, size, size)`` of the films' pictures ``(N, 3, H, W)``, between their
        pixels by straight lines; beyond their edges all is 0."""
        if frames.ndim != 4 or len(frames) != len(self):
            raise ValueError(
                f"{len(self)} crops need frames ({len(self)}, 3, H, W), got {tuple(frames.shape)}"
            )
        size = frames.new_tensor([frames.shape[-1], frames.shape[-2]])
        if not torch.equal(size.expand_as(self.film), self.film.to(size)):
            raise ValueError(
                f"crops are of films of {self.film[0].tolist()} pixels, got frames of "
                f"{size.tolist()}"
            )
        grid = 2 * self.pixels() / size - 1
        return F.grid_sample(frames, grid, mode="bilinear", align_corners=False)

    def _plane(self, pixels: Tensor) -> Tensor:
        """X / Z and Y / Z ``(N, K, 2)`` of pixels of the crops: the lens undone."""
        focal, centre, *lens = self.intrinsics[:, None].split([2, 2, 3, 2], dim=-1)
        return straightened((self.to_film(pixels) - centre) / focal, *lens, _STEPS)

    def _axes(self) -> tuple[Tensor, Tensor]:
        """``(N, 1, 2)`` each: the crops' directions right and down, in the films."""
        cos, sin = self.angle.cos()[:, None, None], self.angle.sin()[:, None, None]
        return torch.cat([cos, sin], dim=-1), torch.cat([-sin, cos], dim=-1)

    def _check(self, points: Tensor, size: int) -> None:
        if points.ndim != 3 or len(points) != len(self) or points.shape[-1] != size:
            raise ValueError(
                f"{len(self)} crops need points ({len(self)}, K, {size}), got {tuple(points.shape)}"
            )
