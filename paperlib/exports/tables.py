"""Poses as they are, in files that any program reads: NumPy's npz, and CSV."""

from pathlib import Path

import numpy as np

from paperlib.exports.motion import Motion, axes
from paperlib.paths import replacing


def write_npz(motion: Motion, path: str | Path, up: str = "z") -> tuple[Path, ...]:
    """``path`` as NumPy's archive, which ``numpy.load(path)`` reads without pickles.

    Of P people at N frames, all in which anybody has a pose: ``positions (P, N, J, 3)`` float32 in
    metres with ``up`` up, NaN where missing; ``scores (P, N, J)`` float32, NaN where there are
    none; ``frames (N,)`` numbers in the film and ``time (N,)`` seconds; ``people (P,)`` their ids,
    as text; ``joints (J,)`` names and ``parents (J,)``, -1 of the root; and ``fps``, ``unit``,
    ``up`` and ``skeleton``.
    """
    people, skeleton = motion.people, motion.skeleton
    frames = np.unique(np.concatenate([person.frames for person in people.values()]))
    positions = np.full((len(people), len(frames), len(skeleton), 3), np.nan, dtype=np.float32)
    scores = np.full(positions.shape[:-1], np.nan, dtype=np.float32)
    for row, person in enumerate(people.values()):
        place = np.searchsorted(frames, person.frames)
        positions[row, place] = person.positions @ axes(up).T
        if person.scores is not None:
            scores[row, place] = person.scores
    with replacing(Path(path)) as temporary:
        np.savez_compressed(
            temporary,
            positions=positions,
            scores=scores,
            frames=frames,
            time=frames / motion.fps,
            people=np.array([str(name) for name in people]),
            joints=np.array(skeleton.joints),
            parents=np.array(skeleton.parents),
            fps=motion.fps,
            unit="m",
            up=up,
            skeleton=skeleton.name,
        )
    return (Path(path),)


def write_csv(motion: Motion, path: str | Path, up: str = "z") -> tuple[Path, ...]:
    """``path`` as a table with a row for each joint of each pose: ``frame, time, person, joint, x,
    y, z, score``.

    Its first line is a comment with the rate, the unit (metres) and the axes:
    ``pandas.read_csv(path, comment="#")``. Time is in seconds of the film. A joint that is missing
    has its row, in which x, y and z are empty; of frames in which a person has no pose there are no
    rows. Positions have six decimals, a micrometre.
    """
    import pandas as pd

    skeleton, turn = motion.skeleton, axes(up).T
    with replacing(Path(path)) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(
            f"# {motion.fps:.12g} frames a second; metres; {up} up; joints of {skeleton.name}\n"
            "frame,time,person,joint,x,y,z,score\n"
        )
        for name, person in motion.people.items():
            frames = np.repeat(person.frames, len(skeleton))
            columns = {
                "frame": frames,
                "time": frames / motion.fps,
                "person": str(name),
                "joint": np.tile(np.array(skeleton.joints), len(person.frames)),
                **dict(zip("xyz", (person.positions @ turn).reshape(-1, 3).T, strict=True)),
                "score": np.nan if person.scores is None else person.scores.ravel(),
            }
            pd.DataFrame(columns).to_csv(
                file, header=False, index=False, float_format="%.6f", lineterminator="\n"
            )
    return (Path(path),)
