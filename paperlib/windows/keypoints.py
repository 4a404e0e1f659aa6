"""Windows of 2D keypoints, and the poses of their target frames (pavllo2019, 5.3)."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from paperlib.cameras import (
    NORMALISATIONS,
    normalize_person_coordinates,
    normalize_screen_coordinates,
    screen_intrinsics,
)
from paperlib.errors import one_of
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton
from paperlib.windows.gather import Track, Windows
from paperlib.windows.maps import are_maps, map_input, mirrored_maps

#: metres: half the depth of the volume in which kato2020 looks for joints, so that a network's
#: depths go from -1 to 1 as its screen coordinates do. The paper names no unit
DEPTH_UNIT = 0.75


def network_input(
    recording: Recording,
    confidence: bool = False,
    normalisation: str = "screen",
    visible: bool = False,
    depth: bool = False,
) -> Tensor:
    """``(T, K, 2)`` keypoints, or ``(T, K, 3)`` with their confidence, or ``(T, K, 4)`` with 1 or 0
    for what is ``visible`` or hidden as well: in screen coordinates, as the papers have it, or
    about the ``"person"`` (:mod:`paperlib.cameras`). With ``depth`` the last number is the joint's
    depth from the root, in units of :data:`DEPTH_UNIT` (kato2020, section II).

    ``ValueError`` where nobody knows what is visible, or how deep.
    """
    camera, keypoints = recording.camera, recording.keypoints
    if one_of("normalisation", normalisation, NORMALISATIONS) == "person":
        normalised = normalize_person_coordinates(keypoints)
    else:
        normalised = normalize_screen_coordinates(keypoints, camera.width, camera.height)
    columns = [normalised]
    if confidence or visible:
        columns.append(recording.confidence[..., None])
    if visible:
        if recording.visible is None or recording.skeleton != recording.keypoint_skeleton:
            raise ValueError(
                f"{recording.name}: which of its {len(recording.keypoint_skeleton)} keypoints are "
                "visible is not known; a network that is told takes recordings with `visible`, "
                "of the same joints"
            )
        columns.append(recording.visible[..., None].to(normalised))
    if depth:
        if recording.depths is None:
            raise ValueError(
                f"{recording.name} has no depths of its keypoints: inputs with depths take "
                "recordings whose detector gives them (paperlib.prediction.predict_joints), or "
                "true ones (paperlib.windows.as_inputs)"
            )
        columns.append(recording.depths[..., None].to(normalised) / DEPTH_UNIT)
    return torch.cat(columns, dim=-1) if len(columns) > 1 else normalised


def input_of(model: nn.Module) -> Callable[[Recording], Tensor]:
    """What a model sees of a recording, by its ``config``: keypoints in its ``normalisation``,
    their confidence if it takes three numbers for each (or their depth, where its ``third`` is
    that), and whether they are visible if four; or ready maps (:func:`.map_input`) if more."""
    config = getattr(model, "config", {})
    features, depth = config.get("in_features", 2), config.get("third") == "depth"
    if are_maps(features):
        return map_input
    return partial(
        network_input,
        confidence=features == 3 and not depth,
        normalisation=config.get("normalisation", "screen"),
        visible=features == 4,
        depth=features == 3 and depth,
    )


def mirror(points: Tensor, skeleton: Skeleton) -> Tensor:
    """Points ``(…, J, D)`` in the mirror: x changes sign, left and right change places.

    For poses in camera space and for normalised keypoints (x = 0 in the middle).
    """
    flipped = points[..., list(skeleton.mirrored), :].clone()
    flipped[..., 0] *= -1
    return flipped


def mirror_input(features: Tensor, skeleton: Skeleton) -> Tensor:
    """What a network is given of the mirrored film ``(…, K, F)``: of :func:`network_input`, or of
    :func:`.map_input`."""
    mirrored = mirrored_maps if are_maps(features.shape[-1]) else mirror
    return mirrored(features, skeleton)


def keypoint_windows(
    recordings: Sequence[Recording],
    receptive_field: int,
    causal: bool = False,
    flip: bool = True,
    stride: int = 1,
    features: Callable[[Recording], Tensor] = network_input,
    device: torch.device | str = "cpu",
    chunk: int = 1,
    labelled: bool = True,
) -> Windows:
    """Windows of keypoints with the targets ``"pose"`` ``(B, L, J, 3)``, root-relative metres, and
    ``"root"`` ``(B, L, 1, 3)``, camera space, and the constant ``"intrinsics"`` ``(B, 9)`` (see
    :func:`~paperlib.cameras.screen_intrinsics`). With ``labelled=False`` there are no targets, and
    recordings without 3D positions will do.

    ``features`` gives a recording's ``(T, K, F)``: by default its keypoints alone. With
    ``flip`` every example is there twice, as it is and mirrored. ``stride`` makes every n-th frame
    a target (the windows still hold every frame).

    ``chunk`` makes that many adjacent frames the targets of one window. The chunks of a recording
    lie end to end, centred on it; where the outer ones reach beyond, its first and last frame stand
    in, with their poses (pavllo2019, reference). All frames are targets then: a ``stride`` beside
    it is refused.
    """
    kinds = {(r.skeleton.name, r.keypoint_skeleton.name) for r in recordings}
    if len(kinds) > 1:
        raise ValueError(f"recordings of different skeletons cannot be mixed: {sorted(kinds)}")
    if stride < 1:
        raise ValueError(f"stride must be at least 1, got {stride}")
    if chunk < 1 or (chunk > 1 and stride > 1):
        raise ValueError(
            f"a chunk is of 1 or more adjacent frames, got chunk {chunk} with stride {stride}: "
            "chunks of several frames go with stride 1, a stride with chunk 1"
        )
    tracks = [
        _track(recording, features, mirrored, max(stride, chunk), chunk, labelled)
        for mirrored in ((False, True) if flip else (False,))
        for recording in recordings
    ]
    return Windows(tracks, receptive_field, causal, chunk, device=device)


def _track(
    recording: Recording,
    features: Callable[[Recording], Tensor],
    mirrored: bool,
    step: int,
    chunk: int,
    labelled: bool,
) -> Track:
    inputs, camera = features(recording), recording.camera
    targets = {}
    if labelled:
        targets = {"pose": recording.pose, "root": recording.trajectory[:, None]}
    if mirrored:
        inputs, camera = mirror_input(inputs, recording.keypoint_skeleton), camera.mirrored()
        if labelled:
            targets["pose"] = mirror(targets["pose"], recording.skeleton)
            targets["root"] = targets["root"] * targets["root"].new_tensor([-1, 1, 1])
    beyond = -len(recording) % chunk  # frames that whole chunks need more than there are
    return Track(
        length=len(recording),
        chosen=torch.arange(-(beyond // 2), len(recording) + beyond - beyond // 2, step),
        inputs=inputs,
        targets=targets,
        constants={"intrinsics": screen_intrinsics(camera)},
    )
