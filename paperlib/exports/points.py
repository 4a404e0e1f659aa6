"""Poses as markers, for the programs of biomechanics: C3D and TRC."""

from pathlib import Path

import numpy as np

from paperlib.exports.motion import Motion
from paperlib.exports.optional import c3d_library
from paperlib.paths import replacing

_MOST_FRAMES = 65535  # that the header of a C3D file can count


def path_of(path: str | Path, motion: Motion, name: int | str) -> Path:
    """``walk.trc``, or ``walk_3.trc`` of person 3 of several."""
    path = Path(path)
    return path if len(motion.people) == 1 else path.with_stem(f"{path.stem}_{name}")


def write_trc(motion: Motion, path: str | Path, up: str = "y") -> tuple[Path, ...]:
    """``path`` as OpenSim's and Pose2Sim's table of markers; a file for each of several people,
    ``walk_3.trc`` of person 3, since these programs take one body a file.

    Metres, ``up`` up (OpenSim expects y), a row for every frame from the first to the last of
    anybody, the rate in the head. ``Frame#`` is the number in the film, ``Time`` that number by the
    rate. Where a joint is missing the cells are empty, which both programs read as a gap.
    """
    skeleton, frames = motion.skeleton, motion.frames
    count = len(skeleton)
    numbers = range(1, count + 1)
    written = []
    for name in motion.people:
        place = path_of(path, motion, name)
        head = [
            f"PathFileType\t4\t(X/Y/Z)\t{place.name}",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame"
            "\tOrigNumFrames",
            "\t".join([*[f"{motion.fps:.12g}"] * 2, f"{len(frames)}\t{count}\tm"])
            + f"\t{motion.fps:.12g}\t{frames[0]}\t{len(frames)}",
            "Frame#\tTime\t" + "\t\t\t".join(skeleton.joints) + "\t\t",
            "\t\t" + "\t".join(f"X{n}\tY{n}\tZ{n}" for n in numbers),
        ]
        with replacing(place) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write("\n".join(head) + "\n")
            rows = motion.positions(name, up).reshape(len(frames), -1)
            for frame, row in zip(frames, rows, strict=True):
                cells = ["" if np.isnan(value) else f"{value:.6f}" for value in row]
                file.write("\t".join([f"{frame}", f"{frame / motion.fps:.10g}", *cells]) + "\n")
        written.append(place)
    return tuple(written)


def require_countable(motion: Motion) -> None:
    """``ValueError`` where a frame is beyond what C3D counts."""
    if motion.frames[-1] + 1 > _MOST_FRAMES:
        raise ValueError(
            f"frame {motion.frames[-1]}: C3D counts frames up to {_MOST_FRAMES}; write parts "
            "of the film, or another format"
        )


def write_c3d(motion: Motion, path: str | Path, up: str = "z") -> tuple[Path, ...]:
    """``path`` as C3D, the exchange format of motion capture, by the package ``ezc3d``.

    Millimetres, ``up`` up (Vicon's programs expect z; ``POINT:X_SCREEN`` and ``Y_SCREEN`` say which
    axes a screen shows), the rate in the head. A point for each joint, of several people
    ``3:left_knee`` with the id in front, as Vicon's programs name theirs. Frames of C3D count from
    1, so that frame 0 of the film is 1 there. Where a joint is missing its residual is -1, the
    format's mark, and its position 0.

    ``ValueError`` where a frame is beyond 65535, which is all that the format counts, and where
    ``ezc3d`` is not installed.
    """
    ezc3d = c3d_library()
    require_countable(motion)
    several = len(motion.people) > 1
    names = [
        f"{name}:{joint}" if several else joint
        for name in motion.people
        for joint in motion.skeleton.joints
    ]
    rows = [1000 * motion.positions(name, up) for name in motion.people]
    points = np.concatenate(rows, axis=1).transpose(2, 1, 0)  # (3, P J, T)
    missing = np.isnan(points[:1])
    file = ezc3d.c3d()
    file["header"]["points"]["first_frame"] = int(motion.frames[0])  # it adds the 1
    file["parameters"]["POINT"]["RATE"]["value"] = [motion.fps]
    file["parameters"]["POINT"]["LABELS"]["value"] = names
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", [f"+{up.upper()}"])
    points = np.where(missing, 0.0, points)
    file["data"]["points"] = np.concatenate([points, np.ones_like(points[:1])])
    file["data"]["meta_points"]["residuals"] = np.where(missing, -1.0, 0.0)
    with replacing(Path(path)) as temporary:
        file.write(str(temporary))
    return (Path(path),)
