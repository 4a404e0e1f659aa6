"""The CMU data set: caches and messages on small files made here, and the real set as a whole."""

import hashlib
import math
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from samples import same

from paperlib import datasets
from paperlib.cameras import camera_to_world
from paperlib.datasets import cmu, expmap
from paperlib.datasets.filming import share_in_view
from paperlib.errors import MissingDataError
from paperlib.kinematics import bone_lengths, rotation_about
from paperlib.recordings import count_frames
from paperlib.skeletons import CMU_38, H36M_17


def text_of(frames: int, root=(0.0, 0.0, 0.0), yaw: float = 0.0) -> str:
    """A body without rotation that drifts along x, its T-pose line first."""
    rows = []
    for t in range(-1, frames):
        numbers = [root[0] + 0.05 * max(t, 0), root[1], root[2], 0.0, -yaw, 0.0] + [0.0] * 111
        rows.append(",".join(map(str, numbers)))
    return "\n".join(rows) + "\n"


FILES = {
    "train/walking/walking_1": text_of(25),
    "train/running/running_1": text_of(37, root=(3, 4, 5)),
    "test/walking/walking_1": text_of(13, yaw=0.3),
}


LISTED: dict[str, str] = {}  # the SHA-256 of each file of the data set


def write(folder, files=FILES):
    for name, text in files.items():
        LISTED[name] = hashlib.sha256(text.encode()).hexdigest()
        path = folder / "cmu_mocap" / "cmu_expmap" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with three small files, and an empty cache. What is written is the data set."""
    LISTED.clear()
    monkeypatch.setattr(
        cmu,
        "manifest",
        lambda: pd.DataFrame(
            [(f"cmu_expmap/{name}.txt", sha) for name, sha in LISTED.items()],
            columns=["path_in_archive", "sha256"],
        ),
    )
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "data")
    return tmp_path


def pack(folder):
    """Puts the files into an archive; gives the folder where they were."""
    files = folder / "cmu_expmap"
    shutil.make_archive(files, "xztar", folder, files.name)
    shutil.rmtree(files)
    return files


def caches(folder) -> set[str]:
    return {path.name for path in (folder / "cache").glob("*")}


def by_name(dataset) -> dict[str, torch.Tensor]:
    return {r.name: r.positions for r in (*dataset.train, *dataset.test)}


# --- on small files --------------------------------------------------------------------------


def test_files_are_split_by_folder_and_filmed_by_four_cameras_at_50_hz(small):
    data = cmu.load()
    assert {r.clip for r in data.train} == {"walking_1", "running_1"}
    assert all(r.clip == f"{r.action}_1" for r in data.train)
    assert [(r.action, len(r), r.fps) for r in data.test] == [("walking", 6, 50.0)] * 4
    assert {len(r) for r in data.train} == {11, 16}
    assert len({r.camera.name for r in data.test}) == 4
    assert data.name == "cmu" and data.skeleton is H36M_17


def test_actions_can_be_chosen(small):
    data = cmu.load(actions=["running"])
    assert {r.action for r in data.train} == {"running"} and not data.test
    both = ("walking", "running")
    assert {r.action for r in cmu.load(actions=(a for a in both)).train} == set(both)


def test_an_unknown_action_is_named_with_the_choices(small):
    with pytest.raises(ValueError, match=r"unknown action 'walkin'.*'running'.*'walking'"):
        cmu.load(actions=["running", "walkin"])


def test_the_second_time_nothing_is_computed(small, monkeypatch):
    first = by_name(cmu.load())
    assert len(caches(small)) == 1

    def never(*_):
        raise AssertionError("read again")

    monkeypatch.setattr(expmap, "parse_expmap", never)
    assert same(first, by_name(cmu.load()))


def test_a_changed_file_is_read_anew(small):
    before = by_name(cmu.load())
    write(small / "data", {"train/walking/walking_1": text_of(25, yaw=0.5)})
    after = by_name(cmu.load())
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    trained = {r.name for r in cmu.load().train}
    assert changed and all("walking_1" in n and n in trained for n in changed)
    assert len(caches(small)) == 2


def test_a_file_moved_from_train_to_test_is_read_anew(tmp_path, monkeypatch):
    """The same content under another folder is another data set."""
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    splits = {}
    for part in ("train", "test"):
        write(tmp_path / part, {f"{part}/walking/walking_1": text_of(13)})
        monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / part))
        data = cmu.load(as_found=True)
        splits[part] = (len(data.train), len(data.test))
    assert splits == {"train": (4, 0), "test": (0, 4)}


def test_without_the_correction_other_positions_are_cached(small):
    write(small / "data", {"test/walking/walking_2": text_of(13, yaw=2.0)})
    mended, published = by_name(cmu.load()), by_name(cmu.load(root_correction=False))
    assert len(caches(small)) == 2
    assert mended.keys() == published.keys()
    assert same(mended, by_name(cmu.load()))


def test_a_cache_that_could_not_be_written_leaves_nothing(small, monkeypatch):
    def full(file, **_):
        file.write(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(OSError, match="disk full"):
            cmu.load()
        assert caches(small) == set()
    assert len(cmu.load().train) == 8


def test_a_damaged_file_is_named(small):
    write(small / "data", {"train/running/running_1": text_of(9)[:-30]})
    with pytest.raises(ValueError, match=r"train/running/running_1: .*fetch the file again"):
        cmu.load()
    assert caches(small) == set()


def test_training_and_test_bodies_are_different_people(small):
    many = {f"train/walking/walking_{n}": text_of(4) for n in range(1, 8)}
    many |= {f"test/walking/walking_{n}": text_of(4) for n in range(1, 5)}
    write(small / "data", many)
    data = cmu.load()
    train, test = ({r.subject for r in part} for part in (data.train, data.test))
    assert len(train) == 5 and len(test) == 2 and not train & test


def test_a_build_scales_each_part_of_the_body_by_its_own_factor():
    plain = cmu.build_offsets(cmu.Build("plain")).norm(dim=-1)
    torch.testing.assert_close(plain, expmap.rest_offsets().norm(dim=-1))
    build = cmu.Build("odd", legs=1.1, trunk=1.2, arms=1.3, width=1.4)
    sizes = cmu.build_offsets(build).norm(dim=-1)
    factor = {n: float(sizes[j] / plain[j]) for j, n in enumerate(CMU_38.joints) if plain[j] > 0}
    for side in ("left", "right"):
        expected = {"up_leg": 1.4, "leg": 1.1, "foot": 1.1}
        expected |= {"arm": 1.4, "fore_arm": 1.3, "hand": 1.3}
        got = {part: factor[f"{side}_{part}"] for part in expected}
        assert got == pytest.approx(expected), side
    assert factor["spine"] == factor["head"] == factor["head_end"] == pytest.approx(1.2)


def test_a_body_with_shorter_legs_covers_less_ground(small):
    """The second training file is replayed by the second body; the files drift alike."""
    steps = {}
    for r in cmu.load().train:
        if r.camera.name == "cam0":
            steps[r.subject] = float(in_world(r)[:, 0].diff(dim=0).norm(dim=-1).mean())
    whole = 0.05 * 2.4 * 0.0564444
    assert steps == pytest.approx({"body1": whole, "body2": whole * 0.92}, rel=1e-3)


def test_a_body_on_stage_is_turned_centred_and_put_on_the_floor():
    generator = torch.Generator().manual_seed(2)
    world = torch.rand(40, 17, 3, generator=generator, dtype=torch.float64) * 3 + 5
    world[:, 1:] = world[:, :1] + torch.rand(40, 16, 3, generator=generator).double() - 0.5
    yaw = 0.7
    got = cmu.onto_stage(world, yaw)
    torch.testing.assert_close(got[:, 0, :2].amin(dim=0), -got[:, 0, :2].amax(dim=0))
    ankles = got[:, [3, 6], 2].amin(dim=1)
    assert ankles.quantile(0.05) == pytest.approx(0.08, abs=1e-9)
    moved = got - world @ rotation_about("z", torch.tensor(yaw).double()).T
    assert (moved - moved[:1, :1]).abs().max() < 1e-6
    x, y, z = (world[0, 5] - world[0, 0]).tolist()
    c, s = math.cos(yaw), math.sin(yaw)
    back = (got[0, 5] - got[0, 0]).tolist()
    assert back == pytest.approx([c * x - s * y, s * x + c * y, z], abs=1e-6)


# --- held against the list of the data set -----------------------------------------------------


def damage(small, kind: str) -> Path:
    """Takes a file away, changes one, or adds one; gives the file."""
    place = small / "data" / "cmu_mocap" / "cmu_expmap"
    file = place / "train" / "running" / "running_1.txt"
    if kind == "missing":
        file.unlink()
    elif kind == "changed":
        file.write_text(text_of(60))
    else:
        file = file.with_name("running_9.txt")
        file.write_text(text_of(9))
    return file


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", r"of 3 files, 1 are missing \(train/running/running_1\)"),
        ("changed", r"of 3 files, 1 are of another content \(train/running/running_1\)"),
        ("added", r"of 3 files, 1 are not of the data set \(train/running/running_9\)"),
    ],
)
def test_what_is_not_the_data_set_is_refused_unless_it_is_meant(small, kind, said, packed):
    whole = by_name(cmu.load())
    damage(small, kind)
    if packed:
        pack(small / "data" / "cmu_mocap")
    for _ in range(2):  # before something is cached, and after
        with pytest.raises(MissingDataError if kind == "missing" else ValueError, match=said) as e:
            cmu.load()
        for word in ("data", "`make cmu`", "python -m paperlib data cmu", "as_found=True"):
            assert word in str(e.value)
        found = cmu.load(as_found=True)
        assert "files as found, not held against the list" in found.source
        assert found.name == "cmu-as_found"
        assert not same(by_name(found), whole)


def test_the_whole_set_as_found_is_the_whole_set(small):
    assert same(by_name(cmu.load()), by_name(cmu.load(as_found=True)))
    assert "as found" not in cmu.load().source


def test_what_an_earlier_version_cached_of_some_files_is_not_the_data_set(small):
    cmu.load()
    (cache,) = (small / "cache").iterdir()
    with np.load(cache) as archive:
        some = {name: archive[name] for name in archive.files if name.startswith("train")}
    with cache.open("wb") as file:
        np.savez(file, **some)
    with pytest.raises(MissingDataError, match=r"1 are missing \(test/walking/walking_1\)"):
        cmu.load()


def test_an_archive_without_files_is_refused(small):
    archive = small / "data" / "cmu_mocap" / cmu.ARCHIVE
    shutil.rmtree(archive.with_name("cmu_expmap"))
    with tarfile.open(archive, "w:xz"):
        pass
    with pytest.raises(MissingDataError, match=r"of 3 files, 3 are missing"):
        cmu.load()
    with pytest.raises(MissingDataError, match=r"no files of walking, .*`make cmu`"):
        cmu.load(as_found=True)


def test_actions_that_the_files_lack_are_said(small):
    with pytest.raises(MissingDataError, match=r"no files of soccer\. `make cmu`"):
        cmu.load(actions="soccer")
    with pytest.raises(ValueError, match="no action chosen"):
        cmu.load(actions=[])


@pytest.mark.parametrize("name", ["val/walking/walking_1", "train/waltz/waltz_1"])
def test_files_as_found_stand_where_files_of_the_data_set_do(small, name):
    write(small / "data", {name: text_of(9)})
    with pytest.raises(ValueError, match=rf"^{name}: expected \{{train,test\}}/<action>/<clip>"):
        cmu.load(as_found=True)


BROKEN = {
    "nothing": (lambda whole: b"", "damaged"),
    "half": (lambda whole: whole[: len(whole) // 2], "damaged"),
    "a flipped bit": (lambda whole: whole[:500] + bytes([whole[500] ^ 8]) + whole[501:], "damaged"),
    "no archive": (lambda whole: bytes(range(256)) * 9, "damaged"),
    "a page": (lambda whole: b"<!DOCTYPE html><html></html>", "a web page, not the file"),
    "a pointer": (lambda whole: b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
}


@pytest.mark.parametrize(("broken", "said"), BROKEN.values(), ids=BROKEN)
def test_a_damaged_archive_is_named_with_what_to_do(small, broken, said):
    pack(small / "data" / "cmu_mocap")
    archive = small / "data" / "cmu_mocap" / cmu.ARCHIVE
    archive.write_bytes(broken(archive.read_bytes()))
    match = rf"cmu_expmap\.tar\.xz: {said}.*delete it: `make cmu` .*fetches its files"
    with pytest.raises(ValueError, match=match):
        cmu.load()
    assert caches(small) == set()
    write(small / "data")  # as `make cmu` does
    assert len(cmu.load().train) == 8


def wrong_cache(file: Path, **arrays) -> None:
    with file.open("wb") as stream:
        np.savez(stream, **arrays)


NAME = "train/walking/walking_1/body1"
CACHES = {
    "nothing": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "a flipped bit": lambda file: file.write_bytes(
        bytes(b ^ (i == 3000) for i, b in enumerate(file.read_bytes()))
    ),
    "noise": lambda file: file.write_bytes(bytes(range(256)) * 9),
    "another shape": lambda file: wrong_cache(file, **{NAME: np.zeros((4, 16, 3), np.float32)}),
    "another dtype": lambda file: wrong_cache(file, **{NAME: np.zeros((4, 17, 3))}),
    "objects": lambda file: wrong_cache(file, **{NAME: np.array([None] * 3)}),
    "NaN": lambda file: wrong_cache(file, **{NAME: np.full((4, 17, 3), np.nan, np.float32)}),
    "another name": lambda file: wrong_cache(file, walking=np.zeros((4, 17, 3), np.float32)),
}


@pytest.mark.parametrize("damage", CACHES.values(), ids=CACHES)
def test_a_cache_that_cannot_be_read_is_made_anew_and_a_line_says_so(small, capsys, damage):
    whole = by_name(cmu.load())
    (cache,) = (small / "cache").iterdir()
    kept = cache.read_bytes()
    damage(cache)
    capsys.readouterr()
    assert same(by_name(cmu.load()), whole)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"$PAPERLIB_CACHE/{cache.name} cannot be read and is made anew: ")
    assert str(small) not in line
    assert same(by_name(cmu.load()), whole) and capsys.readouterr().err == ""
    assert len(cache.read_bytes()) == len(kept) and caches(small) == {cache.name}


# --- the original format -------------------------------------------------------------------------


def test_trials_in_the_original_format_are_added_where_asked(small):
    plain = cmu.load(include_asf_amc=True)  # there are none: nothing is added
    assert {r.action for r in plain.train} == {"walking", "running"}


def test_the_frame_rates_of_trials_are_about_trials(small):
    with pytest.raises(ValueError, match="include_asf_amc=True"):
        cmu.load(asf_amc_fps={"05_06": 120.0})
    with pytest.raises(ValueError, match=r"unknown trial '05_06'"):
        cmu.load(include_asf_amc=True, asf_amc_fps={"05_06": 120.0})


def test_a_download_that_was_broken_off_is_not_taken_for_the_data_set(folder):
    """An empty folder is no data."""
    (folder.parent / "cmu_mocap" / "cmu_expmap" / "train").mkdir(parents=True)
    with pytest.raises(MissingDataError):
        cmu.find()


def test_an_empty_folder_beside_the_archive_does_not_hide_it(small, monkeypatch):
    """What was cached under the archive's key must be what the archive holds."""
    pack(small / "data" / "cmu_mocap").mkdir()
    assert len(cmu.load().train) == 8


