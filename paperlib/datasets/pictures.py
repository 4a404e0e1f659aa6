"""The pictures of a film, one after the other: from an array, a folder of images, or a video."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from paperlib.arrays import as_tensor
from paperlib.datasets.stills import read_image
from paperlib.outside.videos import Picture, read_video
from paperlib.paths import regular_file

ENDINGS = (".png", ".jpg", ".jpeg")


def pictures(film: np.ndarray | Tensor | str | Path) -> tuple[int | None, Iterator[Tensor]]:
    """How many pictures a film has (None where only reading it through tells), and each of them,
    ``(3, H, W)`` from 0 to 1.

    A ``film`` is an array or tensor ``(T, 3, H, W)`` from 0 to 1; a folder, whose PNG and JPEG
    files are taken in the order of their names (``frame_2`` before ``frame_10``); or a video file,
    which PyAV decodes where it is installed. Files are read when it is their turn.

    ``ValueError`` for anything else, an empty film, a folder without images, and a file that cannot
    be decoded.
    """
    if not isinstance(film, str | Path):
        values = as_tensor(film)
        if values.ndim != 4 or values.shape[1] != 3 or not values.numel():
            raise ValueError(
                f"a film is of pictures (T, 3, H, W), T > 0, got {tuple(values.shape)}; colours "
                "last: array.transpose(0, 3, 1, 2)"
            )
        if not values.is_floating_point():
            raise ValueError(f"pictures of {values.dtype}: divide 8-bit ones by 255")
        return len(values), iter(values)
    path = Path(film)
    if not path.is_dir():
        otherwise = f". Or make a folder of images of it: ffmpeg -i {path.name} folder/%06d.png"
        return None, map(_picture, read_video(regular_file(path, limit=2**36), otherwise))
    files = sorted((p for p in path.iterdir() if p.suffix.lower() in ENDINGS), key=_counted)
    if not files:
        raise ValueError(f"{path}: no images ({', '.join(ENDINGS)}) in this folder")
    return len(files), map(read_image, files)


def _counted(path: Path) -> list[tuple[int, str]]:
    """By which names are put in order: numbers in them as numbers."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _picture(one: Picture) -> Tensor:
    return torch.from_numpy(one.pixels).permute(2, 0, 1).float() / 255
