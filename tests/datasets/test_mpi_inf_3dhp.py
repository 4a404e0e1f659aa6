"""MPI-INF-3DHP: on small files of the public formats, made here."""

import sys

import numpy as np
import pytest
import torch
from scipy.io import savemat

from paperlib.cameras import camera_to_world, project
from paperlib.datasets import mpi_inf_3dhp
from paperlib.datasets.mupots import valid_frames
from paperlib.errors import MissingDataError
from paperlib.skeletons import MUPOTS_17

FRAMES = 7
FIELDS = ("annot2", "annot3", "univ_annot3")
# 1-based, as the reference picks them from the 28
PICKED = np.array([8, 6, 15, 16, 17, 10, 11, 12, 24, 25, 26, 19, 20, 21, 5, 4, 7]) - 1
INTRINSIC = (1497.0, 1490.5, 1024.5, 1010.0)
FAST = {("S1", "Seq2"), ("S3", "Seq1"), ("S3", "Seq2"), ("S5", "Seq1"), ("S5", "Seq2")}


def extrinsic(index) -> tuple[np.ndarray, np.ndarray]:
    """A camera on a circle about the stage, looking at its middle: R and t (mm) with X = R W + t,
    of a world with y up."""
    angle = 2 * np.pi * index / 14
    place = np.array([3500 * np.sin(angle), 1400.0, 3500 * np.cos(angle)])
    forward = np.array([0, 900.0, 0]) - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return rotation, -rotation @ place


def calibration(cameras=range(14)) -> str:
    fx, fy, cx, cy = INTRINSIC
    lines = ["Skeletool Camera Calibration File V1.0"]
    for index in cameras:
        rotation, shift = extrinsic(index)
        place = " ".join(f"{number:.7g}" for number in np.column_stack([rotation, shift]).flat)
        lines.append(
            f"""name          {index}
  sensor      10 10
  size        2048 2048
  animated    0
  intrinsic   {fx + index} 0 {cx} 0 0 {fy} {cy} 0 0 0 1 0 0 0 0 1{" "}
  extrinsic   {place} 0 0 0 1{" "}
  radial      0"""
        )
    return "\n".join(lines) + "\n"


def motion(frames=FRAMES, seed=0) -> np.ndarray:
    """(T, 28, 3) millimetres on the stage, y up."""
    rng = np.random.default_rng(seed)
    return rng.uniform([-700, 0, -700], [700, 1800, 700], (frames, 28, 3))


def seen(world, index) -> tuple[np.ndarray, np.ndarray]:
    """Camera space (T, 28, 3) millimetres and pixels (T, 28, 2)."""
    rotation, shift = extrinsic(index)
    points = world @ rotation.T + shift
    fx, fy, cx, cy = INTRINSIC
    u = (fx + index) * points[..., 0] / points[..., 2] + cx
    v = fy * points[..., 1] / points[..., 2] + cy
    return points, np.stack([u, v], axis=-1)


def annotation(world, cameras=range(14)) -> dict:
    """What annot.mat holds; the cells of other ``cameras`` are empty."""
    cells = {field: np.empty((14, 1), dtype=object) for field in FIELDS}
    for index in range(14):
        points, pixels = seen(world if index in cameras else world[:0], index)
        cells["annot2"][index, 0] = pixels.reshape(len(points), 56)
        cells["annot3"][index, 0] = points.reshape(len(points), 84)
        cells["univ_annot3"][index, 0] = points.reshape(len(points), 84) * 1.07
    numbers, cameras = np.arange(len(world), dtype="u2")[:, None], np.arange(14, dtype="u1")[None]
    return {**cells, "frames": numbers, "cameras": cameras}


def write(folder, subject, sequence, made, text=None):
    place = folder / subject / sequence
    place.mkdir(parents=True, exist_ok=True)
    savemat(place / "annot.mat", made)
    (place / "camera.calibration").write_text(calibration() if text is None else text)


