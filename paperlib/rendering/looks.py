"""What pictures of bodies look like: clothing, light, background, colour and noise of the camera,
drawn at random, and painting with them."""

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.rendering.capsules import body_capsules, trunk_joints
from paperlib.rendering.crops import Crops
from paperlib.rendering.surfaces import Surfaces
from paperlib.skeletons import Skeleton, part

# what covers the capsule that ends in a joint; all else is under the shirt
_SKIN, _HAIR, _SHIRT, _SLEEVE, _FOREARM, _THIGH, _SHANK = range(7)
_COVERED = dict.fromkeys(("head_top", "head", "head_end", "neck_nose", "head_nose"), _SKIN)
_COVERED |= dict.fromkeys(("elbow", "fore_arm"), _SLEEVE)
_COVERED |= dict.fromkeys(("wrist", "hand"), _FOREARM)
_COVERED |= dict.fromkeys(("hip", "knee", "up_leg", "leg"), _THIGH)
_COVERED |= dict.fromkeys(("ankle", "foot"), _SHANK)
_DARK, _LIGHT = (0.25, 0.15, 0.10), (0.95, 0.78, 0.68)  # skin
_ABOVE = (0.0, -0.5, -0.7)  # added to the direction of the light: above, and behind the camera
_GRAINS = (4, 12, 32)  # cells across the film, of which its background is made
_DIMMEST = 0.25  # share of the light that comes from everywhere, at least


class Look(NamedTuple):
    """What N pictures look like, of scenes of P people and a box."""

    clothes: Tensor  # (N, P, 7, 3): RGB of skin, hair, shirt, sleeves, fore arms, thighs, shanks
    box: Tensor  # (N, 3): RGB of the box
    light: Tensor  # (N, 3): unit vector to the light, camera space
    ambient: Tensor  # (N,): share of the light that comes from everywhere
    background: Tensor  # (N, 3, 32, 32): RGB over the whole film
    gain: Tensor  # (N, 3): of the camera's colours
    offset: Tensor  # (N, 3): what is added to them
    noise: Tensor  # (N,): standard deviation of the camera's noise

    def of(self, frames: int) -> "Look":
        """The look of one clip (N = 1) in so many frames."""
        return Look(*(value.expand(frames, *value.shape[1:]) for value in self))


def draw_looks(
    count: int, people: int, noise: float, device: torch.device, generator: torch.Generator | None
) -> Look:
    """Looks of ``count`` pictures; the noise of each has up to twice the standard deviation
    ``noise`` (1 is white)."""

    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        drawn = torch.rand(count, *shape, device=device, generator=generator)
        return low + (high - low) * drawn

    dark, light, above = _constants(device)
    skin = torch.lerp(dark, light, uniform(people, 1)) * uniform(people, 3, low=0.9, high=1.0)
    hair = uniform(people, 1) ** 2 * skin
    shirt, trousers, choice = uniform(people, 3), uniform(people, 3), uniform(people, 3, 1)
    sleeve = torch.where(choice[..., 0, :] < 0.15, skin, shirt)
    forearm = torch.where(choice[..., 1, :] < 0.5, skin, sleeve)
    shank = torch.where(choice[..., 2, :] < 0.25, skin, trousers)
    clothes = torch.stack([skin, hair, shirt, sleeve, forearm, trousers, shank], dim=2)
    direction = uniform(3, low=-1.0) + above
    background = uniform(3, 1, 1)
    for grain in _GRAINS:
        cells = uniform(3, grain, grain, low=-0.5, high=0.5) * uniform(1, 1, 1, high=0.8)
        if grain < _GRAINS[-1]:
            cells = F.interpolate(cells, size=_GRAINS[-1], mode="bilinear", align_corners=False)
        background = background + cells
    return Look(
        clothes,
        uniform(3),
        F.normalize(direction, dim=-1),
        uniform(low=_DIMMEST, high=0.8),
        background.clamp(0, 1),
        uniform(1, low=0.6, high=1.2) * uniform(3, low=0.85, high=1.15),
        uniform(3, low=-0.06, high=0.06),
        uniform(high=2 * noise),
    )


