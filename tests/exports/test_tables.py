"""npz and CSV, read back by NumPy and pandas."""

import numpy as np
import pandas as pd
import pytest
from samples import assert_close
from walks import holes, walk, y_up

from paperlib.exports import Motion, write_csv, write_npz
from paperlib.skeletons import H36M_17

TENTH = 1e-4  # of a millimetre, in metres
ONE, OTHER = holes(walk(6)), walk(3)
SCORES = np.random.default_rng(0).random((6, 17)).round(6)
SCORES[2, 3] = np.nan
MOTION = Motion.of(
    {4: ONE, "b": OTHER},
    30000 / 1001,
    H36M_17,
    frames={4: [5, 6, 7, 10, 11, 12], "b": [6, 20, 21]},
    scores={4: SCORES, "b": np.ones((3, 17))},
)


@pytest.mark.parametrize("up", ["y", "z"])
def test_npz_comes_back(tmp_path, up):
    (path,) = write_npz(MOTION, tmp_path / "walk.npz", up)
    with np.load(path, allow_pickle=False) as read:
        found = {name: read[name] for name in read.files}
    assert list(found["people"]) == ["4", "b"] and list(found["joints"]) == list(H36M_17.joints)
    assert tuple(found["parents"]) == H36M_17.parents and found["skeleton"] == "h36m_17"
    assert found["unit"] == "m" and found["up"] == up and found["fps"] == 30000 / 1001
    assert list(found["frames"]) == [5, 6, 7, 10, 11, 12, 20, 21]
    assert_close(found["time"], found["frames"] * 1001 / 30000, 1e-12)
    for row, (given, places) in enumerate([(ONE, range(6)), (OTHER, [1, 6, 7])]):
        expected = np.full((8, 17, 3), np.nan)
        expected[places] = y_up(given) if up == "y" else given
        assert_close(found["positions"][row], expected, TENTH)
    assert_close(found["scores"][0, :6], SCORES, 1e-6)
    assert np.isnan(found["scores"][0, 6:]).all() and (found["scores"][1, [1, 6, 7]] == 1).all()


@pytest.mark.parametrize("up", ["y", "z"])
def test_csv_comes_back(tmp_path, up):
    (path,) = write_csv(MOTION, tmp_path / "walk.csv", up)
    first = path.read_text("utf-8").splitlines()[0]
    assert first == f"# 29.97002997 frames a second; metres; {up} up; joints of h36m_17"
    read = pd.read_csv(path, comment="#", dtype={"person": str})
    assert list(read) == ["frame", "time", "person", "joint", "x", "y", "z", "score"]
    one = read[read.person == "4"]
    assert list(one.frame) == list(np.repeat([5, 6, 7, 10, 11, 12], 17))
    assert list(one.joint) == list(H36M_17.joints) * 6
    assert_close(one.time, one.frame * 1001 / 30000, 1e-6)
    places = one[["x", "y", "z"]].to_numpy().reshape(6, 17, 3)
    assert_close(places, y_up(ONE) if up == "y" else ONE, TENTH)
    assert np.isnan(places).any()
    assert_close(one.score.to_numpy().reshape(6, 17), SCORES, 1e-6)
    assert len(read[read.person == "b"]) == 3 * 17


def test_without_scores_their_column_is_empty(tmp_path):
    (path,) = write_csv(Motion.of(OTHER, 25, H36M_17), tmp_path / "walk.csv")
    assert pd.read_csv(path, comment="#").score.isna().all()
