"""Parts of data sets to learn from: few labels and the rest without (pavllo2019, 6.2), fewer
frames, whole windows, 2D without 3D."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from paperlib.errors import one_of
from paperlib.recordings import PARTS, Dataset, Recording

#: fractions of the first subject that the paper labels
FRACTIONS = (0.001, 0.01, 0.05, 0.1, 0.5, 1.0)


def split_labels(
    dataset: Dataset,
    subjects: Iterable[str],
    fraction: float = 1.0,
    fps: float | None = None,
    least: int = 0,
) -> tuple[Dataset, Dataset]:
    """A data set to learn from with labels, and one whose labels are not to be looked at.

    Labelled are the training recordings of ``subjects``, or with a smaller ``fraction`` one piece
    in a row of each, as long as that share of it (at least a frame). Where a piece begins follows
    from the recording's length alone, as in the reference implementation, so that all views of a
    clip are cut alike. All else is unlabelled: the other subjects, and what is left of these.
    Neither part has a test split of its own: both keep the data set's.

    ``fps`` brings both parts to a lower frame rate, as :func:`downsampled` does. Pieces are cut
    before, as in the reference implementation, a whole number of its steps long unless all of a
    recording is taken: cut afterwards they would lie elsewhere.

    Human3.6M's recordings are long. A small share of a short one has fewer frames than a model
    sees, so that most of each window would be its first and last frame, again and again. With
    ``least`` no piece is shorter (but for a recording that is), and as many clips have none as keep
    the share: those that have one are spread evenly.
    """
    there = tuple(dict.fromkeys(r.subject for r in dataset.train))
    chosen = [one_of("subject", subject, there) for subject in subjects]
    if not chosen or not 0 < fraction <= 1:
        raise ValueError(f"name some of {', '.join(there)}, and a fraction in (0, 1]; {fraction=}")
    whole = dataset if fps is None else downsampled(dataset, fps)
    labelled, rest = [], []
    kept = _with_a_piece([r for r in dataset.train if r.subject in chosen], fraction, fps, least)
    for recording in dataset.train:
        step, frames = _step(recording, fps), len(recording)
        start, stop = 0, 0
        if _clip(recording) in kept:
            start, stop = _place(frames, _length(frames, fraction, step, least))
        for part, (first, last) in (
            (rest, (0, start)),
            (labelled, (start, stop)),
            (rest, (stop, len(recording))),
        ):
            if last > first:
                part.append(_cut(recording, first, last, step))
    share = f"{100 * fraction:g} % of {', '.join(chosen)}"
    return (
        replace(
            whole,
            name=f"{whole.name}-labelled",
            train=tuple(labelled),
            source=f"{whole.source} Labelled: {share}.",
        ),
        replace(
            whole,
            name=f"{whole.name}-unlabelled",
            train=tuple(rest),
            source=f"{whole.source} Without labels: all but {share}.",
        ),
    )


def _clip(recording: Recording) -> tuple[str, str, str]:
    """What is the same in all views."""
    return recording.subject, recording.action, recording.clip


def _step(recording: Recording, fps: float | None) -> int:
    return 1 if fps is None else round(recording.fps / fps)


def _with_a_piece(
    recordings: Sequence[Recording], fraction: float, fps: float | None, least: int
) -> set[tuple]:
    """The clips that have one: all, or where pieces are longer than their share, so few."""
    clips = {_clip(r): r for r in recordings}
    kept, owed = set(), 0.0  # frames that clips before should have had
    for clip, recording in clips.items():
        frames, step = len(recording), _step(recording, fps)
        length = _length(frames, fraction, step, least)
        if length > _length(frames, fraction, step, 0):
            owed += frames * fraction
            if owed < length / 2:
                continue
            owed -= length
        kept.add(clip)
    return kept or {next(iter(clips))}


def _length(frames: int, fraction: float, step: int, least: int) -> int:
    """Of a piece, before it is brought to fewer frames."""
    if fraction == 1:
        return frames
    share = max(round(frames // step * fraction), 1) * step
    return min(max(share, min(least, frames // step) * step), frames)


def _place(frames: int, length: int) -> tuple[int, int]:
    digest = hashlib.sha256(str(frames).encode()).digest()
    place = int.from_bytes(digest[:4], "little") / (2**32 - 1)
    start = min(int(place * (frames - length + 1)), frames - length)
    return start, start + length


def _cut(recording: Recording, start: int, stop: int, step: int) -> Recording:
    """The recording itself where nothing is cut; else every ``step``-th frame of a piece, a clip of
    its own of the same take."""
    if (start, stop) != (0, len(recording)):
        recording = replace(recording, clip=f"{recording.clip}#{start}-{stop}")
    elif step == 1:
        return recording
    return recording.cut(start, stop, step)


def downsampled(dataset: Dataset, fps: float = 10.0) -> Dataset:
    """Every n-th frame of all recordings: 10 Hz of 50, as the semi-supervised comparisons of
    Protocol 3 have it (pavllo2019, 6.2)."""
    rates = {r.fps for part in PARTS for r in dataset.split(part)}
    if not rates:
        raise ValueError(f"{dataset.name} has no recordings")
    if not fps > 0 or any(rate < fps or rate / fps != round(rate / fps) for rate in rates):
        raise ValueError(
            f"cannot bring {sorted(rates)} Hz to {fps:g}: it must be a whole part of the frame rate"
        )
    if rates == {fps}:
        return dataset
    step = round(max(rates) / fps)
    which = {2: "second", 3: "third"}.get(step, f"{step}th")
    return replace(
        dataset.map(lambda r: r.cut(0, len(r), round(r.fps / fps))),
        name=f"{dataset.name}-{fps:g}hz",
        source=f"{dataset.source} Every {which} frame, {fps:g} Hz.",
    )


def whole_windows(dataset: Dataset, length: int) -> Dataset:
    """The training part in pieces of ``length`` frames: of each recording as few as hold all of its
    frames, spread evenly, so that they may overlap. Shorter recordings are left out; the test part
    stays. Cut so, no window of that ``length`` reaches beyond what was recorded, and no frame of it
    is the last pose once more, from which a forecaster would learn that people stop.

    ``ValueError`` for a length that is no whole number from 1, or that no recording has."""
    if not isinstance(length, int) or length < 1:
        raise ValueError(f"windows are of a whole number of frames from 1, got length={length!r}")
    long = [r for r in dataset.train if len(r) >= length]
    if not long:
        most = max((len(r) for r in dataset.train), default=0)
        raise ValueError(
            f"{dataset.name}: no training recording has the {length} frames of a window, the "
            f"longest has {most}"
        )
    pieces = []
    for recording in long:
        count, room = -(-len(recording) // length), len(recording) - length
        starts = (room * n // max(count - 1, 1) for n in range(count))
        pieces += [_cut(recording, start, start + length, 1) for start in starts]
    left_out = len(dataset.train) - len(long)
    return replace(
        dataset,
        name=f"{dataset.name}-{length}-frames",
        train=tuple(pieces),
        source=f"{dataset.source} Learnt from in windows of {length} frames that lie within a "
        f"recording; {left_out} of {len(dataset.train)} training recordings are shorter.",
    )


def withhold_positions(dataset: Dataset, every: int = 2) -> tuple[Dataset, Dataset]:
    """A data set to learn from in 3D, and one of 2D alone: every ``every``-th take of the training
    part without its positions and depths (for cheng2020, eq. 4, where there is no Penn Action).
    Which joints are visible stays, as people who annotate films say it. Neither part holds a clip
    of the test; both keep it as it is. Detect before: simulated detectors look at positions.

    Takes of one name and action stay together, with all their views, pieces and the bodies that
    replay them: else motion whose 3D is withheld would be in the other part. :func:`split_labels`
    cuts by subject and leaves positions where they are; here nothing can look at them.
    ``ValueError`` where one of the two parts would be empty.
    """
    takes = sorted({(r.action, r.take) for r in dataset.train})
    if not isinstance(every, int) or not 2 <= every <= len(takes):
        raise ValueError(
            f"{dataset.name}: every {every!r}th of {len(takes)} training takes cannot be withheld; "
            "every must be a whole number from 2 to the number of takes"
        )
    held = set(takes[every - 1 :: every])
    parts: dict[bool, list[Recording]] = {True: [], False: []}
    for recording in dataset.train:
        parts[(recording.action, recording.take) in held].append(recording)
    flat = (replace(r, positions=None, depths=None) for r in parts[True])
    share = f"{len(held)} of {len(takes)} training takes"
    return (
        replace(
            dataset,
            name=f"{dataset.name}-3d",
            train=tuple(parts[False]),
            source=f"{dataset.source} Without {share}, of which 2D alone is learnt from.",
        ),
        replace(
            dataset,
            name=f"{dataset.name}-2d",
            train=tuple(flat),
            source=f"{dataset.source} Of these, {share} without their 3D.",
        ),
    )