@cache
def _constants(device: torch.device) -> tuple[Tensor, ...]:
    """Made once: a step that is recorded copies nothing to a GPU."""
    return tuple(torch.tensor(values, device=device) for values in (_DARK, _LIGHT, _ABOVE))


@cache
def _covered_by(skeleton: Skeleton, device: torch.device) -> Tensor:
    """``(M,)``: what covers each capsule of a body."""
    count = body_capsules(torch.zeros(len(skeleton), 3), skeleton).start.shape[0]
    bones = [_COVERED.get(part(skeleton.joints[child]), _SHIRT) for _, child in skeleton.bones]
    return torch.tensor(bones + [_SHIRT] * (count - len(bones)), device=device)


def paint(look: Look, crops: Crops, skeleton: Skeleton, seen: Surfaces, front: Tensor) -> Tensor:
    """``(N, 3, H, W)`` RGB of what is seen in the crops, without noise and not yet between 0 and 1.
    ``front`` ``(P, N, 3)`` are unit vectors to where people face: there the head is skin, and hair
    behind."""
    film = 2 * crops.pixels() / crops.film[:, None, None] - 1
    given = {"mode": "bilinear", "padding_mode": "border", "align_corners": False}
    picture = F.grid_sample(look.background, film, **given)
    colours, scene, pixel = _colours(look, skeleton, seen, front), *_split(seen)
    flat = picture.view(-1)
    background = seen.number.view(-1)[seen.places] < 0
    for channel, colour in enumerate(colours):
        place = (3 * scene + channel) * seen.number[0].numel() + pixel
        flat[place] = torch.where(background, flat[place], colour)
    picture = torch.addcmul(look.offset[..., None, None], picture, look.gain[..., None, None])
    beyond = (film.abs() > 1).any(dim=-1)
    return picture.masked_fill_(beyond[:, None], 0.0)  # a film shows nothing beyond its edges


def _split(seen: Surfaces) -> tuple[Tensor, Tensor]:
    """``(n,)`` each: in which crop the places are, and where in it."""
    size = seen.number[0].numel()
    scene = seen.places // size
    return scene, seen.places - scene * size


def _colours(look: Look, skeleton: Skeleton, seen: Surfaces, front: Tensor) -> Tensor:
    """``(3, n)`` RGB of the surfaces, in their light."""
    covered = _covered_by(skeleton, seen.places.device)
    people, count = look.clothes.shape[1], len(covered)
    # RGB of each capsule, then of the box, then of the hair of each
    of_capsules = look.clothes[:, :, covered].flatten(1, 2)
    palette = torch.cat([of_capsules, look.box[:, None], look.clothes[:, :, _HAIR]], dim=1)
    scene, _ = _split(seen)
    number, x, y, z = seen.number.view(-1)[seen.places].clamp_min(0), *seen.out
    person = (number // count).clamp_max(people - 1)
    facing = front.permute(2, 0, 1).flatten(1)[:, person * len(look.light) + scene]
    behind = facing[0] * x + facing[1] * y + facing[2] * z < 0
    hair = behind & (covered == _SKIN)[number % count] & (number < people * count)
    number = torch.where(hair, people * count + 1 + person, number)
    colours = palette.flatten(0, 1).T[:, scene * palette.shape[1] + number]
    light = look.light.T[:, scene]
    lit = (light[0] * x + light[1] * y + light[2] * z).clamp_min(0)
    return colours * torch.lerp(look.ambient[scene], torch.ones_like(lit), lit)


def facing(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """``(..., 3)``: unit vectors to where bodies ``(..., J, 3)`` face, square to shoulders and
    trunk; zero where a skeleton has neither."""
    corners = trunk_joints(skeleton)
    if corners is None:
        return torch.zeros_like(positions[..., 0, :])
    left, right, left_hip, right_hip = (positions[..., joint, :] for joint in corners)
    up = left + right - left_hip - right_hip
    return F.normalize(torch.linalg.cross(left - right, up), dim=-1)
