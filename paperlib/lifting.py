"""People found in a film to poses in metres, in one call: for films of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from paperlib.cameras import Camera
from paperlib.detection.coco import coco_points
from paperlib.detection.resampling import resampled, sampled
from paperlib.detection.sequences import Keypoints2D
from paperlib.evaluation.body_size import body_height
from paperlib.kinematics import rotation_apply, shortest_turn
from paperlib.prediction import predict
from paperlib.recordings import Recording
from paperlib.refinement import refine
from paperlib.skeletons import COCO_17, H36M_17, Skeleton
from paperlib.training.shipping import shipped
from paperlib.virtual_camera import facing, rays, turned_back, turns_to_person

RATE = 50.0  # Hz of the motion that the shipped model has learnt
_SAME_RATE = 0.02  # share by which a film's rate may differ and still count as the model's
_GUESS = 1.0  # focal length where nobody tells it, of the longer side of the picture
# the height of somebody who stands, of the length of the bones from ankle to the top of the head:
# the foot comes to it (median of the invented bodies, whose ankles are 8 cm above the ground)
STATURE = 1.045
# a joint in line with a bone (without a start, the trunk), and so much further of its length
_LINE = {"elbow": ("", "shoulder", 0.55), "wrist": ("shoulder", "elbow", 0.85)}
_LINE |= {"knee": ("", "hip", 0.85), "ankle": ("hip", "knee", 0.95)}
_FACE = 0.4  # of the trunk's length above the shoulders
_NEAREST, _FARTHEST = 0.3, 100.0  # metres from the camera at which people are put
_TALLEST = 3.0  # metres


@dataclass(frozen=True, eq=False)
class Lifted:
    """One person of a film: a pose in each of its ``frames`` ``(T,)``.

    ``positions`` ``(T, J, 3)`` are metres in camera space (x right, y down, z forward) of the
    joints of ``skeleton``; how far away somebody is depends on the focal length, what the pose is
    does not. ``scores`` ``(T,)`` are how sure the detector was, on average over the joints, 0 where
    it saw nobody. ``height`` is what the poses' bones say of the person's height, metres. ``down``
    (x, y, z) is where down is in camera space, as it was told or guessed."""

    track: int | None
    frames: np.ndarray
    positions: Tensor
    scores: np.ndarray
    height: float
    down: tuple[float, ...]
    skeleton: Skeleton = H36M_17

    def __repr__(self) -> str:
        who = "a person" if self.track is None else f"person {self.track}"
        return (
            f"Lifted({who}, frames {self.frames[0]} to {self.frames[-1]}, {self.height:.2f} m "
            f"tall, seen in {(self.scores > 0).mean():.0%})"
        )

    @property
    def pose(self) -> Tensor:
        """``(T, J, 3)``: relative to the root."""
        root = self.skeleton.root
        return self.positions - self.positions[:, root : root + 1]

    @property
    def level(self) -> Tensor:
        """``(T, J, 3)`` positions as a level camera at the same place would have them."""
        turn = shortest_turn(torch.tensor(self.down), torch.tensor([0.0, 1.0, 0.0]))
        return rotation_apply(turn, self.positions)

    @property
    def upright(self) -> Tensor:
        """``(T, J, 3)`` positions with z up: what a file for other programs wants. The camera is at
        the origin and looks along y, level."""
        x, y, z = self.level.unbind(-1)
        return torch.stack([x, z, -y], dim=-1)


def lift_people(
    people: Sequence[Keypoints2D],
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    focal: float | None = None,
    person_height: float | None = None,
    down: Sequence[float] | None = None,
    smooth: bool = True,
    model: nn.Module | None = None,
) -> list[Lifted]:
    """A pose in metres for everybody in each frame from the first to the last in which they were
    found (:func:`paperlib.detection.read_people`).

    ``fps`` is the film's rate and ``size`` width and height of its pictures, where the keypoints do
    not tell, ``focal`` the focal length in pixels, by default that of a usual lens, as long as the
    picture's longer side. ``person_height``, metres, scales everybody; without it they are of
    average size. ``down`` is where down is, (x, y, z) in camera space (x right, y down, z forward);
    without it, where people's feet are (:func:`where_down_is`). ``smooth`` refines the paths as
    veges2020, 3.2, which also bridges the frames in which somebody was not found; without it these
    are lifted from interpolated keypoints. ``model`` takes COCO's keypoints about the person, of a
    camera that is turned to it (:mod:`paperlib.virtual_camera`); by default the shipped one.

    ``ValueError`` for numbers that no film has, and people without COCO's joints.
    """
    require_positive(fps=fps, focal=focal, person_height=person_height)
    model = shipped("any_camera").model if model is None else model
    films = [_film(one, fps, size, focal) for one in people]
    if films:
        _require_inside(people, films[0][0].camera)
    if down is None and films:
        down = where_down_is([_poses(model, film, None) for film, _ in films])
    elif down is not None:
        down = unit(down)
    found = []
    for one, (film, at) in zip(people, films, strict=True):
        pose = _poses(model, film, down)
        height = STATURE * float(body_height(pose, H36M_17).median())
        if person_height is not None:
            pose, height = pose * (person_height / height), person_height
        positions = pose + placed(pose, film)[:, None]
        if smooth:
            positions = refine(positions, film.confidence, root=H36M_17.root)
        positions = torch.from_numpy(sampled(positions.numpy(), at, _times(one, fps)))
        scores = one.converted(COCO_17).confidence.mean(axis=1)
        found.append(Lifted(one.track, one.frames, positions, scores, height, down))
    return found


def where_down_is(poses: Sequence[Tensor]) -> tuple[float, ...]:
    """A guess of where down is in camera space, ``(x, y, z)`` of length 1: from the middle of the
    shoulders to that of the ankles, the median over all people and frames of ``poses``
    ``(T, 17, 3)``, Human3.6M's joints. People mostly stand; where they do not, one must be told."""
    ways = []
    for pose in poses:
        high, low = (
            sum(pose[:, H36M_17.index(f"{side}_{joint}")] for side in ("left", "right"))
            for joint in ("shoulder", "ankle")
        )
        ways.append(normalize(low - high, dim=-1))
    return unit(torch.cat(ways).median(dim=0).values.tolist())


