"""Occlusion labels for recordings: what is taken for the truth, and what can be guessed from the
keypoints alone."""

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from paperlib.cameras import normalize_screen_coordinates, project
from paperlib.errors import one_of
from paperlib.occlusion.boxed_man import boxed_man
from paperlib.occlusion.clustered import clustered
from paperlib.occlusion.cylinder_man import cylinder_man
from paperlib.recordings import Recording
from paperlib.rendering import joint_visibility

UNITS = ("metres", "image")
# in screen coordinates, what the paper's 6 cm are at the distance of the studio's cameras
GUESSED_TOLERANCE = 0.024
_HALF = 0.5  # of the visibility of the cylinder man, below which a joint counts as hidden


def labels(recording: Recording, method: str, **options) -> Tensor:
    """Which joints ``(T, J)`` of a recording are hidden, from their true places.

    ``"clustered"`` sees x and y in camera space, or with ``unit="image"`` in screen coordinates;
    ``"boxed_man"`` the exact projections in screen coordinates; ``"cylinder_man"`` the body in
    space (hidden: less than half visible); ``"rendered"`` is the recording's own ``visible``, or
    found by rays and capsules where it has none (:func:`paperlib.rendering.joint_visibility`). All
    other ``options`` are those of the function of that name.
    """
    return _METHODS[one_of("labelling", method, _METHODS)](recording, **options)


def guesses(recording: Recording, method: str, **options) -> Tensor:
    """Which keypoints ``(T, K)`` of a recording may be hidden, from the detected keypoints alone:
    what a network can be given when it is used. ``"clustered"`` or ``"boxed_man"``, in screen
    coordinates; without depth the former marks whole clusters."""
    seen = _screen(recording, recording.keypoints)
    if one_of("guess from keypoints", method, GUESSES) == "clustered":
        return clustered(seen, **{"tolerance": GUESSED_TOLERANCE, **options})
    return boxed_man(seen, recording.keypoint_skeleton, **options)


def with_labels(recording: Recording, method: str, guess: str) -> Recording:
    """The recording as the occlusion-aware network learns from it: ``visible`` is what the
    labelling ``method`` says, and ``confidence`` 1 where the ``guess`` says that a keypoint is
    seen, else 0. The detector's own confidence is left out, and so is the true visibility."""
    return replace(with_guess(recording, guess), visible=~labels(recording, method))


def with_guess(recording: Recording, guess: str) -> Recording:
    """The recording as a network sees it that goes by guesses: ``confidence`` is 1 where the
    ``guess`` says that a keypoint is seen, else 0."""
    confidence = (~guesses(recording, guess)).to(recording.keypoints.dtype)
    return replace(recording, confidence=confidence)


def _screen(recording: Recording, keypoints: Tensor) -> Tensor:
    return normalize_screen_coordinates(keypoints, recording.camera.width, recording.camera.height)


def _exact(recording: Recording) -> Tensor:
    return _screen(recording, project(recording.truth, recording.camera))


def _clustered(recording: Recording, unit: str = "metres", **options) -> Tensor:
    metres = one_of("unit", unit, UNITS) == "metres"
    points = recording.truth[..., :2] if metres else _exact(recording)
    return clustered(points, recording.truth[..., 2], **options)


def _boxed_man(recording: Recording, **options) -> Tensor:
    return boxed_man(_exact(recording), recording.skeleton, **options)


def _cylinder_man(recording: Recording, **options) -> Tensor:
    return cylinder_man(recording.truth, recording.skeleton, **options) < _HALF


def _rendered(recording: Recording) -> Tensor:
    if recording.visible is None:
        return ~joint_visibility(recording.truth, recording.skeleton)
    return ~recording.visible


_METHODS: dict[str, Callable[..., Tensor]] = {
    "clustered": _clustered,
    "boxed_man": _boxed_man,
    "cylinder_man": _cylinder_man,
    "rendered": _rendered,
}
LABELLINGS = tuple(_METHODS)
GUESSES = ("clustered", "boxed_man")
