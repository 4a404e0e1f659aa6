import json
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import samples
import torch
from detection.figures import write_json

from paperlib import datasets
from paperlib.__main__ import main
from paperlib.cameras import project
from paperlib.detection import read_people
from paperlib.detection.coco import coco_points
from paperlib.lifting import lift_people
from paperlib.plotting.own_film import frames_shown
from paperlib.running.lift import Options, is_film, lift
from paperlib.skeletons import H36M_17

FRAMES, SIZE = 40, (1016, 1024)


@pytest.fixture(scope="module")
def keypoints(tmp_path_factory):
    """COCO's JSON of two people, of whom one comes ten frames later."""
    walker = datasets.load("synthetic", small=True).test[0]
    entries = []
    for number, (first, side) in enumerate(((0, -0.8), (10, 0.8))):
        positions = walker.positions[:FRAMES] + torch.tensor([side, 0.0, 0.0])
        points = project(coco_points(positions), walker.camera)
        rows = torch.cat([points, torch.full((FRAMES, 17, 1), 0.9)], dim=-1)
        entries += [
            {"image_id": t, "category_id": 1, "idx": number + 3}
            | {"keypoints": rows[t].flatten().tolist()}
            for t in range(first, FRAMES)
        ]
    return write_json(tmp_path_factory.mktemp("film") / "people.json", entries)


def words(*more, out, source):
    return ["lift", str(source), "--out", str(out), *more]


def test_a_folder_of_results(tmp_path, keypoints, capsys):
    told = ("--fps", "50", "--size", "1016x1024", "--height", "1.8")
    assert main(words(*told, out=tmp_path, source=keypoints)) == 0
    names = {path.name for path in tmp_path.iterdir()}
    single = {"poses.npz", "poses.csv", "poses.c3d", "poses.glb", "poses.gif", "about.json"}
    each = {f"poses_{track}.{kind}" for track in (3, 4) for kind in ("bvh", "trc", "html")}
    assert names == single | each
    assert capsys.readouterr().out.count("written: ") == len(names)
    with np.load(tmp_path / "poses.npz") as archive:
        kept = {name: archive[name] for name in archive}
    assert kept["people"].tolist() == ["3", "4"] and kept["frames"].tolist() == [*range(FRAMES)]
    positions = kept["positions"]
    assert np.isnan(positions[1, :10]).all() and np.isfinite(positions[1, 10:]).all()
    # z is up, and everybody as tall as was said
    head, feet = (H36M_17.index(joint) for joint in ("head_top", "left_ankle"))
    assert 1.2 < np.nanmedian(positions[:, :, head, 2] - positions[:, :, feet, 2]) < 1.8
    # one and the same as the functions give
    first, _ = lift_people(read_people(keypoints), 50, SIZE, person_height=1.8)
    about = json.loads((tmp_path / "about.json").read_text())
    np.testing.assert_allclose(positions[0], first.upright.numpy(), atol=1e-5)
    assert about["down, in the camera's axes"] == pytest.approx(first.down, abs=1e-4)
    assert about["people"]["4"]["frames"] == [10, 39]
    assert about["people"]["3"]["fitted skeleton off by, mm"] < 30
    assert "commit" in about["model"] and about["source"] == "people.json"


def test_one_person_and_one_format(tmp_path, keypoints):
    options = Options(fps=50, size=SIZE, person=4, formats=("npz",), animation=False)
    files = lift(keypoints, tmp_path, options)
    assert [path.name for path in files] == ["poses.npz", "poses_4.html", "about.json"]


BRIEFLY = Options(fps=50, size=SIZE, formats=("npz",), animation=False)


def test_each_video_of_a_file_has_a_folder_of_its_own(tmp_path, keypoints):
    (one, _) = read_people(keypoints)
    videos = {name: {"custom": [one.keypoints]} for name in ("walk 1.mp4", "jump.mp4")}
    sizes = {name: {"w": 1016, "h": 1024} for name in videos}
    about = samples.metadata("coco") | {"video_metadata": sizes}
    np.savez(tmp_path / "custom.npz", positions_2d=videos, metadata=about)
    files = lift(tmp_path / "custom.npz", tmp_path / "out", BRIEFLY)
    found = {path.relative_to(tmp_path / "out").as_posix() for path in files}
    kinds = ("poses.npz", "poses_0.html", "about.json")
    assert found == {f"{name}/{kind}" for name in ("walk_1.mp4", "jump.mp4") for kind in kinds}
    told = json.loads((tmp_path / "out" / "walk_1.mp4" / "about.json").read_text())
    assert told["video"] == "walk 1.mp4" and told["source"] == "custom.npz"


def test_files_of_an_earlier_call_do_not_stay(tmp_path, keypoints):
    lift(keypoints, tmp_path, replace(BRIEFLY, formats=("npz", "trc")))
    (tmp_path / "poses_of_mine.txt").write_text("kept")
    assert (tmp_path / "poses_3.trc").is_file()
    lift(keypoints, tmp_path, replace(BRIEFLY, person=4))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"poses.npz", "poses_4.html", "about.json", "poses_of_mine.txt"}