def test_an_archive_gives_what_its_files_give(small):
    unpacked = by_name(cmu.load())
    pack(small / "data" / "cmu_mocap")
    assert same(unpacked, by_name(cmu.load()))


# --- choosing a data set by name -------------------------------------------------------------


def test_an_unknown_data_set_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"'auto', 'synthetic', 'cmu', 'human36m'.*mean 'cmu'"):
        datasets.load("cmuu")
    with pytest.raises(ValueError, match="unknown dataset"):
        datasets.resolve("")


def test_auto_takes_cmu_where_it_is(small):
    assert datasets.resolve("auto") == "cmu"
    assert datasets.load("auto", actions=["walking"]).name == "cmu"


def test_without_other_data_auto_takes_the_embedded_and_names_stand_for_themselves(folder):
    assert datasets.resolve("auto") == "synthetic"
    assert datasets.load("auto", small=True).name == "synthetic"
    names = ["synthetic", "cmu", "human36m", "bandai_namco", "mocap"]
    assert [datasets.resolve(name) for name in datasets.NAMES] == names


def test_a_small_piece_can_be_changed_by_options(small):
    write(small / "data", {"test/soccer/soccer_1": text_of(5)})
    assert {r.action for r in datasets.load("cmu", small=True).train} == {"running"}
    chosen = datasets.load("cmu", small=True, actions=["walking"])
    assert {r.action for r in chosen.train} == {"walking"}