@pytest.fixture
def worlds(folder):
    """All subjects and sequences on the disk; what was filmed, by subject and sequence."""
    filmed = {
        (subject, sequence): motion(seed=7 * int(subject[1]) + int(sequence[3]))
        for subject in mpi_inf_3dhp.SUBJECTS
        for sequence in mpi_inf_3dhp.SEQUENCES
    }
    for (subject, sequence), world in filmed.items():
        write(folder, subject, sequence, annotation(world))
    return filmed


@pytest.fixture
def one(folder):
    """S2 alone."""
    for sequence in ("Seq1", "Seq2"):
        write(folder, "S2", sequence, annotation(motion()))
    return folder


# ---- what is read --------------------------------------------------------------------------------


def kept(world, subject, sequence):
    """The frames that are used: the surplus one dropped, 50 Hz halved."""
    world = world[:-1] if (subject, sequence) == ("S3", "Seq1") else world
    return world[::2] if (subject, sequence) in FAST else world


def test_subjects_cameras_and_frames(worlds):
    data = mpi_inf_3dhp.load()
    assert data.name == "mpi_inf_3dhp-normal" and data.test == ()
    assert data.skeleton is data.keypoint_skeleton is MUPOTS_17
    assert [(r.subject, r.action, r.clip, r.camera.name, len(r)) for r in data.train] == [
        (subject, sequence, f"{subject} {sequence}", str(camera), len(kept(world, *key)))
        for key, world in worlds.items()
        for subject, sequence in [key]
        for camera in range(11)
        if (*key, camera) != ("S3", "Seq2", 2)
    ]
    assert {len(r) for r in data.train} == {3, 4, 7}
    for r in data.train:
        assert r.fps == 25 and (r.camera.width, r.camera.height) == (2048, 2048)
        assert r.positions.dtype == r.keypoints.dtype == torch.float32
        assert r.confidence.shape == (len(r), 17) and (r.confidence == 1).all()
        assert valid_frames(r).all()
    assert "25 Hz" in data.source and "nothing to test" in data.source
    for reason in ("camera 2 of S3 Seq2", "last annotation of S3 Seq1", "the test sequences"):
        assert reason in data.excluded


def test_positions_and_keypoints_are_those_of_the_file(worlds):
    for r in mpi_inf_3dhp.load(subjects=["S1", "S3", "S8"], cameras=[0, "2", 13]).train:
        world = worlds[r.subject, r.action]
        points, pixels = seen(kept(world, r.subject, r.action), int(r.camera.name))
        np.testing.assert_allclose(r.positions.numpy(), points[:, PICKED] / 1000, atol=1e-6)
        np.testing.assert_allclose(r.keypoints.numpy(), pixels[:, PICKED], rtol=1e-6)


def test_cameras_are_those_of_the_calibration_in_a_world_with_z_up(worlds):
    for r in mpi_inf_3dhp.load(subjects="S5").train:
        world = kept(worlds["S5", r.action], "S5", r.action)[:, PICKED] / 1000
        upright = np.stack([world[..., 0], -world[..., 2], world[..., 1]], axis=-1)
        back = camera_to_world(r.positions, r.camera).numpy()
        np.testing.assert_allclose(back, upright, atol=1e-5)
        assert r.camera.position[2] == pytest.approx(1.4, abs=1e-5)  # above the floor
        assert (project(r.positions, r.camera) - r.keypoints).abs().max() < 0.01
        assert r.camera.focal == (1497 + int(r.camera.name), 1490.5)
        assert r.camera.centre == (1024.5, 1010)


def test_universal_positions(worlds):
    normal = mpi_inf_3dhp.load(subjects="S2", cameras=[4])
    scaled = mpi_inf_3dhp.load(subjects="S2", cameras=[4], coordinates="universal")
    assert scaled.name == "mpi_inf_3dhp-universal" and "universal coordinates" in scaled.source
    for a, b in zip(normal.train, scaled.train, strict=True):
        torch.testing.assert_close(b.positions, 1.07 * a.positions)
        assert torch.equal(a.keypoints, b.keypoints) and a.camera == b.camera


