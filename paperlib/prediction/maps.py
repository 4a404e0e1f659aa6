"""What a network sees of a film: maps of each frame's joints, as those that lift maps take them."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.cameras import denormalize_screen_coordinates
from paperlib.models.high_resolution import HighResolutionNet
from paperlib.models.weights import digest_of
from paperlib.occlusion.peaks import peaks
from paperlib.occlusion.simulated_maps import crops_of
from paperlib.prediction.kept import kept_dataset
from paperlib.randomness import check_seed
from paperlib.recordings import Dataset, PerFrame, Recording
from paperlib.rendering import FilmImages
from paperlib.skeletons import Skeleton
from paperlib.training.devices import autocast
from paperlib.training.identity import code_of

_AT_ONCE = 256  # pictures
_STEADY = 16  # frames on each side over which the size of the crops is averaged
_KEPT_TOGETHER = 4_000  # frames, in a file of the cache


class NetworkMaps:
    """The maps ``(T, K, S, S)`` and crops ``(T, 3)`` of a film, by a network that sees it:
    ``maps="network"`` where :class:`~paperlib.occlusion.SimulatedMaps` draws them.

    Each frame's crop is a square about the keypoints that a detector found, by ``margin`` wider on
    each side, as for simulated maps; its size is averaged over 33 frames, so that it follows an
    approach and no bent knee. With ``flip`` the maps of the mirror image are averaged in, and those
    of a mirrored film are then exactly the mirrored maps.
    """

    def __init__(
        self,
        model: HighResolutionNet,
        film: FilmImages,
        margin: float = 0.2,
        flip: bool = False,
        precision: str = "auto",
    ):
        recording, joints = film.recording, model.config["num_joints"]
        if recording.keypoint_skeleton != recording.skeleton or joints != len(recording.skeleton):
            raise ValueError(
                f"the network has maps of {joints} joints, but {recording.name} has "
                f"{len(recording.skeleton)} ({recording.skeleton.name}) and keypoints of "
                f"{recording.keypoint_skeleton.name}: all three must be the same"
            )
        self.model, self.film, self.flip, self.precision = model, film, flip, precision
        found = recording.confidence > 0
        squares = crops_of(recording.keypoints[:, None], found[:, None], margin)[:, 0]
        squares[~found.any(dim=1)] = _whole(recording)
        self.crops = film.crops(squares[:, :2], _steady(squares[:, 2]))

    @property
    def squares(self) -> Tensor:
        """``(T, 3)``: the crops in screen coordinates, as
        :meth:`~paperlib.models.MultiStrideTCN.forward` takes them."""
        return self.crops.screen_squares().cpu()

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Maps ``(N, K, S, S)``, 0 to 1, of the frames ``(N,)``."""
        parts, skeleton = [], self.film.recording.skeleton
        for some in frames.split(_AT_ONCE):
            images = self.film.draw(some, self.crops[some]).images
            parts.append(maps_of(self.model, images, skeleton, self.flip, self.precision).cpu())
        return torch.cat(parts)


@torch.no_grad()
def maps_of(
    model: HighResolutionNet,
    images: Tensor,
    skeleton: Skeleton,
    flip: bool = False,
    precision: str = "auto",
) -> Tensor:
    """Maps ``(N, K, S/4, S/4)`` of pictures ``(N, 3, S, S)``, whoever made them; with ``flip``
    those of their mirror images are averaged in. ``ValueError`` for pictures that are none."""
    training = model.training
    model.eval()
    with autocast(next(model.parameters()).device, precision):
        maps = model.maps(images)
        if flip:
            mirrored = model.maps(images.flip(-1)).flip(-1)
            maps = (maps + mirrored[:, list(skeleton.mirrored)]) / 2
    model.train(training)
    return maps


def with_network_maps(
    recording: Recording, model: HighResolutionNet, size: int = 64, seed: int = 0, **options
) -> Recording:
    """The recording with the maps that ``model`` sees in its film, drawn with ``size`` pixels a
    side, as ``heatmaps``, made frame by frame when they are asked for, and with their ``crops``.
    ``options`` are those of :class:`NetworkMaps`."""
    seen = _seen(recording, model, size, seed, options)
    return replace(
        recording, heatmaps=PerFrame(_key(model, size, seed, options), seen), crops=seen.squares
    )


def predict_maps(
    model: HighResolutionNet,
    dataset: Dataset,
    size: int = 64,
    seed: int = 0,
    progress: bool = True,
    **options,
) -> Dataset:
    """Every recording as :func:`with_network_maps` has it, all maps made at once and kept, in steps
    of 1/255: what a network that lifts maps learns from and is tested on. They are then looked up,
    and films whose positions are withheld later (:func:`~paperlib.training.withhold_positions`)
    have theirs.

    Kept in the cache by content: of the same weights, data, options, seed and code they are found
    again. Of the training part these are films of bodies that ``model`` may have learnt from.
    """
    check_seed(seed)
    key = f"{_key(model, size, seed, options)}, in bytes"

    def make(recording: Recording) -> dict[str, Tensor]:
        seen = _seen(recording, model, size, seed, options)
        maps = 255 * seen(torch.arange(len(recording)))
        return {"maps": maps.round().to(torch.uint8), "crops": seen.squares}

    def attach(recording: Recording, maps: Tensor, crops: Tensor) -> Recording:
        return replace(recording, heatmaps=PerFrame(key, _looked_up(maps)), crops=crops)

    seen = kept_dataset(dataset, "maps", [key], make, attach, _KEPT_TOGETHER, progress)
    return replace(seen, source=f"{dataset.source} Heat maps of a network in rendered films.")


def with_peaks(recording: Recording) -> Recording:
    """The recording with the peaks of its maps as keypoints, and their heights as confidence: what
    is left of the maps where keypoints are lifted. It has no maps itself."""
    maps, camera = recording.heatmaps(torch.arange(len(recording))), recording.camera
    found = peaks(maps[None], recording.crops[None])[0]
    points = denormalize_screen_coordinates(found[..., :2], camera.width, camera.height)
    return recording.with_keypoints(points, found[..., 2])


def _seen(
    recording: Recording, model: HighResolutionNet, size: int, seed: int, options: dict
) -> NetworkMaps:
    device = next(model.parameters()).device
    return NetworkMaps(model, FilmImages(recording, size, seed, device=device), **options)


def _key(model: HighResolutionNet, size: int, seed: int, options: dict) -> str:
    """What maps are known by, beside the film that they are of."""
    weights, code = digest_of(model.state_dict(), str(model.config)), code_of(__name__)
    return f"maps of {size} pixels, seed {seed}, {sorted(options.items())}, {code}, {weights}"


def _looked_up(maps: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda frames: maps[frames.to(maps.device)].float() / 255


def _whole(recording: Recording) -> Tensor:
    """The square about all of the film, for a frame in which nobody was found."""
    width, height = recording.camera.width, recording.camera.height
    return torch.tensor([width / 2, height / 2, float(max(width, height))])


def _steady(side: Tensor) -> Tensor:
    """``(T,)`` averaged over neighbouring frames; both ends stay as they are beyond."""
    line = F.pad(side[None, None], (_STEADY, _STEADY), mode="replicate")
    return F.avg_pool1d(line, 2 * _STEADY + 1, stride=1)[0, 0]
