"""BlazePose on film, held against MediaPipe's own output. It takes the extra ``video``, the
networks and the real film; without them these tests are skipped."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from paperlib.datasets import real_video
from paperlib.detection.blazepose import detect_film
from paperlib.detection.blazepose.fetching import find
from paperlib.detection.blazepose.networks import Networks
from paperlib.detection.blazepose.tracks import Tracker
from paperlib.detection.files.joint_sets import MEDIAPIPE_33
from paperlib.errors import MissingDataError
from paperlib.outside.videos import read_video
from paperlib.skeletons import COCO_17

OWN = Path(__file__).with_name("mediapipe_cam02.csv")
pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """The first pictures of the real film."""
    pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (extra video)")
    try:
        film = real_video.find() / "films" / "cam02.mp4"
        for network in ("detector", "heavy", "lite"):
            find(network)
    except MissingDataError as missing:
        pytest.skip(str(missing))
    if not film.is_file():
        pytest.skip("the real film is not on this computer")
    return [one.pixels for one in islice(read_video(film), 6)]


@pytest.fixture(scope="module")
def small(frames) -> list[np.ndarray]:
    """A third of their size."""
    return [np.ascontiguousarray(pixels[::3, ::3]) for pixels in frames]


def write(path, pictures, **rotation):
    """A lossless film at 25 Hz."""
    import av

    with av.open(str(path), "w") as made:
        stream = made.add_stream("png", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "rgb24"
        if rotation:
            stream.set_display_rotation(**rotation)
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return path


def test_the_joints_are_mediapipes_own(frames):
    own = np.loadtxt(OWN, delimiter=",").reshape(6, 33, 5)
    tracker = Tracker(Networks("heavy"))
    for t, pixels in enumerate(frames):
        (seen,) = tracker.step(pixels, (t + 1) / 30)
        away = np.linalg.norm(seen.joints - own[t, :, 2:4], axis=-1)
        assert away.mean() < 0.25 and away.max() < 1.0, t
        assert seen.visibility == pytest.approx(own[t, :, 4], abs=0.02)


def test_a_film_with_frames_of_nobody(small, tmp_path):
    """Somebody comes at frame 2 and goes after frame 7: frames and times are the film's."""
    empty = np.zeros_like(small[0])
    path = write(tmp_path / "film.mov", [empty, empty, *small, empty])
    (one,) = detect_film(path, model="lite", progress=False)
    assert one.skeleton is MEDIAPIPE_33 and one.name == "film.mov"
    assert (one.width, one.height) == (360, 640)
    assert one.frames.tolist() == list(range(2, 8))
    assert one.times == pytest.approx(one.frames / 25) and one.fps == pytest.approx(25)
    assert one.detected.all() and one.size.min() > 200
    coco = one.converted(COCO_17)
    assert coco.times is not None and len(coco) == 6
    # of the picture's third: what was found in the whole one
    own = np.loadtxt(OWN, delimiter=",").reshape(6, 33, 5)[..., 2:4] / 3
    assert np.median(np.linalg.norm(one.keypoints - own, axis=-1)) < 0.06 * one.size.mean()


def test_a_film_that_lies_gives_the_same_person(small, tmp_path):
    """A phone's film is stored lying."""
    stands = write(tmp_path / "stands.mov", small[:2])
    lies = write(tmp_path / "lies.mov", [np.rot90(p) for p in small[:2]], degrees=-90)
    (first,), (second,) = (detect_film(p, "lite", progress=False) for p in (stands, lies))
    assert np.array_equal(first.keypoints, second.keypoints)
    assert (second.width, second.height) == (360, 640)


def test_two_people_are_followed_side_by_side(small, tmp_path):
    """The same person twice; one of them, where one is asked for."""
    twice = [np.concatenate([p[:, 100:280]] * 2, axis=1) for p in small[:3]]
    path = write(tmp_path / "film.mov", twice)
    two = detect_film(path, "lite", people=2, progress=False)
    assert len(two) == 2 and all(len(one) == 3 for one in two)
    left, right = sorted(two, key=lambda one: one.keypoints[..., 0].mean())
    away = np.linalg.norm(right.keypoints - left.keypoints - (180, 0), axis=-1)
    assert np.median(away) < 10
    assert len(detect_film(path, "lite", progress=False)) == 1


def test_somebody_small_beside_somebody_large_is_found(frames):
    """Half as tall, on a plain wall: in the whole picture the detector finds the large one alone,
    in its parts both."""
    large = frames[0][240:1360]
    wall = np.zeros((len(large), 640, 3), np.uint8) + np.median(large, axis=(0, 1)).astype(np.uint8)
    wall[300 : 300 + 560, :540] = large[::2, ::2]
    picture, networks = np.concatenate([large, wall], axis=1), Networks("lite")
    assert len(networks.people(picture)) == 1
    big, little = Tracker(networks, 2).step(picture, 0.0)
    tall = [np.ptp(one.joints[:, 1]) for one in (big, little)]
    assert tall[1] == pytest.approx(tall[0] / 2, rel=0.15)
    assert little.joints[:, 0].min() > large.shape[1]


def test_a_search_that_was_stopped_goes_on(small, tmp_path, monkeypatch):
    """Stopped at the fourth picture; the second call looks at the rest alone."""
    path, keep = write(tmp_path / "film.mov", small), tmp_path / "kept"
    looked = []

    def step(self, picture, time, own=Tracker.step):
        if len(looked) == 3:
            looked.append(None)
            raise KeyboardInterrupt
        looked.append(time)
        return own(self, picture, time)

    monkeypatch.setattr(Tracker, "step", step)
    with pytest.raises(KeyboardInterrupt):
        detect_film(path, "lite", progress=False, keep=keep)
    (one,) = detect_film(path, "lite", progress=False, keep=keep)
    assert looked.pop(3) is None
    assert looked == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2])
    looked.insert(3, None)
    assert one.frames.tolist() == list(range(6)) and one.times == pytest.approx(one.frames / 25)
    (whole,) = detect_film(path, "lite", progress=False)
    assert np.array_equal(one.keypoints[:3], whole.keypoints[:3])
    looked.clear()
    looked.extend(range(9))
    (again,) = detect_film(path, "lite", progress=False, keep=keep)
    assert len(looked) == 9 and np.array_equal(again.keypoints, one.keypoints)
    # other settings, or a file that is none: from the beginning
    (file,) = keep.iterdir()
    found = file.read_bytes()
    detect_film(path, "lite", smooth=False, progress=False, keep=keep)
    assert file.read_bytes() == found and len([*keep.iterdir()]) == 2
    file.write_bytes(b"no archive")
    detect_film(path, "lite", progress=False, keep=keep)
    assert len(looked) == 9 + 6 + 6


def test_a_film_of_nobody_is_refused(small, tmp_path):
    path = write(tmp_path / "film.mov", [np.zeros_like(small[0])] * 3)
    with pytest.raises(ValueError, match=r"film\.mov: nobody was found in any of its 3 frames"):
        detect_film(path, "lite", progress=False)
    with pytest.raises(ValueError, match="people is 0"):
        detect_film(path, people=0)
    with pytest.raises(ValueError, match=r"unknown BlazePose model 'heavier'.*heavy"):
        detect_film(path, "heavier")
