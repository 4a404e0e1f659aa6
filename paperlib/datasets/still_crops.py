"""Random squares about people in photographs, to learn from."""

from math import radians

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.datasets.stills import StillImages
from paperlib.rendering import Augmentation, Crops

_FLAT = (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # of a camera that nobody asks for


class StillCrops:
    """Squares of ``size`` x ``size`` pixels about the people of ``stills``, moved, scaled, turned
    and mirrored as ``augmentation`` says; what it says of occluders and noise, photographs have of
    their own. All that is random comes from PyTorch's generator."""

    def __init__(self, stills: StillImages, size: int, augmentation: Augmentation):
        self.stills, self.size, self.augmentation = stills, size, augmentation

    def __len__(self) -> int:
        return len(self.stills)

    def draw(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of people by their numbers ``(N,)``: images ``(N, 3, size, size)`` from 0 to 1, joints in
        their pixels ``(N, K, 2)``, and which of them somebody labelled ``(N, K)`` bool.

        ``ValueError`` for an image that cannot be read, and a box wholly outside of its image.
        """
        drawn = [self._one(number) for number in numbers.tolist()]
        return tuple(torch.stack(values) for values in zip(*drawn, strict=True))

    def _one(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        stills, how, chance = self.stills, self.augmentation, torch.rand(5)
        image, points = stills.image(number), stills.keypoints[number]
        labelled = stills.labelled[number]
        left, top, width, height = stills.boxes[number].tolist()
        film = torch.tensor([[float(image.shape[2]), float(image.shape[1])]])
        if left >= film[0, 0] or top >= film[0, 1] or left + width <= 0 or top + height <= 0:
            raise ValueError(
                f"{stills.files[number].name}: the box {(left, top, width, height)} of person "
                f"{number} lies outside of its image of {film[0].tolist()} pixels"
            )
        longer, (low, high) = max(width, height) * (1 + 2 * how.margin), how.scale
        middle = torch.tensor([[left + width / 2, top + height / 2]])
        crops = Crops(
            middle=middle + how.shift * (2 * chance[:2] - 1) * longer,
            side=longer / (low + (high - low) * chance[2:3]),
            angle=radians(how.rotation) * (2 * chance[3:4] - 1),
            intrinsics=torch.tensor([_FLAT]),
            film=film,
            size=self.size,
        )
        places = crops.from_film(points[None])[0]
        picture = shrunk(crops, image).clamp(0, 1)
        if chance[4] < how.flip:
            order = list(stills.skeleton.mirrored)
            places = places[order] * torch.tensor([-1.0, 1.0]) + torch.tensor([self.size, 0.0])
            picture, labelled = picture.flip(-1), labelled[order]
        return picture, places, labelled


def shrunk(crops: Crops, image: Tensor) -> Tensor:
    """The square ``(3, size, size)`` of an image ``(3, H, W)``, each pixel the mean of those that
    it covers: first by whole numbers of them, then between those by straight lines."""
    whole = int(min(crops.side.item() / crops.size, *image.shape[1:]))
    if whole >= 2:
        image = F.avg_pool2d(image[None], whole)[0]
        film = torch.tensor([[float(image.shape[2]), float(image.shape[1])]])
        crops = Crops(
            crops.middle / whole,
            crops.side / whole,
            crops.angle,
            crops.intrinsics,
            film,
            crops.size,
        )
    return crops.cut(image[None])[0]
