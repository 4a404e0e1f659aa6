"""All formats: which suffix is which, and poses to files in one call."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from paperlib.errors import one_of
from paperlib.exports.bvh import write_bvh
from paperlib.exports.gltf import write_gltf
from paperlib.exports.motion import UPS, Motion
from paperlib.exports.optional import c3d_library, gltf_library
from paperlib.exports.points import require_countable, write_c3d, write_trc
from paperlib.exports.tables import write_csv, write_npz
from paperlib.skeletons import Skeleton

FORMATS: dict[str, Callable[..., tuple[Path, ...]]] = {
    ".npz": write_npz,
    ".csv": write_csv,
    ".trc": write_trc,
    ".c3d": write_c3d,
    ".bvh": write_bvh,
    ".glb": write_gltf,
    ".gltf": write_gltf,
}
_SKELETAL = {".bvh", ".glb", ".gltf"}
_LIBRARIES = {".c3d": c3d_library, ".glb": gltf_library, ".gltf": gltf_library}


class Exported(NamedTuple):
    """What was written."""

    files: tuple[Path, ...]
    residuals: dict[int | str, float]  # by person: mm of a fitted skeleton; of points none


def write(motion: Motion, path: str | Path, up: str | None = None) -> Exported:
    """Write a motion in the format that the suffix of ``path`` names, one of :data:`FORMATS`.

    ``up`` is the axis of the file that points up, ``"y"`` or ``"z"``; by default what its users
    expect: y in BVH, TRC and glTF, z in npz, CSV and C3D. A file is there whole or not at all.
    ``ValueError`` for another suffix, and what the writer of the format refuses.
    """
    suffix = one_of("suffix of an export", Path(path).suffix.lower(), FORMATS)
    options = {} if up is None else {"up": one_of("up axis of a file", up, UPS)}
    files = FORMATS[suffix](motion, path, **options)
    fitted = motion.people if suffix in _SKELETAL else ()
    return Exported(files, {name: motion.fitted(name).residual for name in fitted})


def require_packages(suffixes: Iterable[str]) -> None:
    """``ValueError`` where a package is not installed that one of the formats takes."""
    for suffix in suffixes:
        if suffix in _LIBRARIES:
            _LIBRARIES[suffix]()


def export(
    poses,
    paths: str | Path | Iterable[str | Path],
    fps: float,
    skeleton: Skeleton,
    *,
    frames=None,
    scores=None,
    poses_up: str = "z",
    up: str | None = None,
) -> Exported:
    """Write poses to one file or several, each in the format of its suffix: npz, csv, trc, c3d,
    bvh, glb, gltf.

    ``poses`` ``(T, J, 3)`` metres, or ``{id: poses}`` of several people, NaN where missing; what
    else may be given, :meth:`.Motion.of` says, and of ``up`` :func:`write`. In short, of units and
    of what is missing:

    ======  ==  ====  =============================  ========================================
    suffix  up  unit  several people                 a missing joint
    ======  ==  ====  =============================  ========================================
    npz     z   m     one file                       NaN
    csv     z   m     one file                       a row without x, y, z
    trc     y   m     ``walk_3.trc`` of person 3     empty cells
    c3d     z   mm    one file, ``3:left_knee``      residual -1, at 0
    bvh     y   cm    ``walk_3.bvh`` of person 3     bridged; held before and after
    glb     y   m     one file                       bridged; hidden before and after
    ======  ==  ====  =============================  ========================================

    BVH and glTF hold one skeleton of constant bone lengths, which is fitted once for all files:
    ``residuals`` tell how far it is from the poses, millimetres on average. ``ValueError`` for bad
    input and packages that are not installed, before anything is written.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    suffixes = [Path(path).suffix.lower() for path in paths]
    for suffix in suffixes:
        one_of("suffix of an export", suffix, FORMATS)
    require_packages(suffixes)
    motion = Motion.of(poses, fps, skeleton, frames=frames, scores=scores, poses_up=poses_up)
    if ".c3d" in suffixes:
        require_countable(motion)
    for name in motion.people if _SKELETAL.intersection(suffixes) else ():
        motion.fitted(name)
    parts = [write(motion, path, up) for path in paths]
    residuals = {name: value for part in parts for name, value in part.residuals.items()}
    return Exported(tuple(file for part in parts for file in part.files), residuals)
