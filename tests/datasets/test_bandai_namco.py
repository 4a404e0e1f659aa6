"""Bandai Namco's motion data: small archives of their format, and the real ones as a whole."""

import io
import re
import tarfile

import numpy as np
import pytest
import torch

from paperlib import datasets
from paperlib.cameras import camera_to_world
from paperlib.datasets import bandai_namco, bvh
from paperlib.datasets.motion.bodies import BODIES
from paperlib.errors import MissingDataError
from paperlib.kinematics import bone_lengths
from paperlib.skeletons import H36M_17

INDEX = {name: H36M_17.index(name) for name in H36M_17.joints}
# name, parent, OFFSET: a body of the files' joints that stands in its rest pose, y up, facing z
BODY = """joint_Root - 0 0 0
Hips joint_Root 0 94 0
Spine Hips 0 16 0
Chest Spine 0 9 0
Neck Chest 0 16 0
Head Neck 0 6.5 0
Shoulder_L Chest 5 13 0
UpperArm_L Shoulder_L 5 0 0
LowerArm_L UpperArm_L 24 0 0
Hand_L LowerArm_L 22 0 0
Shoulder_R Chest -5 13 0
UpperArm_R Shoulder_R -5 0 0
LowerArm_R UpperArm_R -24 0 0
Hand_R LowerArm_R -22 0 0
UpperLeg_L Hips 6.5 -2 0
LowerLeg_L UpperLeg_L 0 -39 0
Foot_L LowerLeg_L 0 -41 0
Toes_L Foot_L 0 -8 9
UpperLeg_R Hips -6.5 -2 0
LowerLeg_R UpperLeg_R 0 -39 0
Foot_R LowerLeg_R 0 -41 0
Toes_R Foot_R 0 -8 9"""
ROWS = [line.split() for line in BODY.splitlines()]
SIX = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"


def text_of(frames: int, step: float = 1.0, body=ROWS) -> str:
    """The body walks along z, ``step`` centimetres a frame, its joints unturned."""

    def joint(name: str) -> str:
        (row,) = (r for r in body if r[0] == name)
        children = [r[0] for r in body if r[1] == name]
        inside = "\n".join(map(joint, children)) or "End Site\n{\nOFFSET 0 0 0\n}"
        kind = "ROOT" if row[1] == "-" else "JOINT"
        return f"{kind} {name}\n{{\nOFFSET {' '.join(row[2:])}\n{SIX}\n{inside}\n}}"

    ordered = re.findall(r"(?:ROOT|JOINT) (\S+)", tree := joint(body[0][0]))
    places = {row[0]: list(map(float, row[2:])) for row in body}
    lines = []
    for t in range(frames):
        now = places | {"Hips": [*places["Hips"][:2], step * t]}
        lines.append(" ".join(f"{n:g}" for name in ordered for n in (*now[name], 0, 0, 0)))
    head = f"MOTION\nFrames:\t{frames}\nFrame Time:\t0.0333333\n"
    return f"HIERARCHY\n{tree}\n{head}" + "\n".join(lines) + "\n"


FILES = {
    "1_walk_happy_001": text_of(31),
    "1_walk_sad_001": text_of(16),
    "2_walk_normal_001": text_of(61, step=10),  # 6 m
    "1_bow_happy_001": text_of(7),
    "1_bow_sad_001": text_of(7),
    "1_kick_normal_001": text_of(7),
}


def path_of(name: str) -> str:
    return f"Bandai-Namco-Research-Motiondataset-{name[0]}/data/dataset-{name}.bvh"


