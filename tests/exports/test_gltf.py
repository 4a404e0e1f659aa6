"""glTF, played from its own numbers: joints, bones and who is there when."""

import sys
from pathlib import Path

import numpy as np
import pytest
from samples import assert_close
from walks import holes, walk, y_up

from paperlib.exports import Motion, write_gltf
from paperlib.skeletons import H36M_17

pytest.importorskip("pygltflib")
from played import Played

TENTH = 1e-4  # of a millimetre, in metres
TRUE = walk(30)
NAMES = H36M_17.joints
MOTION = Motion.of(TRUE, 50, H36M_17, frames=np.arange(100, 130))


@pytest.mark.parametrize(("suffix", "up"), [(".glb", "y"), (".gltf", "y"), (".glb", "z")])
def test_positions_come_back(tmp_path, suffix, up):
    """Upright in every viewer, whichever axes the joints have."""
    (path,) = write_gltf(MOTION, tmp_path / f"walk{suffix}", up)
    played = Played(path)
    assert played.file.asset.extras == {"fps": 50, "unit": "m", "up": up, "first_frame": 100}
    for frame in (0, 11, 29):
        assert_close(played.places(NAMES, frame / 50), y_up(TRUE)[frame], TENTH)
    (animation,) = played.file.animations
    times = played.numbers(animation.samplers[0].input)
    assert_close(times, np.arange(30) / 50, 1e-6)
    root = played.numbers(animation.samplers[0].output)  # in the file's own axes
    assert_close(root, y_up(TRUE)[:, 0] if up == "y" else TRUE[:, 0], TENTH)


def test_bones_lie_between_joints(tmp_path):
    """The mesh follows its skin: of each octahedron two corners are joints."""
    played = Played(*write_gltf(MOTION, tmp_path / "walk.glb"))
    corners = played.corners("1", 0.3).reshape(-1, 8, 3, 3)  # bones, triangles
    found = {
        tuple(np.argmin(np.linalg.norm(y_up(TRUE)[15] - end, axis=-1)) for end in ends)
        for ends in corners[:, :2, 0]
    }
    assert found == set(H36M_17.bones)
    nearest = np.linalg.norm(y_up(TRUE)[15] - corners[:, :2, 0].reshape(-1, 1, 3), axis=-1)
    assert nearest.min(axis=1).max() < TENTH


def test_gaps_are_bridged_and_people_are_there_when_they_are(tmp_path):
    given = holes(TRUE, 0.1)
    given[10:12] = np.nan
    second = TRUE[:5] + np.array([1.0, 0, 0])
    frames = {3: np.arange(20, 50), "b": np.arange(25, 30)}
    motion = Motion.of({3: given, "b": second}, 50, H36M_17, frames=frames)
    played = Played(*write_gltf(motion, tmp_path / "both.glb"))
    seen = ~np.isnan(given[..., 0])
    for frame in (0, 9, 12, 29):
        places = played.places(NAMES, frame / 50, "person_3")
        assert_close(places[seen[frame]], y_up(TRUE)[frame][seen[frame]], 2 * TENTH)
    between = played.places(("pelvis",), 10.5 / 50, "person_3")
    ends = [played.places(("pelvis",), frame / 50, "person_3") for frame in (9, 12)]
    assert_close(between, np.mean(ends, axis=0), TENTH)
    assert_close(played.places(NAMES, 7 / 50, "person_b"), y_up(second)[2], TENTH)
    for frame, there in ((0, False), (4, False), (5, True), (9, True), (10, False), (29, False)):
        size = np.ptp(played.corners("b", frame / 50), axis=0).max()
        assert (size > 1) == there and (there or size < 1e-6), frame


def test_neighbouring_keys_are_on_one_side(tmp_path):
    """Players that only blend numbers must not turn a joint the long way."""
    angle = np.linspace(0, 4 * np.pi, 80)
    c, s, o = np.cos(angle), np.sin(angle), np.zeros(80)
    turn = np.stack([[c, -s, o], [s, c, o], [o, o, o + 1]]).transpose(2, 0, 1)
    motion = Motion.of(TRUE[:1] @ turn.transpose(0, 2, 1), 50, H36M_17)
    played = Played(*write_gltf(motion, tmp_path / "spin.glb"))
    for sampler in played.file.animations[0].samplers[1:]:
        keys = played.numbers(sampler.output)
        assert_close(np.linalg.norm(keys, axis=-1), np.ones(80), 1e-6)
        assert (keys[1:] * keys[:-1]).sum(axis=-1).min() > 0.9


def test_what_is_no_gltf_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"walk\.bvh: expected \.glb or \.gltf"):
        write_gltf(MOTION, tmp_path / "walk.bvh")
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    with pytest.raises(ValueError, match=r"glTF takes the package pygltflib.*pip install"):
        write_gltf(MOTION, Path(tmp_path) / "walk.glb")
