"""Train the models whose weights travel with the package, and put them there."""

from collections.abc import Iterable
from dataclasses import replace

from paperlib import datasets, results
from paperlib.datasets.random_cameras import Ranges, filmed_by
from paperlib.datasets.varied import varied
from paperlib.detection import detect
from paperlib.detection.coco import Clicks, as_coco
from paperlib.errors import one_of
from paperlib.lifting import RATE
from paperlib.models import TemporalModel, filter_widths
from paperlib.recordings import PARTS, Dataset, count_frames
from paperlib.training import Recipe, Supervised, ship, shipped, shipped_models, train
from paperlib.training.shipping import FOLDER, MOST_BYTES, is_stale
from paperlib.virtual_camera import facing
from tools.ship_pages import PAGES, ship_page

ANY_CAMERA = "any_camera"
NAMES = (ANY_CAMERA, *PAGES)

FRAMES = 27  # that the model sees
_DETECTORS = ("simulated", "simulated_v2_blazepose")  # whose errors it learns from, in turn
_EPOCHS = 2  # times those of the preset
# people film from the ground and from a balcony; what down is guessed to be is not exact
_RANGES = Ranges(height=(0.3, 3.5), roll=(-15.0, 15.0))


def any_camera(preset: str = "laptop", small: bool = False) -> tuple[Supervised, Recipe]:
    """What :func:`paperlib.lifting.lift_people` lifts by, and how it learns: the temporal model of
    pavllo2019 for COCO's keypoints, from all takes of ``mocap``, before cameras drawn at random for
    each clip, each turned to the person, with clicks drawn likewise, and three clips of five in
    postures that were never filmed."""
    data = _seen(datasets.load("mocap", small))
    recipe = Recipe.pavllo2019(preset, 2 * count_frames(data.train))
    recipe = recipe.but(epochs=_EPOCHS * recipe.epochs)

    def build() -> TemporalModel:
        size = {"channels": recipe.channels, "dropout": recipe.dropout}
        return TemporalModel(17, 2, 17, filter_widths(FRAMES), normalisation="person", **size)

    return Supervised(build, data), recipe


def _seen(data: Dataset) -> Dataset:
    """All of the data, to learn from: filmed, and seen by detectors of two kinds in turn."""
    every = tuple(r for part in PARTS for r in data.split(part))
    whole = replace(data, train=every, test=(), unseen=()).map(varied)
    whole = filmed_by(whole, "random", _RANGES)
    whole = whole.map(lambda r: as_coco(r, Clicks.drawn("/".join(_clip(r)))))
    clips = {clip: number for number, clip in enumerate(dict.fromkeys(map(_clip, whole.train)))}
    parts = []
    for number, detector in enumerate(_DETECTORS):
        turn = whole.select(lambda r, n=number: clips[_clip(r)] % len(_DETECTORS) == n)
        parts += detect(turn, detector).train
    return replace(whole, train=tuple(map(facing, parts)), name=f"{whole.name}-facing")


def _clip(recording) -> tuple[str, str, str]:
    return recording.subject, recording.action, recording.clip


def ship_all(only: Iterable[str] = ()) -> None:
    """Train what is to be shipped and is not there, or stale, and put it into the package: the
    models and pages of :data:`NAMES`, or those named.

    ``ValueError`` from a tree with changes that are not committed, and where all of it together
    becomes too large."""
    wanted = [one_of("to ship", name, NAMES) for name in only] or list(NAMES)
    commit = results.commit()
    if commit.endswith("+"):
        raise ValueError("there are changes that are not committed: weights are to name a commit")
    kept = {ANY_CAMERA}
    for name in wanted:
        if name != ANY_CAMERA:
            kept |= set(ship_page(name, commit))
        elif name not in shipped_models() or is_stale(shipped(name).description):
            _ship_any_camera(commit)
    for name in set(shipped_models()) - kept if wanted == list(NAMES) else ():
        (FOLDER / f"{name}.safetensors").unlink()  # no page asks for it any more
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(shipped_models())} models travel along, {size / 1e6:.2f} MB")
    if size > MOST_BYTES:
        raise ValueError(f"{size / 1e6:.2f} MB are more than {MOST_BYTES / 1e6:g}")


def _ship_any_camera(commit: str) -> None:
    objective, recipe = any_camera()
    run = train(objective, recipe, name=ANY_CAMERA)
    minutes = count_frames(objective.dataset.train) / RATE / 60 / 4  # of four views
    about = {
        "for": "COCO's keypoints of one person before any camera, at 50 Hz",
        "data": "all takes of CMU's and Bandai Namco Research's motion capture, the latter not for "
        f"commercial use, {minutes:.0f} minutes, before four cameras each ({_RANGES}).",
        "commit": commit,
    }
    made_by = (as_coco, detect, facing, filmed_by, varied)
    ship(run, ANY_CAMERA, objective, data_made_by=made_by, **about)
