"""What a network sees of a film: maps of each frame's joints, as those that lift maps take them."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.models.high_resolution import HighResolutionNet, require_images
from paperlib.models.weights import digest_of
from paperlib.occlusion.simulated_maps import crops_of
from paperlib.recordings import PerFrame, Recording
from paperlib.rendering import FilmImages
from paperlib.training.identity import code_of

_AT_ONCE = 256  # pictures
_STEADY = 16  # frames on each side over which the size of the crops is averaged


class NetworkMaps:
    """The maps ``(T, K, S, S)`` and crops ``(T, 3)`` of a film, by a network that sees it:
    ``maps="network"`` where :class:`~paperlib.occlusion.SimulatedMaps` draws them.

    Each frame's crop is a square about the keypoints that a detector found, by ``margin`` wider on
    each side, as for simulated maps; its size is averaged over 33 frames, so that it follows an
    approach and no bent knee. With ``flip`` the maps of the mirror image are averaged in, and those
    of a mirrored film are then exactly the mirrored maps.
    """

    def __init__(
        self, model: HighResolutionNet, film: FilmImages, margin: float = 0.2, flip: bool = False
    ):
        joints, own = model.config["num_joints"], film.recording.skeleton
        if joints != len(own):
            raise ValueError(
                f"the network has maps of {joints} joints, but {film.recording.name} has "
                f"{len(own)} ({own.name})"
            )
        self.model, self.film, self.flip = model, film, flip
        recording = film.recording
        found = recording.confidence > 0
        squares = crops_of(recording.keypoints[:, None], found[:, None], margin)[:, 0]
        squares[~found.any(dim=1)] = _whole(recording)
        self.crops = film.crops(squares[:, :2], _steady(squares[:, 2]))

    @property
    def squares(self) -> Tensor:
        """``(T, 3)``: the crops in screen coordinates, as
        :meth:`~paperlib.models.MultiStrideTCN.forward` takes them."""
        return self.crops.screen_squares()

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Maps ``(N, K, S, S)``, 0 to 1, of the frames ``(N,)``."""
        parts = []
        for some in frames.split(_AT_ONCE):
            images = self.film.draw(some, self.crops[some]).images
            parts.append(maps_of(self.model, images, self.film.recording.skeleton, self.flip))
        return torch.cat(parts)


@torch.no_grad()
def maps_of(model: HighResolutionNet, images: Tensor, skeleton, flip: bool = False) -> Tensor:
    """Maps ``(N, K, S/4, S/4)`` of pictures ``(N, 3, S, S)``, whoever made them; with ``flip``
    those of their mirror images are averaged in. ``ValueError`` for pictures that are none."""
    require_images(images)
    training = model.training
    model.eval()
    maps = model.maps(images)
    if flip:
        mirrored = model.maps(images.flip(-1)).flip(-1)
        maps = (maps + mirrored[:, list(skeleton.mirrored)]) / 2
    model.train(training)
    return maps


def with_network_maps(
    recording: Recording, model: HighResolutionNet, size: int = 64, seed: int = 0, **options
) -> tuple[Recording, Tensor]:
    """The recording with the maps that ``model`` sees in its film as ``heatmaps``, made frame by
    frame when they are asked for, and their crops ``(T, 3)`` in screen coordinates. ``options`` are
    those of :class:`NetworkMaps`."""
    seen = NetworkMaps(model, FilmImages(recording, size, seed), **options)
    code = code_of(type(model), FilmImages)
    weights = digest_of(model.state_dict(), str(model.config))
    key = f"maps of {size} pixels, seed {seed}, {options}, {code}, {weights}"
    return replace(recording, heatmaps=PerFrame(key, seen)), seen.squares


def _whole(recording: Recording) -> Tensor:
    """The square about all of the film, for a frame in which nobody was found."""
    width, height = recording.camera.width, recording.camera.height
    return torch.tensor([width / 2, height / 2, float(max(width, height))])


def _steady(side: Tensor) -> Tensor:
    """``(T,)`` averaged over neighbouring frames; both ends stay as they are beyond."""
    line = F.pad(side[None, None], (_STEADY, _STEADY), mode="replicate")
    return F.avg_pool1d(line, 2 * _STEADY + 1, stride=1)[0, 0]