def _times(one: Keypoints2D, fps: float | None) -> np.ndarray:
    """``(T,)`` seconds: what was told goes before what the keypoints say."""
    if fps is not None:
        return one.frames / fps
    if one.times is None:
        raise ValueError(
            f"{one.name}: the rate of its film is not known: pass fps=, frames a second"
        )
    return one.times


def _film(
    one: Keypoints2D, fps: float | None, size: tuple[int, int] | None, focal: float | None
) -> tuple[Recording, np.ndarray]:
    """A person at the model's rate, and the times of its frames, seconds."""
    seen = replace(one.converted(COCO_17), times=_times(one, fps))
    places = completed(seen.keypoints, ~seen.detected.any(axis=0))
    seen = replace(seen, keypoints=places)
    if (abs(np.diff(seen.times) * RATE - 1) > _SAME_RATE).any():
        seen = resampled(seen, RATE)
    keypoints = torch.from_numpy(seen.keypoints)
    confidence = torch.from_numpy(seen.confidence).clamp(0, 1)
    about = {"skeleton": H36M_17, "keypoint_skeleton": COCO_17}
    camera = film_camera(seen, size, focal)
    film = Recording("somebody", "film", seen.name, RATE, camera, keypoints, confidence, **about)
    return film, seen.times


def _require_inside(people: Sequence[Keypoints2D], camera: Camera) -> None:
    """``ValueError`` where most of a film's keypoints lie beside its pictures."""
    found = np.concatenate([one.keypoints[one.confidence > 0] for one in people])
    x, y = np.median(found, axis=0) if len(found) else (0, 0)
    if not (0 <= x <= camera.width and 0 <= y <= camera.height):
        raise ValueError(
            f"{people[0].name}: people are about pixel ({x:.0f}, {y:.0f}), outside of pictures of "
            f"size {camera.width} x {camera.height}: are these the film's width and height?"
        )


