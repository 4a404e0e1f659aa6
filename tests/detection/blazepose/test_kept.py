"""What a search in a film has found so far: each search has a file of its own."""

import numpy as np

from paperlib.detection.blazepose import kept
from paperlib.detection.blazepose.tracks import Seen


def looked(count: int) -> list[kept.Looked]:
    joints, seen = np.random.default_rng(0).random((2, 33, 3)), np.ones(33)
    return [kept.Looked(t / 25, [Seen(0, joints[0], seen, joints[1])]) for t in range(count)]


def test_a_search_that_is_broken_off_leaves_the_others_alone(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / "keypoints.npz").write_bytes(b"of the user")
    heavy, lite = (kept.key(tmp_path / "film.mp4", model=model) for model in ("heavy", "lite"))
    kept.save(kept.place(tmp_path, heavy), heavy, looked(50))
    assert kept.load(kept.place(tmp_path, lite), lite) == []
    kept.save(kept.place(tmp_path, lite), lite, looked(2))
    assert len(kept.load(kept.place(tmp_path, heavy), heavy)) == 50
    assert len(kept.load(kept.place(tmp_path, lite), lite)) == 2
    assert (tmp_path / "keypoints.npz").read_bytes() == b"of the user"
