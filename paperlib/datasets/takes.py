"""Takes of motion capture: each replayed by a body to learn from and one to test on, in folds.

Who performed is not known of the free motion capture, so that it is split by file. In three folds,
every take is tested once: by models that learnt from the two others.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from paperlib.datasets.archives import read_archive
from paperlib.datasets.filming import STAGE, film
from paperlib.kinematics import rotation_about
from paperlib.paths import cached
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import H36M_17

FOLDS = (0, 1, 2)
FPS = 50.0
_KEY = r"[^/]+/[^/]+/(train|test)/\w+"  # action/take/part/body


class Replay(NamedTuple):
    body: str
    world: np.ndarray  # (T, 17, 3) float32 metres, z up, floor at 0, at FPS


@dataclass(frozen=True)
class Take:
    action: str
    name: str  # its own within the action
    group: str  # takes of one action and group are much alike
    train: Replay
    test: Replay


def heading(name: str) -> float:
    """Radians, by a take's name. Captures mostly face the same way; this spreads them."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") / 2**32 * 2 * np.pi


def turned(world: torch.Tensor, angle: float) -> torch.Tensor:
    """World positions ``(T, J, 3)`` turned by ``angle`` radians about the vertical."""
    return world @ rotation_about("z", torch.tensor(angle, dtype=world.dtype)).T


def kept(
    file: str,
    action: str,
    group: Callable[[str], str],
    make: Callable[[], Iterator[tuple[str, str, str, np.ndarray]]],
) -> Iterator[Take]:
    """The takes of an action from ``file`` of the cache, or made and kept there: ``make`` gives the
    name of a take, the part and the body that a replay is for, and its world positions. ``group``
    tells a take's, by its name."""

    def worlds() -> dict[str, np.ndarray]:
        return {f"{action}/{take}/{part}/{body}": world for take, part, body, world in make()}

    def read(path: Path) -> dict[str, np.ndarray]:
        return read_worlds(path, _KEY)

    replays: dict[str, dict[str, Replay]] = {}
    for key, world in cached(file, worlds, write_worlds, read).items():
        _, take, part, body = key.split("/")
        replays.setdefault(take, {})[part] = Replay(body, world)
    for take in sorted(replays):
        yield Take(action, take, group(take), **replays[take])


def write_worlds(path: Path, worlds: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, **worlds)


def read_worlds(path: Path, pattern: str) -> dict[str, np.ndarray]:
    """World positions by name, as kept in a cache; ``ValueError`` for anything else."""
    worlds = read_archive(path)
    for name, points in worlds.items():
        right = isinstance(points, np.ndarray) and points.dtype == np.float32 and points.ndim == 3
        right = right and points.shape[1:] == (17, 3) and np.isfinite(points).all()
        if not right or not re.fullmatch(pattern, name):
            raise ValueError(f"{name} holds no positions of a clip")
    return worlds


def folds(takes: Iterable[Take]) -> dict[tuple[str, str], int | None]:
    """The fold that tests each take, by action and name; None for the only take of an action.

    An action's groups are dealt out whole, the longest first, each to the fold that has the fewest
    frames of this action; where it has one group only, its takes are. So an action of two takes or
    more is learnt from and tested in fold 0, and of three groups or more in every fold. What
    becomes of an action does not depend on which others there are.
    """
    actions: dict[str, list[Take]] = {}
    for take in takes:
        actions.setdefault(take.action, []).append(take)
    found: dict[tuple[str, str], int | None] = {}
    for action, members in actions.items():
        if len(members) == 1:
            found[action, members[0].name] = None
            continue
        several = len({take.group for take in members}) > 1
        groups: dict[str, list[Take]] = {}
        for take in members:
            groups.setdefault(take.group if several else take.name, []).append(take)
        sizes = {group: sum(len(t.test.world) for t in of) for group, of in groups.items()}
        # each action begins at another fold; those of two groups where the default fold tests them
        start = len(action) if len(groups) > 2 else 0
        frames = dict.fromkeys(np.roll(FOLDS, start).tolist(), 0)
        for group in sorted(groups, key=lambda group: (-sizes[group], group)):
            fold = min(frames, key=frames.__getitem__)
            frames[fold] += sizes[group]
            found |= {(action, take.name): fold for take in groups[group]}
    return found


