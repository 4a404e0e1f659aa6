"""Joints with their depths from images, frame by frame: what the first stage of kato2020 sees."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm.auto import tqdm

from paperlib.models import IntegralRegression
from paperlib.models.weights import digest_of
from paperlib.paths import cached
from paperlib.randomness import check_seed
from paperlib.recordings import PARTS, Dataset, Recording
from paperlib.rendering import FilmImages
from paperlib.skeletons import Skeleton
from paperlib.training.devices import autocast
from paperlib.training.identity import code_of
from paperlib.windows import mirror

_AT_ONCE = 64  # images
_KEPT_TOGETHER = 20_000  # frames, in a file of the cache


@torch.no_grad()
def joints_in(
    model: IntegralRegression,
    images: Tensor,
    skeleton: Skeleton,
    flip: bool = True,
    precision: str = "auto",
) -> tuple[Tensor, Tensor]:
    """Of square images ``(N, 3, S, S)`` from 0 to 1, joints of ``skeleton`` ``(N, J, 2)`` in their
    pixels, where the middle of the first one is (0.5, 0.5), and depths ``(N, J)`` in metres about
    the root. With ``flip`` the mirrored-back answer to the mirror image is averaged in."""
    model.eval()
    model.check(images)
    if images.shape[2] != images.shape[3]:
        raise ValueError(f"square images are expected, got {images.shape[2]} x {images.shape[3]}")
    if model.config["num_joints_out"] != len(skeleton):
        raise ValueError(
            f"a network of {model.config['num_joints_out']} joints, and {len(skeleton)} of "
            f"{skeleton.name}: it learnt another skeleton"
        )
    device, found = next(model.parameters()).device, []
    for some in images.to(device).split(_AT_ONCE):
        some = some.contiguous(memory_format=torch.channels_last)
        with autocast(device, precision):
            joints = model(some)
            if flip:
                joints = (joints + mirror(model(some.flip(-1)), skeleton)) / 2
        found.append(joints)
    joints = torch.cat(found)
    return (joints[..., :2] + 0.5) * images.shape[-1], model.extent * joints[..., 2]


def predict_joints(
    model: IntegralRegression,
    recording: Recording,
    seed: int = 0,
    flip: bool = True,
    precision: str = "auto",
) -> Recording:
    """The recording with the joints that ``model`` finds in rendered images of it
    (:class:`~paperlib.rendering.FilmImages`, whose look follows from ``seed``): ``keypoints`` in
    pixels of the whole film, the crops undone, and ``depths`` in metres about the root.

    The crops are upright squares about the projected joints: where in the image the person is, is
    taken as known, as from a detector of people; how far away, is not.
    """
    device = next(model.parameters()).device
    film = FilmImages(recording, size=model.config["size"], seed=seed, device=device)
    keypoints, depths = [], []
    for frames in torch.arange(len(recording)).split(_AT_ONCE):
        drawn = film.draw(frames)
        points, deep = joints_in(model, drawn.images, recording.skeleton, flip, precision)
        keypoints.append(drawn.crops.to_film(points.to(drawn.points)).cpu())
        depths.append(deep.cpu())
    return _with(recording, torch.cat(keypoints), torch.cat(depths))


def predict_dataset(
    model: IntegralRegression,
    dataset: Dataset,
    seed: int = 0,
    flip: bool = True,
    precision: str = "auto",
    progress: bool = True,
) -> Dataset:
    """:func:`predict_joints` of every recording: what the second stage learns from and is tested
    on. Of the training part these are images of bodies that the first stage has learnt from, of
    the others of bodies that it has not seen; that difference is what kato2020 is about.

    Kept in the cache by content: of the same weights, data, seed and code they are found again.
    """
    check_seed(seed)
    how = [
        digest_of(model.state_dict(), str(model.config)),
        code_of("paperlib.prediction.images"),
        seed,
        flip,
        precision,
    ]
    total = sum(len(r) for part in PARTS for r in dataset.split(part))
    parts = {}
    with tqdm(total=total, desc="images", unit="frame", disable=not progress, leave=False) as bar:
        for part in PARTS:
            found: list[Recording] = []
            for several in _together(dataset.split(part)):
                found += _kept(model, several, how, bar.update)
            parts[part] = tuple(found)
    return replace(
        dataset,
        name=f"{dataset.name}-images-{_hash(*map(str, how))}",
        source=f"{dataset.source} Joints and depths of integral regression in rendered images.",
        **parts,
    )


def _kept(model: IntegralRegression, recordings: Sequence[Recording], how: list, done) -> list:
    """The recordings with their predictions, from the cache or made and kept there."""
    data = Dataset("images", "of these recordings", tuple(recordings), ())
    name = f"kato2020-{_hash(data.fingerprint, *map(str, how))}.safetensors"
    seed, flip, precision = how[2:]

    def make() -> dict[str, Tensor]:
        made = {}
        for number, recording in enumerate(recordings):
            one = predict_joints(model, recording, seed, flip, precision)
            made |= {f"{number}.keypoints": one.keypoints, f"{number}.depths": one.depths}
            done(len(recording))
        return {key: value.contiguous() for key, value in made.items()}

    def write(path: Path, made: dict[str, Tensor]) -> None:
        save_file(made, path)

    stored = cached(name, make, write, load_file)
    rows = [(stored[f"{n}.keypoints"], stored[f"{n}.depths"]) for n in range(len(recordings))]
    return [_with(r, *row) for r, row in zip(recordings, rows, strict=True)]


def _with(recording: Recording, keypoints: Tensor, depths: Tensor) -> Recording:
    found = torch.ones_like(depths)
    seen = recording.with_keypoints(keypoints.float(), found, recording.skeleton)
    return replace(seen, depths=depths.float())


def _together(recordings: Sequence[Recording]) -> Iterator[list[Recording]]:
    """In their order, in groups of about so many frames as are kept together."""
    group: list[Recording] = []
    for recording in recordings:
        group.append(recording)
        if sum(map(len, group)) >= _KEPT_TOGETHER:
            yield group
            group = []
    if group:
        yield group


def _hash(*words: str) -> str:
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:12]
