"""The player: what it is given, what it draws, and that a page of it needs nothing else."""

import base64
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import paperlib
from paperlib import datasets
from paperlib.cameras import Camera, camera_to_world
from paperlib.player import Player, level
from paperlib.plotting.poses import upright
from tools.site.check import opened


@pytest.fixture(scope="module")
def recording():
    return datasets.load("synthetic", subjects="S6", families="walking", seconds=1).test[0]


def unpacked(player: Player, name: str) -> np.ndarray:
    """(T, J, 3) millimetres, as the script reads them; NaN where it draws nothing."""
    data = player.data()
    whole = np.frombuffer(base64.b64decode(data["bodies"][name]), "<i2").astype(float)
    whole[whole == -(2**15)] = np.nan
    return data["unit"] * whole.reshape(data["frames"], len(data["joints"]), 3)


def test_bodies_stand_where_they_are_to_the_millimetre(recording):
    shift = torch.tensor([0.1, 0.0, 0.3])
    player = paperlib.show(recording, {"moved": recording.positions + shift})
    truth = 1000 * level(recording.positions, recording.camera)
    assert np.abs(unpacked(player, "truth") - truth).max() <= 0.51
    moved = np.linalg.norm(unpacked(player, "moved") - unpacked(player, "truth"), axis=-1)
    assert np.abs(moved - 1000 * shift.norm().item()).max() <= 2


def test_relative_poses_stand_where_the_root_is_and_absolute_ones_where_they_say(recording):
    relative = paperlib.show(recording, recording.pose.numpy())
    assert np.abs(unpacked(relative, "poses") - unpacked(relative, "truth")).max() <= 1
    assert repr(relative).endswith("['truth', 'poses'])")
    only = paperlib.show(recording)
    assert [*only.bodies] == ["truth"] and only.data()["camera"]


def test_nobody_needs_to_know_the_truth(recording):
    film = replace(recording, positions=None, visible=None)
    player = paperlib.show(film, recording.pose)
    assert [*player.bodies] == ["poses"] and not player.data()["camera"]
    assert player.picture().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no 3D positions"):
        paperlib.show(film)


def test_up_is_against_gravity_and_away_from_the_camera_is_ahead(recording):
    seen = level(recording.positions, recording.camera)
    world = camera_to_world(recording.positions, recording.camera).numpy()
    height = recording.camera.position[2]
    np.testing.assert_allclose(seen[..., 2], world[..., 2] - height, atol=1e-5)
    np.testing.assert_allclose(
        np.linalg.norm(seen, axis=-1), recording.positions.norm(dim=-1), rtol=1e-5
    )
    assert seen[..., 1].min() > 1  # somebody before the camera
    nobody_knows = Camera("c", 10, 10, (10, 10), (5, 5))
    np.testing.assert_array_equal(
        level(recording.positions, nobody_knows), upright(recording.positions.numpy())
    )


def test_what_is_not_known_is_not_drawn_and_what_is_far_away_is(recording):
    poses = recording.positions.clone()
    poses[3, 5] = torch.nan
    poses[4, 6, 1] = torch.inf
    poses[7] = poses[7] + torch.tensor([0.0, 0.0, 300.0])
    player = paperlib.show(recording, poses)
    found = unpacked(player, "poses")
    missing = np.isnan(found).any(axis=-1)
    assert sorted(map(tuple, np.argwhere(missing))) == [(3, 5), (4, 6)]
    assert np.isnan(found[missing]).all()
    unit = player.data()["unit"]
    assert 1 < unit < 20
    wanted = 1000 * level(poses[7].double(), recording.camera)
    assert np.abs(found[7] - wanted).max() <= 0.51 * unit


@pytest.mark.parametrize(
    "poses, said",
    [
        (torch.zeros(3, 17, 3), r"poses: poses of shape \(3, 17, 3\), expected \(50, 17, 3\)"),
        ({"short": np.zeros((50, 16, 3))}, "short: poses of shape"),
        ({"truth": torch.zeros(50, 17, 3)}, "'truth'"),
        (torch.full((50, 17, 3), torch.nan), "no joint of any frame is known"),
        (["a"], "expected a tensor or an array of numbers"),
    ],
)
def test_what_cannot_be_shown_is_refused(recording, poses, said):
    with pytest.raises(ValueError, match=said):
        paperlib.show(recording, poses)


def test_millimetres_are_refused(recording):
    with pytest.raises(ValueError, match="are these millimetres"):
        paperlib.show(recording, 1000 * recording.pose)


def test_a_notebook_gets_a_page_and_a_picture_of_it(recording):
    named = replace(recording, action="</script><b>")
    bundle = paperlib.show(named, {"<i>": named.pose})._repr_mimebundle_()
    still = base64.b64decode(bundle["image/png"])
    page = bundle["text/html"]
    assert bundle["image/png"] in page and still.startswith(b"\x89PNG")
    assert page.count("</script>") == 1 and "<i>" not in page and "<b>" not in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)
    ids = {paperlib.show(recording)._repr_mimebundle_()["text/html"][:60] for _ in range(2)}
    assert len(ids) == 2  # two players on a page
    json.dumps(bundle)


@pytest.mark.skipif(not shutil.which("chromium"), reason="takes Chromium")
def test_a_browser_plays_it_from_a_file(recording, tmp_path):
    away = recording.positions + torch.tensor([0.0, 0.0, 0.06])
    path = paperlib.show(recording, {"near": recording.pose, "away": away}).save(
        tmp_path / "a.html"
    )
    page, errors = opened(path)
    assert errors == [] and "away: mean error 60 mm in this frame" in page
    assert page.count("<canvas") == 2 and "<img" not in page.split("<script")[0]
    assert '<option value="near">' in page and 'max="49"' in page