def pieces(world: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Positions ``(T, J, 3)`` in the fewest pieces of like length whose path fits the stage, each
    put in its middle."""
    for count in range(1, len(world) + 1):
        found = []
        for piece in torch.tensor_split(world, count):
            path = piece[:, H36M_17.root, :2]
            low, high = path.amin(dim=0), path.amax(dim=0)
            if (high - low).norm() > STAGE:
                break
            middle = torch.cat([(low + high) / 2, torch.zeros(1)])
            found.append(piece - middle.to(piece))
        else:
            return tuple(found)
    raise AssertionError("a single frame covers no ground")


def dataset(
    name: str, about: str, takes: Iterable[Take], fold: int, excluded: str, as_found: bool = False
) -> Dataset:
    """The takes, filmed by the studio, with those of ``fold`` to test on. The only take of an
    action is in neither part, but in ``unseen``. ``ValueError`` where no action can be split.
    ``as_found``: the files were not held against the list of the data set, and name and source say
    so."""
    takes = sorted(takes, key=lambda take: (take.action, take.name))
    fold_of = folds(takes)
    parts: dict[str, list[Recording]] = {"train": [], "test": [], "unseen": []}
    for take in takes:
        own = fold_of[take.action, take.name]
        part = "unseen" if own is None else "test" if own == fold else "train"
        parts[part] += _filmed(take, take.train if part == "train" else take.test)
    actions = {part: sorted({r.action for r in parts[part]}) for part in parts}
    unseen = ", ".join(actions["unseen"]) or "none"
    if not parts["train"] or not parts["test"]:
        raise ValueError(
            f"{name}, fold {fold}: of {', '.join(sorted({t.action for t in takes}))}, nothing is "
            f"left to {'learn from' if not parts['train'] else 'test on'}. An action needs two "
            f"takes to be split, and one of two takes is tested in two of the folds {FOLDS} (of a "
            f"single take: {unseen}). Name more actions, or another fold"
        )
    return Dataset(
        name=name + ("-as_found" if as_found else "") + (f"-fold{fold}" if fold else ""),
        source=(
            f"{about} Replayed by bodies of other statures in test than in training, filmed by "
            f"four virtual cameras at {FPS:g} Hz; paths of more than {STAGE:g} m are cut. "
            f"Performers unknown; fold {fold} of {len(FOLDS)} by file: {_extent(parts['train'])} "
            f"to learn from, {_extent(parts['test'])} to test on. Actions of a single take, which "
            f"are never learnt from: {unseen}."
            f"{' Files as found, not held against the list of the data set.' if as_found else ''}"
        ),
        train=tuple(parts["train"]),
        test=tuple(parts["test"]),
        unseen=tuple(parts["unseen"]),
        excluded=excluded,
    )


def _filmed(take: Take, replay: Replay) -> Iterator[Recording]:
    cut = pieces(torch.from_numpy(replay.world))
    for number, piece in enumerate(cut, start=1):
        clip = f"{take.name}#{number}" if len(cut) > 1 else take.name
        yield from film(piece, subject=replay.body, action=take.action, clip=clip, fps=FPS)


def _extent(recordings: list[Recording]) -> str:
    """ "16 takes of 3 actions (2.5 minutes)", of one view of each."""
    takes = {(r.action, r.take) for r in recordings}
    views = {(r.action, r.clip): len(r) / r.fps for r in recordings}
    actions = len({action for action, _ in takes})
    return f"{len(takes)} takes of {actions} actions ({sum(views.values()) / 60:.1f} minutes)"