def test_exchanged_sides_of_s4_are_put_right(folder):
    """In frames 3759 to 5852 of sequence 2, left is annotated as right; nowhere else."""
    world = motion(5856)
    wrong = world.copy()
    left, right = (PICKED[list(side)] for side in (MUPOTS_17.left, MUPOTS_17.right))
    wrong[3759:5853, left], wrong[3759:5853, right] = (
        world[3759:5853, right],
        world[3759:5853, left],
    )
    for sequence in ("Seq1", "Seq2"):
        write(folder, "S4", sequence, annotation(wrong, cameras=[6]))
    for coordinates in ("normal", "universal"):
        first, second = mpi_inf_3dhp.load("S4", 6, coordinates).train
        factor = 1.07 if coordinates == "universal" else 1.0
        for r, expected in ((first, wrong), (second, world)):
            points, pixels = seen(expected, 6)
            assert len(r) == 5856
            stored = factor * points[:, PICKED] / 1000
            np.testing.assert_allclose(r.positions.numpy(), stored, atol=1e-6)
            np.testing.assert_allclose(r.keypoints.numpy(), pixels[:, PICKED], rtol=1e-6)


def test_cells_belong_to_the_cameras_that_the_file_names(one):
    made = annotation(motion())
    made["cameras"] = made["cameras"][:, ::-1]
    made.update({field: made[field][::-1] for field in FIELDS})
    before = mpi_inf_3dhp.load("S2").fingerprint
    write(one, "S2", "Seq1", made)
    assert mpi_inf_3dhp.load("S2").fingerprint == before


def test_where_the_data_lie(worlds, folder):
    assert mpi_inf_3dhp.find() == folder


# ---- test sequences ------------------------------------------------------------------------------


def test_test_sequences(worlds, folder):
    h5py = pytest.importorskip("h5py")
    made = {}
    for name in mpi_inf_3dhp.TEST_SEQUENCES:
        points, pixels = (p[:, None, :17] for p in seen(motion(9, seed=int(name[2])), 0))
        valid = np.ones((9, 1))
        valid[[2, 5]] = 0
        points[5] = np.nan
        made[name] = points, pixels
        place = folder / "mpi_inf_3dhp_test_set" / name
        place.mkdir(parents=True)
        with h5py.File(place / "annot_data.mat", "w") as file:
            file["annot2"], file["annot3"] = pixels, points
            file["univ_annot3"], file["valid_frame"] = points * 1.07, valid
    normal = mpi_inf_3dhp.load("S2", 0, test=True)
    scaled = mpi_inf_3dhp.load("S2", 0, "universal", test=True)
    assert [r.clip for r in normal.test] == list(made)
    assert "TS1 to TS6 to test" in normal.source and "test sequences" not in normal.excluded
    for a, b in zip(normal.test, scaled.test, strict=True):
        points, pixels = made[a.clip]
        assert valid_frames(a).tolist() == [t not in (2, 5) for t in range(9)]
        assert (a.visible == valid_frames(a)[:, None]).all()
        holds = [0, 1, 2, 3, 4, 6, 7, 8]
        np.testing.assert_allclose(a.positions[holds], points[holds, 0] / 1000, atol=1e-6)
        np.testing.assert_allclose(a.keypoints[holds], pixels[holds, 0], rtol=1e-6)
        assert torch.equal(a.positions[5], a.positions[4])
        torch.testing.assert_close(b.positions, 1.07 * a.positions)
        assert a.camera == b.camera and a.camera.focal == pytest.approx((1497, 1490.5), abs=1e-3)
        assert a.camera.width == (2048 if a.clip in ("TS1", "TS2", "TS3", "TS4") else 1920)
    (place / "annot_data.mat").write_bytes(b"no HDF5")
    with pytest.raises(ValueError, match=r"annot_data\.mat: not a readable annotation"):
        mpi_inf_3dhp.load("S2", 0, test=True)


def test_without_h5py_the_test_sequences_are_refused(one, monkeypatch):
    for name in mpi_inf_3dhp.TEST_SEQUENCES:
        (one / name).mkdir()
        (one / name / "annot_data.mat").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)  # cannot be imported
    with pytest.raises(ImportError, match=r"install h5py .* test=False"):
        mpi_inf_3dhp.load("S2", test=True)
    assert len(mpi_inf_3dhp.load("S2").train) == 22


# ---- what is refused -----------------------------------------------------------------------------


