"""A body's segments joint by joint, written out, and joints put where a test wants them."""

import pytest
import torch

from paperlib.skeletons import SKELETONS

_HEADS = {  # both ends, and the other joints that are the head's own
    "h36m_17": ("neck_nose", "head_top", ""),
    "humaneva_15": ("thorax", "head", ""),
    "mupots_17": ("neck", "head_top", "head_nose"),
    "coco_17": ("left_shoulder right_shoulder", "left_ear right_ear", "nose left_eye right_eye"),
}
_LIMBS = "shoulder elbow", "elbow wrist", "hip knee", "knee ankle"


@pytest.fixture(params=_HEADS)
def written(request):
    """``(name, segments, trunk)``: of each segment the joints of both ends and those that it never
    hides; of the trunk the corners in pairs, and those that it never hides."""
    segments = []
    for side in ("left_", "right_"):
        for limb in _LIMBS:
            first, second = (side + joint for joint in limb.split())
            segments.append(([first], [second], {first, second}))
    first, second, face = (joints.split() for joints in _HEADS[request.param])
    segments.append((first, second, {*first, *second, *face}))
    hips, shoulders = ["right_hip", "left_hip"], ["left_shoulder", "right_shoulder"]
    spine = {"pelvis", "hip", "spine", "thorax", "neck"}
    return request.param, segments, (hips, shoulders, {*hips, *shoulders, *spine})


@pytest.fixture(params=_HEADS)
def skeleton(request):
    return SKELETONS[request.param]


@pytest.fixture
def placed():
    """``placed(skeleton, name=place, …)``: joints ``(J, D)`` where they are put, and all others
    far away down on the right, on a curve along which none lies in another's way."""

    def place(skeleton, **places):
        size = len(next(iter(places.values())))
        rows = []
        for j, name in enumerate(skeleton.joints):
            far = (500.0 + 10 * j, 800.0 + 10 * j * j, 400.0)[:size]
            rows.append(places.pop(name, far))
        assert not places, f"{skeleton.name} has no {', '.join(places)}"
        return torch.tensor(rows, dtype=torch.float64)

    return place
