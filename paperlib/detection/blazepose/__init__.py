"""BlazePose: people in films, by the networks of MediaPipe (Bazarevsky et al., 2020).

A detector finds somebody, a second network finds 33 joints in a turned square about them, and these
say where to look in the next picture. All around the networks is as in MediaPipe 0.10.21: given the
same times, its joints come out, on average within a pixel. (Its Python class ``Pose`` takes every
film for one of 30 Hz; here smoothing knows the film's own times.) It takes the extra ``video``
(PyAV, LiteRT) and the networks: ``python -m paperlib data blazepose``.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from paperlib import lazily
from paperlib.detection.blazepose import kept
from paperlib.detection.blazepose.faults import swapped
from paperlib.detection.blazepose.networks import Networks
from paperlib.detection.blazepose.tracks import Seen, Tracker, linked
from paperlib.detection.files.films import Film, Found
from paperlib.detection.files.joint_sets import MEDIAPIPE_33
from paperlib.detection.files.people import people_in
from paperlib.detection.sequences import Keypoints2D
from paperlib.outside.videos import described, read_video
from paperlib.progress import bar


def detect_film(
    path: str | Path,
    model: str = "heavy",
    people: int = 1,
    smooth: bool = True,
    threads: int | None = None,
    progress: bool = True,
    keep: str | Path | None = None,
) -> list[Keypoints2D]:
    """The people in a film, each from the frame in which they are first found to the last: joints
    of :data:`~paperlib.detection.files.joint_sets.MEDIAPIPE_33` (``converted(COCO_17)`` gives
    COCO's), ``frames``, ``times`` and the mean ``fps`` of the film.

    ``model`` is ``"heavy"``, or ``"full"`` or ``"lite"``, which are faster: on one of four films
    "full" took left for right in a third of the frames. Up to ``people`` are followed at a time;
    for several, parts of the picture are searched too, since the detector was made for one person
    who fills it. Whoever is hidden by somebody else is lost, and not taken for them; who is lost
    and found again is told by where their joints are. Confidence is MediaPipe's visibility. It is 0
    in frames in which nobody is found, where the person has left the picture, and for joints on the
    wrong side of the body (:func:`~paperlib.detection.blazepose.faults.swapped`). ``smooth`` is
    MediaPipe's own smoothing, which looks back only. The networks run on ``threads`` processor
    threads, those of PyTorch if not told; ``progress`` shows a bar. The film is read picture by
    picture.

    ``keep`` names a folder: however the search ends, what was found is in a file of it, of this
    film and these settings alone, and the same call goes on from there, where it looks for the
    person anew.

    Raises ``FileNotFoundError`` where there is no film, :class:`MissingDataError` where the
    networks are not here, and ``ValueError`` where a package of the extra is lacking, for what is
    no film, pictures that change in size, and where nobody is found.
    """
    if people < 1:
        raise ValueError(f"people is {people}: follow at least one")
    path, total = Path(path), described(path).frames
    networks = Networks(model, threads or torch.get_num_threads())
    key = kept.key(path, model=model, people=people, smooth=smooth)
    own = kept.place(Path(keep), key) if keep else None
    looked = kept.load(own, key) if own else []
    before, first = len(looked), 1 + max((o.stretch for w in looked for o in w.seen), default=-1)
    tracker = Tracker(networks, people, smooth, first)
    size: tuple[int, int] | None = None
    about = {"total": total, "desc": path.name, "unit": "frame", "disable": not progress}
    try:
        for picture in bar(iterable=read_video(path), **about):
            here = picture.pixels.shape[1], picture.pixels.shape[0]
            if here != (size or here):
                raise ValueError(
                    f"{path}: frame {picture.number} has {here[0]} x {here[1]} pixels, the ones "
                    f"before it {size[0]} x {size[1]}"
                )
            size = here
            if picture.number >= before:
                seen = tracker.step(picture.pixels, picture.time)
                looked.append(kept.Looked(picture.time, seen))
    finally:
        if own and len(looked) > before:
            kept.save(own, key, looked)
    return _people(path.name, looked, size)


def _people(name: str, looked: list[kept.Looked], size: tuple[int, int]) -> list[Keypoints2D]:
    times, seen = np.array([each.time for each in looked]), [each.seen for each in looked]
    stretches: dict[int, list[tuple[int, Seen]]] = {}
    for t, several in enumerate(seen):
        for one in several:
            stretches.setdefault(one.stretch, []).append((t, one))
    if not stretches:
        raise ValueError(f"{name}: nobody was found in any of its {len(times)} frames")
    numbers = linked(stretches.values())
    found: dict[int, list[Found]] = {t: [] for t in range(len(times))}
    who: dict[int, list[int]] = {t: [] for t in range(len(times))}
    for number, stretch in zip(numbers, stretches.values(), strict=True):
        wrong = swapped(np.stack([one.raw for _, one in stretch]))
        for (t, one), bad in zip(stretch, wrong, strict=True):
            joints = np.column_stack([one.joints, one.visibility])
            found[t].append(Found(np.where(bad[:, None], 0, joints)))
            who[t].append(number)
    film = Film(name, MEDIAPIPE_33, found, range(len(times)), size)
    return [replace(one, times=times[one.frames]) for one in people_in(film, who)]


__getattr__, __dir__ = lazily(__name__)