def test_missing_pieces(one):
    with pytest.raises(MissingDataError, match=r"TS1/annot_data\.mat is missing"):
        mpi_inf_3dhp.load("S2", test=True)
    (one / "S2" / "Seq2" / "camera.calibration").unlink()
    with pytest.raises(MissingDataError, match=r"S2/Seq2/camera\.calibration is missing"):
        mpi_inf_3dhp.load("S2")


SPOILT = {
    "metres": lambda made: made.update(annot3=made["annot3"] / 1000),
    "seventeen joints": lambda made: change(made["annot3"], lambda points: points[:, :51]),
    "shorter": lambda made: change(made["annot2"], lambda pixels: pixels[:-1]),
    "gaps": lambda made: made.update(frames=made["frames"] * 2),
    "more numbers": lambda made: made.update(frames=np.arange(FRAMES + 1)[:, None]),
    "other order": lambda made: made.update(annot2=made["annot2"][::-1]),
    "nan": lambda made: made["annot3"][3, 0][4, 3 * 7 : 3 * 7 + 1].fill(np.nan),  # the head top
    "four cameras": lambda made: made.update({field: made[field][:4] for field in FIELDS}),
    "no cells": lambda made: made.update(annot2=np.zeros((14, 56))),
    "no positions": lambda made: made.pop("annot3"),
}


def change(cells, step):
    """Those of the fourth camera."""
    cells[3, 0] = step(cells[3, 0])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("metres", r"camera 0: positions up to \d\.\d+: metres\? expected millimetres"),
        ("seventeen joints", r"camera 3: annot3 of shape \(7, 51\), expected \(T, 84\)"),
        ("shorter", "camera 3: 6 frames of annot2, 7 of annot3 and 7 frame numbers"),
        ("gaps", "frame numbers with gaps"),
        ("more numbers", "camera 0: 7 frames of annot2, 7 of annot3 and 8 frame numbers"),
        ("other order", r"camera 0: positions are seen \d+ pixels from the keypoints"),
        ("nan", r"S2/Seq1/S2 Seq1/3/0: positions has NaN .* frame 4"),
        ("four cameras", "camera 0: annot2 has 4 cells for the cameras 0, 1, .*, 13; expected"),
        ("no cells", "camera 0: annot2 has 784 cells"),
        ("no positions", "no variable annot3"),
    ],
)
def test_spoilt_annotations(one, what, said):
    made = annotation(motion())
    SPOILT[what](made)
    write(one, "S2", "Seq1", made)
    with pytest.raises(ValueError, match=said):
        mpi_inf_3dhp.load("S2")


def test_a_camera_that_the_file_does_not_have(one):
    made = annotation(motion())
    made["cameras"] = np.arange(1, 15)[None]
    write(one, "S2", "Seq1", made)
    with pytest.raises(ValueError, match="camera 0: annot2 has 14 cells for the cameras 1, 2"):
        mpi_inf_3dhp.load("S2")
    write(one, "S2", "Seq1", annotation(motion()), calibration(range(1, 14)))
    with pytest.raises(ValueError, match=r"camera 0: not in camera\.calibration"):
        mpi_inf_3dhp.load("S2")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  radial      0", "  radial      0.1", r"radial distortion of 0; .* \[0\.1\]"),
        ("  size        2048 2048\n", "", "expected 2 numbers of size.*'size': 0"),
        (" 0 0 0 1 \n  radial", "\n  radial", "'extrinsic': 12"),
        ("2048 2048", "2048 wide", "could not convert string to float: 'wide'"),
        ("  extrinsic   ", "  extrinsic   9", "the extrinsic matrix holds no rotation"),
    ],
)
def test_spoilt_calibrations(one, old, new, said):
    text = calibration()
    assert old in text
    write(one, "S2", "Seq1", annotation(motion()), text.replace(old, new))
    with pytest.raises(ValueError, match=rf"camera\.calibration: camera 0: .*{said}"):
        mpi_inf_3dhp.load("S2")


def test_truncated_files(one):
    path = one / "S2" / "Seq2" / "annot.mat"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"annot\.mat: not a readable MATLAB file, or cut short"):
        mpi_inf_3dhp.load("S2")