# --- the real set ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The whole set, loaded once, its cache in a temporary folder."""
    try:
        cmu.find()
    except MissingDataError:
        pytest.skip("CMU motion capture is not on this computer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield cmu.load()


def in_world(recording) -> torch.Tensor:
    return camera_to_world(recording.positions, recording.camera)


def clips(recordings) -> dict[tuple[str, str], torch.Tensor]:
    """One view of each clip, in world space."""
    return {(r.action, r.clip): in_world(r) for r in recordings if r.camera.name == "cam0"}


@pytest.mark.data
def test_the_whole_set_is_there(real):
    assert len(real.train) == 72 * 4 and len(real.test) == 24 * 4
    assert {r.fps for r in (*real.train, *real.test)} == {50.0}
    # 120 to 50 frames a second; at most one frame a file is lost
    assert count_frames(real.train) / 4 == pytest.approx(53703 / 2.4, abs=72)
    assert count_frames(real.test) / 4 == pytest.approx(14071 / 2.4, abs=24)
    assert {r.action for r in real.train} == set(cmu.ACTIONS) - {"washwindow"}
    absent = {"basketball_signal", "directing_traffic"}
    assert {r.action for r in real.test} == set(cmu.ACTIONS) - absent
    assert "performers unknown" in real.source


def leg_length(recording) -> float:
    lengths = bone_lengths(recording.positions[:50], H36M_17.parents)
    return float((lengths[:, 4 - 0] + lengths[:, 5]).mean())


@pytest.mark.data
def test_people_of_different_statures_train_and_test(real):
    legs = {}
    for part in ("train", "test"):
        found: dict[str, list[float]] = {}
        for r in real.split(part):
            found.setdefault(r.subject, []).append(leg_length(r))
        for subject, values in found.items():
            assert max(values) - min(values) < 1e-3, subject
        legs[part] = {subject: np.mean(values) for subject, values in found.items()}
    assert len(legs["train"]) == 5 and len(legs["test"]) == 2
    assert not set(legs["train"]) & set(legs["test"])
    everyone = sorted([*legs["train"].values(), *legs["test"].values()])
    assert 0.7 < everyone[0] < everyone[-1] < 1.0
    assert min(np.diff(everyone)) > 0.005  # nobody is anybody else
    # tests ask for no one taller or shorter than who was learnt from
    assert min(legs["train"].values()) < min(legs["test"].values())
    assert max(legs["train"].values()) > max(legs["test"].values())


@pytest.mark.data
def test_joints_are_mostly_in_view(real):
    shares = [share_in_view(r) for r in (*real.train, *real.test)]
    assert np.mean(shares) > 0.97 and min(shares) > 0.5


@pytest.mark.data
def test_feet_stand_on_the_floor(real):
    for part in (real.train, real.test):
        for name, world in clips(part).items():
            lowest = world[:, [3, 6], 2].amin(dim=1)
            assert float(lowest.quantile(0.05)) == pytest.approx(0.08, abs=1e-3), name
            assert float(lowest.amin()) > -0.12, name


@pytest.mark.data
def test_nobody_tips_over(real):
    for part in (real.train, real.test):
        for (action, clip), world in clips(part).items():
            if action in ("walking", "walking_extra", "running", "directing_traffic"):
                trunk = world[:, H36M_17.index("thorax")] - world[:, 0]
                upright = trunk[:, 2] / trunk.norm(dim=-1)
                assert upright.min() > 0.7, clip


@pytest.mark.data
def test_the_arm_that_jumps_was_cut_off(real):
    (world,) = (w for (_, clip), w in clips(real.train).items() if clip == "walking_27")
    relative = world - world[:, :1]
    assert relative.diff(dim=0).norm(dim=-1).max() < 0.2


@pytest.mark.data
def test_nobody_moves_faster_than_people_can(real):
    """The root's turn and the limbs, frame to frame: at most 12 m/s against the pelvis."""
    fast = {}
    for part in (real.train, real.test):
        for (_, clip), world in clips(part).items():
            speed = (world - world[:, :1]).diff(dim=0).norm(dim=-1).max() * 50
            if speed > 15:
                fast[clip] = float(speed)
    assert fast == {}


@pytest.mark.data
def test_headings_are_spread(real):
    """Each file has a heading of its own: not all people walk the same way."""
    headings = []
    for world in clips((*real.train, *real.test)).values():
        across = world[0, H36M_17.index("left_hip")] - world[0, H36M_17.index("right_hip")]
        headings.append(math.atan2(across[1], across[0]))
    quarters = np.histogram(headings, bins=8, range=(-math.pi, math.pi))[0]
    assert quarters.min() >= 4


@pytest.mark.data
def test_loading_is_deterministic_and_the_cache_changes_nothing(real, tmp_path, monkeypatch):
    wanted = ("running", "soccer")
    kept = [r for r in real.train if r.action in wanted]
    # from the cache, by another choice of actions
    for a, b in zip(kept, cmu.load(actions=wanted).train, strict=True):
        assert a.name == b.name and torch.equal(a.positions, b.positions)
        assert torch.equal(a.keypoints, b.keypoints)


@pytest.mark.data
def test_real_trials_are_added_to_the_training_part(real):
    if not (cmu.find() / "asf_amc").is_dir():
        pytest.skip("no trials in the original format here")
    data = cmu.load(actions=["running"], include_asf_amc=True)
    added = [r for r in data.train if r.action == "acrobatics"]
    assert {r.clip for r in added} >= {"05_06", "88_01"} and len(added) == 4 * 8
    assert not [r for r in data.test if r.action == "acrobatics"]
    assert {r.subject for r in added} == {"subject05", "subject88", "subject90"}
    assert {r.fps for r in added} == {50.0}
    lengths = {r.clip: len(r) for r in added}
    assert lengths["90_05"] == math.floor(512 / 2.4) + 1
    assert lengths["90_08"] == math.floor(336 / 1.2) + 1  # 60 frames a second
    slow = cmu.load(actions="running", include_asf_amc=True, asf_amc_fps={"90_05": 60.0})
    assert {len(r) for r in slow.train if r.clip == "90_05"} == {math.floor(512 / 1.2) + 1}