def pack(folder, files=FILES, more: tuple[tuple[tarfile.TarInfo, bytes], ...] = ()):
    with tarfile.open(folder / bandai_namco.ARCHIVE, "w:xz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(path_of(name))
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
        for info, content in more:
            archive.addfile(info, io.BytesIO(content))


def unpack(folder, files=FILES, above=""):
    for name, text in files.items():
        path = folder / above / path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def place(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    return folder


def load(**options):
    return bandai_namco.load(as_found=True, **options)


def everything(data) -> dict[str, torch.Tensor]:
    return {r.name: r.positions for part in ("train", "test", "unseen") for r in data.split(part)}


def test_joints_are_those_of_human36m_in_metres_with_z_up():
    joints = bandai_namco.joints_17(bvh.parse_bvh(text_of(2)))
    assert joints.shape == (2, 17, 3)
    at = {name: joints[1, INDEX[name]].tolist() for name in INDEX}
    # y up becomes z up and z ahead becomes -y; one frame of one centimetre further ahead
    assert at["pelvis"] == pytest.approx([0, -0.01, 0.92])  # the middle of the upper legs
    assert at["left_hip"] == pytest.approx([0.065, -0.01, 0.92])
    assert at["right_ankle"] == pytest.approx([-0.065, -0.01, 0.12])
    assert at["spine"] == pytest.approx([0, -0.01, 1.10])
    assert at["thorax"] == pytest.approx([0, -0.01, 1.35])
    assert at["left_wrist"] == pytest.approx([0.56, -0.01, 1.32])
    # nose and top are places in the head's own frame, which in this body is turned by nothing
    head = np.array([0, -0.01, 1.415])
    x, y, z = bandai_namco._NOSE
    assert at["neck_nose"] == pytest.approx(head + np.array([x, -z, y]))
    x, y, z = bandai_namco._TOP
    assert at["head_top"] == pytest.approx(head + np.array([x, -z, y]))


def test_takes_are_split_by_fold_resampled_and_filmed(place):
    pack(place)
    data = load(fold=0)
    assert data.name == "bandai_namco-as_found"
    assert "CC BY-NC 4.0, not for commercial use" in data.source and "2306.08861" in data.source
    assert {r.action for r in data.unseen} == {"kick"}
    views = [r for part in ("train", "test") for r in data.split(part)]
    assert {r.fps for r in views} == {50.0} and len({r.camera.name for r in views}) == 4
    lengths = {r.clip: len(r) for r in views}
    # 31 frames at 30 Hz last one second, 51 frames at 50 Hz
    assert lengths["1_walk_happy_001"] == 51 and lengths["1_bow_sad_001"] == 11
    folds = {
        fold: {r.take for r in load(fold=fold).test if r.action == "walk"} for fold in range(3)
    }
    assert sorted(len(names) for names in folds.values()) == [1, 1, 1]
    assert set().union(*folds.values()) == {n for n in FILES if "walk" in n}


def test_paths_longer_than_the_stage_are_cut(place):
    pack(place)
    clips = {r.clip: len(r) for r in load(fold=0).train} | {
        r.clip: len(r) for r in load(fold=0).test
    }
    pieces = {
        name: length for name, length in clips.items() if name.startswith("2_walk_normal_001")
    }
    assert list(pieces) == ["2_walk_normal_001#1", "2_walk_normal_001#2"]
    assert sum(pieces.values()) == 101


def test_bodies_of_the_people_replay_it(place):
    pack(place)
    data = load(actions=["walk"])
    for recording in (*data.train, *data.test):
        body = BODIES[recording.subject]
        lengths = bone_lengths(recording.positions, H36M_17.parents)
        expected = body.offsets().norm(dim=-1)[1:].expand_as(lengths).float()
        torch.testing.assert_close(lengths, expected, rtol=0, atol=1e-4)
        world = camera_to_world(recording.positions, recording.camera)
        ankles = world[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 2]
        # the body written above has ankles 12 cm high; the real files' 11.7
        assert ankles == pytest.approx(body.ankle_height, abs=0.006)
    assert {r.subject for r in data.train} <= {"S1", "S2", "S3", "S4", "S5"}
    assert {r.subject for r in data.test} <= {"S6", "S7"}


def test_unpacked_files_give_what_the_archive_gives(place):
    pack(place)
    packed = everything(load())
    (place / bandai_namco.ARCHIVE).unlink()
    unpack(place, above="Bandai-Namco-Research-Motiondataset-master/dataset")
    unpacked = everything(load())
    assert packed.keys() == unpacked.keys()
    assert all(torch.equal(packed[name], unpacked[name]) for name in packed)
    unpack(place, {"1_bow_sad_001": FILES["1_bow_sad_001"]}, above="again")
    with pytest.raises(ValueError, match=r"dataset-1_bow_sad_001.bvh is there twice"):
        load()


def test_the_second_time_nothing_is_computed_and_a_changed_file_is_read(place, monkeypatch):
    pack(place)
    first = everything(load())
    with monkeypatch.context() as patch:
        patch.setattr(bvh, "parse_bvh", lambda *_: pytest.fail("read again"))
        second = everything(load())
    assert all(torch.equal(first[name], second[name]) for name in first)
    pack(place, FILES | {"1_bow_sad_001": text_of(13)})
    assert len(next(p for n, p in everything(load()).items() if "1_bow_sad" in n)) == 21


def test_only_its_own_files_are_read_and_nothing_is_written(place, tmp_path):
    """What else an archive holds, links and paths that lead elsewhere too, is passed over."""
    link = tarfile.TarInfo(path_of("1_bow_old_001"))
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    out = tarfile.TarInfo("../../escaped.txt")
    out.size = 2
    pack(place, more=((link, b""), (out, b"hi"), (tarfile.TarInfo("LICENSE"), b"")))
    before = {p for p in tmp_path.rglob("*") if "cache" not in p.parts}
    assert {r.take for r in load(actions=["bow"]).test} <= {"1_bow_happy_001", "1_bow_sad_001"}
    assert {p for p in tmp_path.rglob("*") if "cache" not in p.parts} == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[: len(content) // 2], "bandai_namco.tar.xz: damaged"),
        (lambda _: b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (lambda _: b"<!DOCTYPE html>", "a web page"),
        (lambda _: b"", "bandai_namco.tar.xz: damaged"),
    ],
)
def test_a_damaged_archive_is_said(place, damage, said):
    pack(place)
    archive = place / bandai_namco.ARCHIVE
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(ValueError, match=said):
        load()


def test_an_archive_that_grows_without_end_is_refused(place, monkeypatch):
    monkeypatch.setattr(bandai_namco, "_MOST_BYTES", 1_000_000)
    huge = tarfile.TarInfo("zeros")
    huge.size = 2_000_000
    pack(place, {}, more=((huge, bytes(huge.size)),))
    with pytest.raises(ValueError, match=r"bandai_namco.tar.xz: damaged \(.* more memory than"):
        load()


def test_a_damaged_file_is_named(place):
    pack(place, FILES | {"1_bow_sad_001": FILES["1_bow_sad_001"][:-40]})
    with pytest.raises(ValueError, match=r"dataset-1_bow_sad_001.bvh, line \d+: .*cut off"):
        load()
    headless = [row for row in ROWS if row[0] != "Head"]
    pack(place, FILES | {"1_bow_sad_001": text_of(4, body=headless)})
    with pytest.raises(ValueError, match=r"bow_sad_001.bvh: not a skeleton of this .*joint 'Head'"):
        load()


def test_the_files_are_held_against_the_list(place):
    listed = bandai_namco.manifest()
    assert len(listed) == 924 and listed["frames"].sum() == 131_506
    pack(place)
    with pytest.raises(MissingDataError, match=r"of 924 files, 918 are missing \(1_bow_active_001"):
        bandai_namco.load()
    pack(place, dict.fromkeys(listed["name"], "not what it was"))
    with pytest.raises(ValueError, match=r"of 924 files, 924 are of another content"):
        bandai_namco.load()


def test_actions_without_files_are_missing(place):
    pack(place)
    with pytest.raises(MissingDataError, match="has no files of dash"):
        load(actions=["dash"])


# --- the real set ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """All takes, made once, their cache in a temporary folder."""
    try:
        bandai_namco.find()
    except MissingDataError:
        pytest.skip("Bandai Namco's motion data are not on this computer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield bandai_namco.all_takes()


def of(takes, *starts: str) -> list[np.ndarray]:
    """The world positions of the takes whose contents and styles are these, on both bodies."""
    wanted = [t for t in takes if any(f"{t.action}_{t.group}".startswith(s) for s in starts)]
    assert wanted
    return [replay.world for take in wanted for replay in (take.train, take.test)]


def ahead(world: np.ndarray) -> np.ndarray:
    """(T, 3): where the toes of a body should point, by its hips alone: z up, left is left."""
    across = world[:, INDEX["left_hip"]] - world[:, INDEX["right_hip"]]
    forward = np.cross(across, [0, 0, 1.0])
    return forward / np.linalg.norm(forward, axis=-1, keepdims=True)


@pytest.mark.data
def test_the_whole_set_is_there(real):
    assert len(real) == 924 and {t.action for t in real} == set(bandai_namco.ACTIONS)
    frames = sum(len(t.train.world) for t in real)
    assert frames == pytest.approx(131_506 * 5 / 3, rel=0.01)
    assert {len(t.train.world) - len(t.test.world) for t in real} == {0}


@pytest.mark.data
def test_bones_keep_the_lengths_of_their_body(real):
    for take in real:
        for body, world in (take.train, take.test):
            lengths = bone_lengths(torch.from_numpy(world), H36M_17.parents)
            expected = BODIES[body].offsets().norm(dim=-1)[1:].float()
            assert (lengths - expected).abs().max() < 2e-5, take.name


@pytest.mark.data
def test_feet_stand_on_the_floor_and_heads_are_up(real):
    for take in real:
        for body, world in (take.train, take.test):
            lowest = world[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 2].min(axis=1)
            assert np.quantile(lowest, 0.05) == pytest.approx(
                BODIES[body].ankle_height, abs=0.04
            ), take.name
            assert lowest.min() > -0.02, take.name
            assert np.median(world[:, INDEX["head_top"], 2]) > 0.7 * BODIES[body].stature


@pytest.mark.data
def test_people_who_stand_are_as_tall_as_their_body(real):
    for take in real:
        if take.group == "normal" and take.action.startswith("wave"):
            for body, world in (take.train, take.test):
                tall = np.median(world[:, INDEX["head_top"], 2])
                assert tall == pytest.approx(BODIES[body].stature, rel=0.04), take.name


@pytest.mark.data
def test_people_walk_forwards_and_backwards_and_to_their_sides(real):
    """Nobody is mirrored, which hips alone could not tell: names of the files say which way."""

    def pace(world, direction) -> float:
        step = np.gradient(world[:, 0], axis=0)
        return float((step * direction).sum(axis=-1).sum() / np.linalg.norm(step, axis=-1).sum())

    for world in of(real, "walk_normal", "run_normal"):
        assert pace(world, ahead(world)) > 0.9
    for world in of(real, "walk-back_normal"):
        assert pace(world, ahead(world)) < -0.8
    for start, sign in (("walk-left", 1), ("walk-right", -1)):  # aslant, by a quarter turn's third
        paces = []
        for world in of(real, f"{start}_"):
            across = world[:, INDEX["left_hip"]] - world[:, INDEX["right_hip"]]
            paces.append(pace(world, across / np.linalg.norm(across, axis=-1, keepdims=True)))
        assert sign * np.median(paces) > 0.3, start
    for start, sign in (("walk-turn-left", 1), ("walk-turn-right", -1)):
        for world in of(real, f"{start}_"):
            x, y, _ = np.moveaxis(ahead(world), -1, 0)
            turn = np.unwrap(np.arctan2(y, x))  # from above, to the left is counter-clockwise
            before_they_stop = int(0.8 * len(turn))
            assert sign * np.degrees(turn[before_they_stop] - turn[0]) > 45, start


@pytest.mark.data
def test_the_hand_that_is_named_is_the_one_that_is_raised(real):
    for start, side, other in (
        ("raise-up-left-hand", "left", "right"),
        ("raise-up-right-hand", "right", "left"),
        ("wave-left-hand", "left", "right"),
        ("wave-right-hand", "right", "left"),
    ):
        for world in of(real, start):
            height = {s: world[:, INDEX[f"{s}_wrist"], 2].max() for s in ("left", "right")}
            assert height[side] > height[other] + 0.1, start


@pytest.mark.data
def test_noses_are_ahead_knees_bend_forwards_and_elbows_backwards(real):
    """The built joints point where people look; hinges bend as they can."""
    for world in of(real, "walk_normal", "run_normal"):
        forward = ahead(world)
        nose = world[:, INDEX["neck_nose"]] - world[:, INDEX["thorax"]]
        assert (nose * forward).sum(axis=-1).mean() > 0.02
        for side in ("left", "right"):
            for upper, hinge, end, sign in (
                ("hip", "knee", "ankle", 1),
                ("shoulder", "elbow", "wrist", -1),
            ):
                a, b, c = (world[:, INDEX[f"{side}_{j}"]] for j in (upper, hinge, end))
                out = ((b - (a + c) / 2) * forward).sum(axis=-1).mean()
                assert sign * out > 0.01, (side, hinge)


@pytest.mark.data
def test_nobody_moves_faster_than_people_can(real):
    for take in real:
        world = take.train.world
        relative = np.linalg.norm(np.diff(world - world[:, :1], axis=0), axis=-1).max() * 50
        assert relative < 20, take.name
        assert np.linalg.norm(np.diff(world[:, 0], axis=0), axis=-1).max() * 50 < 9, take.name


@pytest.mark.data
def test_the_small_piece_loads(real):
    data = datasets.load("bandai_namco", small=True)
    assert {r.action for r in data.train} == {r.action for r in data.test} == {"walk-left", "bow"}
    assert max(len(r) / r.fps for r in data.test) >= 2
