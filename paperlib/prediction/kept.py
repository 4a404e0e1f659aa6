"""What a network sees in all films of a data set, computed once and kept by content."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from safetensors.torch import load_file, save_file
from torch import Tensor

from paperlib.paths import cached
from paperlib.progress import bar as progress_bar
from paperlib.recordings import PARTS, Dataset, Recording, count_frames


def kept_dataset(
    dataset: Dataset,
    what: str,
    how: Sequence[str],
    make: Callable[[Recording], dict[str, Tensor]],
    attach: Callable[..., Recording],
    together: int,
    progress: bool = True,
) -> Dataset:
    """Every recording of ``dataset`` with what ``make`` computes of it, tensors by name:
    ``attach(recording, **tensors)``. Found in the cache, or made and kept there, in files of about
    so many frames ``together``.

    The files, and the data set that comes of it, are named after ``what`` it is, ``how`` it is made
    (weights, code, options: all that decides it) and the data.
    """
    total, done = sum(count_frames(dataset.split(part)) for part in PARTS), 0
    parts = {}
    shown = {"total": total, "desc": what, "unit": "frame", "leave": False}
    with progress_bar(**shown, disable=not progress) as bar:

        def counted(recording: Recording) -> dict[str, Tensor]:
            made = make(recording)
            bar.update(len(recording))
            return made

        for part in PARTS:
            found: list[Recording] = []
            for several in _together(dataset.split(part), together):
                kept = _kept(several, what, how, counted)
                found += [attach(r, **one) for r, one in zip(several, kept, strict=True)]
                done += count_frames(several)
                bar.update(done - bar.n)  # where they were found and not made
            parts[part] = tuple(found)
    return replace(dataset, name=f"{dataset.name}-{what}-{_hash(*how)}", **parts)


def _kept(recordings: Sequence[Recording], what: str, how: Sequence[str], make: Callable) -> list:
    """What ``make`` gives of each of the recordings."""
    data = Dataset(what, "of these recordings", tuple(recordings), ())

    def make_all() -> dict[str, Tensor]:
        return {
            f"{number}.{name}": value.contiguous()
            for number, recording in enumerate(recordings)
            for name, value in make(recording).items()
        }

    name = f"{what}-{_hash(data.fingerprint, *how)}.safetensors"
    stored = cached(name, make_all, lambda path, made: save_file(made, path), load_file)
    found: list[dict[str, Tensor]] = [{} for _ in recordings]
    for key, value in stored.items():
        number, name = key.split(".")
        found[int(number)][name] = value
    return found


def _together(recordings: Sequence[Recording], frames: int) -> Iterator[list[Recording]]:
    """In their order, in groups of about so many frames."""
    group: list[Recording] = []
    for recording in recordings:
        group.append(recording)
        if count_frames(group) >= frames:
            yield group
            group = []
    if group:
        yield group


def _hash(*words: str) -> str:
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:12]