def completed(keypoints: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """COCO's keypoints ``(T, 17, 2)`` with a place for the joints that are ``missing`` ``(17,)``
    throughout, as feet below the picture's rim: in line with the bone before, by the usual
    proportions. A guess, but a limb that ends nowhere would be one that a network has never
    seen."""
    if not missing.any():
        return keypoints
    joint = {name: keypoints[:, j] for j, name in enumerate(COCO_17.joints)}
    middle = {
        part: (joint[f"left_{part}"] + joint[f"right_{part}"]) / 2 for part in ("shoulder", "hip")
    }
    trunk = middle["hip"] - middle["shoulder"]
    for name in COCO_17.joints:  # from the head down
        side, _, part = name.rpartition("_")
        if not missing[COCO_17.index(name)] or part in ("shoulder", "hip"):
            continue
        if part in _LINE:
            start, end, share = _LINE[part]
            bone = joint[f"{side}_{end}"] - joint[f"{side}_{start}"] if start else trunk
            joint[name] = joint[f"{side}_{end}"] + share * bone
        else:
            joint[name] = middle["shoulder"] - _FACE * trunk
    return np.stack([joint[name] for name in COCO_17.joints], axis=1)


def _poses(model: nn.Module, film: Recording, down: Sequence[float] | None) -> Tensor:
    """``(T, 17, 3)`` in the camera's axes, about the root."""
    turns = turns_to_person(film, down)
    return turned_back(predict(model, facing(film, turns=turns)), turns)


def film_camera(
    seen: Keypoints2D, size: tuple[int, int] | None = None, focal: float | None = None
) -> Camera:
    """The camera of a film, as :func:`lift_people` takes it to be, without an orientation.
    ``ValueError`` where nobody tells how large its pictures are."""
    width, height = size or (seen.width, seen.height)
    if width is None or height is None:
        raise ValueError(
            f"{seen.name}: how large its pictures are is not known: pass size=(width, height)"
        )
    return camera_of((width, height), focal)


def require_positive(**told: float | None) -> None:
    """``ValueError`` for what was told of a film and is no finite number above 0."""
    for name, value in told.items():
        if value is not None and not (isfinite(value) and value > 0):
            raise ValueError(f"{name}={value!r}: expected a number above 0")
    if (told.get("person_height") or 0) > _TALLEST:
        raise ValueError(f"person_height={told['person_height']!r}: expected metres")


def camera_of(size: tuple[int, int], focal: float | None = None) -> Camera:
    """A camera without an orientation, whose pictures have this ``size``, width and height in
    pixels; without a focal length, that of a usual lens. ``ValueError`` for numbers that no camera
    has."""
    width, height = size
    if not min(size) > 0:
        raise ValueError(f"{size=}: expected width and height in pixels")
    require_positive(focal=focal)
    focal = focal or _GUESS * max(width, height)
    return Camera("film", width, height, (focal, focal), (width / 2, height / 2))


def placed(pose: Tensor, film: Recording) -> Tensor:
    """``(T, 3)``: where each pose must be so that it is seen where its keypoints are: the least
    squares of ``x (Z + z) = X + …`` over the joints that both have, by how sure they are."""
    points = coco_points(pose)
    plane = rays(film)[..., :2]
    weight = film.confidence.clamp_min(1e-3)[..., None].sqrt()
    ones, none = torch.ones_like(plane[..., :1]), torch.zeros_like(plane[..., :1])
    x, y = plane.split(1, dim=-1)
    rows = torch.cat(
        [weight * torch.cat([ones, none, -x], -1), weight * torch.cat([none, ones, -y], -1)], dim=1
    )
    off = plane * points[..., 2:] - points[..., :2]
    right = (weight * off).mT.reshape(len(pose), -1, 1)
    place = torch.linalg.lstsq(rows.double(), right.double()).solution[..., 0].float()
    depth = place[:, 2].clamp(_NEAREST, _FARTHEST)
    return torch.cat([place[:, :2] * (depth / place[:, 2])[:, None], depth[:, None]], dim=-1)


def unit(way: Sequence[float]) -> tuple[float, ...]:
    """A direction ``(x, y, z)`` in length 1; ``ValueError`` for what is none."""
    length = float(np.linalg.norm(way))
    if len(way) != 3 or not isfinite(length) or length == 0:
        raise ValueError(f"down={way!r}: expected three numbers, not all 0")
    return tuple(float(each) / length for each in way)