def test_what_about_json_names_elsewhere_is_left_alone(tmp_path, keypoints):
    (tmp_path / "mine.npz").write_text("kept")
    out = tmp_path / "out"
    out.mkdir()
    (out / "about.json").write_text(json.dumps({"files": ["../mine.npz", "../poses.npz", 3]}))
    lift(keypoints, out, BRIEFLY)
    assert (tmp_path / "mine.npz").read_text() == "kept"


def test_without_a_package_nothing_is_begun(tmp_path, keypoints, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    with pytest.raises(ValueError, match="writing glTF takes the package pygltflib"):
        lift(keypoints, tmp_path / "out", Options(fps=50, size=SIZE))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "film"),
    [
        ("a.mp4", b"", True),
        ("a.wmv", b"\x30\x26\xb2\x75\x00\x11", True),
        ("a.MTS", b"\x00\x00\x01G", True),
        ("a.json", b'[{"image_id": 1}]', False),
        ("keypoints", b'{"people": []}', False),
        ("a.npz", b"PK\x03\x04\x00\x00", False),
        ("notes.txt", b"no film", False),
    ],
)
def test_films_are_known_by_name_or_by_what_is_in_them(tmp_path, name, content, film):
    (tmp_path / name).write_bytes(content)
    assert is_film(tmp_path / name) == film
    assert not is_film(tmp_path)


@pytest.mark.parametrize(
    ("fps", "step", "frames", "interval"),
    [
        *((25, 1, 50, 40), (30, 1, 50, 40), (50, 1, 50, 40), (60, 2, 50, 40), (120, 1, 50, 40)),
        *((10, 1, 20, 100), (24, 1, 40, 50), (29.97, 1, 50, 40)),
    ],
)
def test_a_moving_picture_lasts_as_long_as_its_film(fps, step, frames, interval):
    """Two seconds of film, in hundredths of a second, which is all that a GIF can say."""
    count = round(2 * fps / step)
    one = SimpleNamespace(frames=np.arange(count) * step + 7)
    shown, each = frames_shown([one], fps, 250)
    assert each == interval and len(shown) * each == pytest.approx(2000, abs=each)
    assert len(shown) == pytest.approx(frames, abs=1)
    assert shown[0] == 7 and set(shown) <= set(one.frames)  # none that nobody looked at
    assert np.abs((shown - 7) / fps - np.arange(len(shown)) * each / 1000).max() <= step / fps
    few, each = frames_shown([one], fps, 10)
    assert len(few) <= 10 and len(few) * each == pytest.approx(2000, abs=each)


def test_every_second_frame_is_played_at_the_films_speed(tmp_path, keypoints):
    entries = json.loads(keypoints.read_text())
    for entry in entries:
        entry["image_id"] *= 2
    source = write_json(tmp_path / "every_second.json", entries)
    lift(source, tmp_path / "out", replace(BRIEFLY, person=3, fps=100))
    page = (tmp_path / "out" / "poses_3.html").read_text()
    assert re.search(r'"fps": ?50\b', page)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "--fps"),
        (("--fps", "50"), "size="),
        (("--fps", "50", "--size", "9x9", "--formats", "fbx"), "fbx"),
        (("--fps", "50", "--size", "9x9", "--person", "tallest"), "tallest"),
        (("--fps", "50", "--size", "9x9", "--person", "8"), "8"),
        (("--fps", "-1", "--size", "9x9"), "fps=-1"),
    ],
)
def test_what_is_not_known_or_wrong_is_said(tmp_path, keypoints, more, message, capsys):
    out = tmp_path / "out"
    assert main(words(*more, out=out, source=keypoints)) == 1
    assert message in capsys.readouterr().err
    assert not any(out.glob("poses*"))


@pytest.mark.parametrize("wrong", [("--size", "9"), ("--size", "0x9"), ("--down", "1,2")])
def test_options_that_cannot_be_read(tmp_path, keypoints, wrong, capsys):
    with pytest.raises(SystemExit):
        main(words("--fps", "50", *wrong, out=tmp_path, source=keypoints))
    assert wrong[1] in capsys.readouterr().err


def test_whoever_is_seen_too_briefly_is_left_out_and_counted(tmp_path):
    body = [[100.0 + j, 100.0 + 9 * j, 0.9] for j in range(17)]
    entries = [
        {"image_id": t, "category_id": 1, "keypoints": np.ravel(body).tolist()} for t in range(4)
    ]
    source = write_json(tmp_path / "brief.json", entries)
    with pytest.raises(ValueError, match="5 frames or more"):
        lift(source, tmp_path / "out", Options(fps=50, size=SIZE))


def test_a_film_needs_what_reads_films(tmp_path, capsys):
    """Without the extra the command says what to install; with it, that this is no film."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film at all" * 100)
    assert main(words(out=tmp_path / "out", source=film)) == 1
    said = capsys.readouterr().err
    assert "film.mp4" in said or "video" in said
    assert main(words(out=tmp_path / "out", source=tmp_path / "lost.mp4")) == 1
