"""Joints with their depths from images, frame by frame: what the first stage of kato2020 sees."""

from dataclasses import replace

import torch
from torch import Tensor

from paperlib.models import IntegralRegression
from paperlib.models.arguments import check_images
from paperlib.models.weights import digest_of
from paperlib.prediction.kept import kept_dataset
from paperlib.randomness import check_seed
from paperlib.recordings import Dataset, Recording
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
    check_images(images, model.stride, values=False)
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
    weights, code = digest_of(model.state_dict(), str(model.config)), code_of(__name__)

    def make(recording: Recording) -> dict[str, Tensor]:
        one = predict_joints(model, recording, seed, flip, precision)
        return {"keypoints": one.keypoints, "depths": one.depths}

    how = [weights, code, str(seed), str(flip), precision]
    seen = kept_dataset(dataset, "images", how, make, _with, _KEPT_TOGETHER, progress)
    said = f"{dataset.source} Joints and depths of integral regression in rendered images."
    return replace(seen, source=said)


def _with(recording: Recording, keypoints: Tensor, depths: Tensor) -> Recording:
    found = torch.ones_like(depths)
    seen = recording.with_keypoints(keypoints.float(), found, recording.skeleton)
    return replace(seen, depths=depths.float())
