"""TRC in the layout of a real file, and C3D as another library reads it."""

import sys
from pathlib import Path

import numpy as np
import pytest
from samples import assert_close
from walks import holes, walk, y_up

from paperlib.exports import Motion, write_c3d, write_trc
from paperlib.paths import data_dir
from paperlib.skeletons import H36M_17

TENTH = 1e-4  # of a millimetre, in metres
GIVEN = holes(walk(12))
FRAMES = np.array([30, 31, 32, 33, 35, 36, 37, 38, 39, 40, 41, 42])  # nobody is in 34
SEVERAL = {7: GIVEN, 9: walk(3)}
MOTION = Motion.of(GIVEN, 25, H36M_17, frames=FRAMES)


def table(path: Path) -> tuple[list[list[str]], np.ndarray]:
    """The five lines of the head, in cells, and the numbers below, NaN of empty cells."""
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    rows = [[float(cell) if cell else np.nan for cell in line] for line in lines[5:]]
    return lines[:5], np.array(rows)


@pytest.mark.parametrize("up", ["y", "z"])
def test_trc_positions_come_back_with_gaps(tmp_path, up):
    (path,) = write_trc(MOTION, tmp_path / "walk.trc", up)
    head, rows = table(path)
    assert head[0] == ["PathFileType", "4", "(X/Y/Z)", "walk.trc"]
    assert head[2] == ["25", "25", "13", "17", "m", "25", "30", "13"]
    assert head[3][2::3][:17] == list(H36M_17.joints)
    assert head[4][2:5] == ["X1", "Y1", "Z1"] and head[4][-1] == "Z17"
    assert_close(rows[:, 0], np.arange(30, 43), 0)
    assert_close(rows[:, 1], np.arange(30, 43) / 25, 1e-9)
    places = rows[:, 2:].reshape(13, 17, 3)
    expected = np.insert(GIVEN, 4, np.nan, axis=0)  # frame 34
    assert_close(places, y_up(expected) if up == "y" else expected, TENTH)
    assert np.isnan(places).any() and np.isnan(places[4]).all()


def test_trc_has_a_file_for_each_of_several(tmp_path):
    paths = write_trc(Motion.of(SEVERAL, 25, H36M_17), tmp_path / "walk.trc", "z")
    assert [path.name for path in paths] == ["walk_7.trc", "walk_9.trc"]
    head, rows = table(paths[1])
    assert head[0][-1] == "walk_9.trc" and len(rows) == 12  # as the other's
    assert_close(rows[:3, 2:].reshape(3, 17, 3), SEVERAL[9], TENTH)
    assert np.isnan(rows[3:, 2:]).all()


@pytest.mark.data
def test_trc_has_the_layout_of_a_real_file(tmp_path):
    real = data_dir() / "real_video" / "Balancing_for_IK.trc"
    if not real.exists():
        pytest.skip("no real file")
    (path,) = write_trc(MOTION, tmp_path / "walk.trc")
    (ours, rows), (theirs, known) = table(path), table(real)
    assert ours[0][:3] == theirs[0][:3] and ours[1] == theirs[1] and ours[2][4] == theirs[2][4]
    for head, values in ((ours, rows), (theirs, known)):
        markers = int(head[2][3])
        assert head[3][:2] == ["Frame#", "Time"] and len(head[3]) == 2 + 3 * markers
        assert head[4] == ["", "", *(f"{a}{n}" for n in range(1, markers + 1) for a in "XYZ")]
        assert values.shape == (int(head[2][2]), 2 + 3 * markers)
        assert_close(values[:, 1], values[:, 0] / float(head[2][0]), 1e-9)


def read_c3d(path: Path):
    c3d = pytest.importorskip("c3d")
    with path.open("rb") as file:
        reader = c3d.Reader(file)
        frames = {number: points.copy() for number, points, _ in reader.read_frames()}
        labels = [label.strip() for label in reader.point_labels]
        units = reader.get("POINT:UNITS").string_value.strip()
        screen = [reader.get(f"POINT:{axis}_SCREEN").string_value for axis in "XY"]
        return frames, labels, units, screen, reader.point_rate


@pytest.mark.filterwarnings("ignore:No analog data found")
@pytest.mark.parametrize("up", ["y", "z"])
def test_c3d_positions_come_back_with_gaps(tmp_path, up):
    pytest.importorskip("ezc3d")
    (path,) = write_c3d(MOTION, tmp_path / "walk.c3d", up)
    frames, labels, units, screen, rate = read_c3d(path)
    assert list(frames) == list(range(31, 44))  # counted from 1
    assert labels == list(H36M_17.joints) and units == "mm" and rate == 25
    assert screen == ["+X", f"+{up.upper()}"]
    points = np.stack(list(frames.values()))
    missing = points[..., 3] == -1
    expected = np.insert(GIVEN, 4, np.nan, axis=0)
    np.testing.assert_array_equal(missing, np.isnan(expected[..., 0]))
    assert (points[~missing][:, 3] == 0).all() and (points[missing][:, :3] == 0).all()
    expected = 1000 * (y_up(expected) if up == "y" else expected)
    assert_close(points[~missing][:, :3], expected[~missing], 0.1)


@pytest.mark.filterwarnings("ignore:No analog data found")
def test_c3d_holds_several_people(tmp_path):
    pytest.importorskip("ezc3d")
    (path,) = write_c3d(Motion.of(SEVERAL, 25, H36M_17), tmp_path / "walk.c3d")
    frames, labels, *_ = read_c3d(path)
    assert labels[:2] == ["7:pelvis", "7:right_hip"] and labels[17] == "9:pelvis"
    points = np.stack(list(frames.values()))[:, 17:]
    assert_close(points[:3, :, :3], 1000 * SEVERAL[9], 0.1)
    assert (points[3:, :, 3] == -1).all()


def test_what_c3d_cannot_count_is_refused(tmp_path):
    pytest.importorskip("ezc3d")
    late = Motion.of(walk(2), 25, H36M_17, frames=[65534, 65535])
    with pytest.raises(ValueError, match="frame 65535: C3D counts frames up to 65535"):
        write_c3d(late, tmp_path / "walk.c3d")
    assert not list(tmp_path.iterdir())


def test_without_the_package_c3d_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(ValueError, match=r"pip install ezc3d.*pip install -e \"\.\[exports\]\""):
        write_c3d(MOTION, tmp_path / "walk.c3d")
