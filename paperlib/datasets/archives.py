"""Reading the field's ``.npz`` archives without running what is inside them.

Human3.6M, HumanEva and detections are passed around as NumPy archives whose members are pickled
dictionaries. A pickle is a program: read the usual way, a file from the internet may do anything.
:mod:`paperlib.outside` makes only arrays, numbers, text and plain containers of it.
"""

import reprlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any

from paperlib.errors import UnsafeFileError
from paperlib.outside import pickles
from paperlib.outside.arrays import NAMES, read_npy
from paperlib.outside.containers import Budget, Stream, member, members
from paperlib.paths import regular_file, stand_in
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16, Skeleton

MAX_BYTES = 8 * 2**30  # unpacked; the largest archive of the field is below 1 GiB

LAYOUTS = {"h36m": H36M_17, "coco": COCO_17, "mpii": MPII_16, "humaneva15": HUMANEVA_15}


def read_archive(path: str | Path) -> dict[str, Any]:
    """The members of an ``.npz`` file by name: arrays, or what their pickles hold.

    An object array without dimensions (a pickled dictionary, say) is given as the object itself;
    all other members are NumPy arrays. Files written by Python 2 and by any NumPy are read.
    Dictionaries are keyed by text or whole numbers. Raises :class:`UnsafeFileError` where a pickle
    asks for anything but arrays, numbers, text and plain containers (nothing has been run then),
    and ``ValueError`` where the file is damaged, no such archive, or asks for more than
    :data:`MAX_BYTES`. A missing file raises ``FileNotFoundError``.
    """
    path = regular_file(path, MAX_BYTES)
    with _said_of(path, "NumPy archive"), zipfile.ZipFile(path) as archive:
        infos, budget = members(archive, MAX_BYTES), Budget(MAX_BYTES)
        names = {_name(name): info for name, info in infos.items()}
        return {name: _read(archive, info, budget) for name, info in names.items()}


def read_pickle(path: str | Path) -> Any:
    """What a file of one pickle (``.pkl``) holds: arrays, numbers, text and plain containers. Its
    errors are those of :func:`read_archive`."""
    path = regular_file(path, MAX_BYTES)
    with _said_of(path, "pickle"), path.open("rb", buffering=0) as file:
        stream, budget = Stream(file, path.stat().st_size), Budget(MAX_BYTES)
        return pickles.built(pickles.read_pickle(stream, budget, NAMES), budget)


@contextmanager
def _said_of(path: Path, kind: str) -> Iterator[None]:
    """What goes wrong while it is read, with its name and in words."""
    try:
        yield
    except PermissionError:
        raise
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{path}: {error}") from None
    except MemoryError as error:
        raise ValueError(f"{path}: does not fit into memory") from error
    except Exception as error:  # a damaged zip, header or pickle can fail in nearly any way
        with path.open("rb") as file:
            other = stand_in(file.read(200))
        if other:
            raise ValueError(f"{path}: {other}") from None
        raise ValueError(
            f"{path}: not a readable {kind} ({error or type(error).__name__}). It may be "
            "truncated or of another kind: fetch or prepare it again, and compare its size"
        ) from error


def _name(name: str) -> str:
    if not name.endswith(".npy"):
        raise ValueError(f"member {name!r} is no .npy array")
    return name.removesuffix(".npy")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Any:
    with member(archive, info) as stream:
        return read_npy(stream, budget)


def layout(metadata: Any, path: str | Path) -> Skeleton:
    """The joint set that the ``metadata`` entry of a 2D keypoint archive describes.

    Older files have no ``layout_name``: there the number of joints and the lists of left and right
    ones tell. Raises ``ValueError`` for anything but 17 Human3.6M, 17 COCO, 16 MPII or 15 HumanEva
    joints.
    """
    if not isinstance(metadata, dict) or "num_joints" not in metadata:
        raise ValueError(f"{path}: 'metadata' must be a dictionary with 'num_joints'")
    joints, name = metadata["num_joints"], metadata.get("layout_name")
    sides = metadata.get("keypoints_symmetry")
    comparable = isinstance(joints, Integral) and isinstance(name, str | None)
    fitting = [
        skeleton
        for key, skeleton in LAYOUTS.items()
        if comparable and len(skeleton) == joints and name in (None, key) and _fits(skeleton, sides)
    ]
    if not fitting:
        shown = reprlib.repr  # it may be anything, of any size
        known = ", ".join(f"{key} ({len(s)} joints)" for key, s in LAYOUTS.items())
        raise ValueError(
            f"{path}: 'metadata' describes {shown(joints)} joints, layout {shown(name)}, left and "
            f"right {shown(sides)}; that is none of the known layouts: {known}, in their usual "
            "order"
        )
    return fitting[0]


def _fits(skeleton: Skeleton, sides: Any) -> bool:
    ours = [sorted(skeleton.left), sorted(skeleton.right)]
    try:
        return sides is None or [sorted(map(int, side)) for side in sides] == ours
    except (TypeError, ValueError):  # they are no lists of numbers
        return False
