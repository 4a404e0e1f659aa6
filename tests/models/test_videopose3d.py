"""Public VideoPose3D checkpoints give the model that their authors had, and run nothing."""

import os
import pickle
import re
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from guarded import read_guarded
from networks import randomised
from torch import nn

from paperlib.errors import CheckpointError, UnsafeFileError
from paperlib.models import LinearModel, load_videopose3d_checkpoint

CHANNELS = 8


class Public(nn.Module):
    """A network whose state has the names and shapes of the public files."""

    def __init__(self, inputs=34, outputs=51, widths=(3, 3, 3), causal=False, dense=False):
        super().__init__()
        self.expand_conv = nn.Conv1d(inputs, CHANNELS, widths[0], bias=False)
        self.expand_bn = nn.BatchNorm1d(CHANNELS)
        self.crops, convolutions, reach = [], [], widths[0]
        for width in widths[1:]:
            cut = (width - 1) * reach // 2
            kernel, dilation = (2 * cut + 1, 1) if dense else (width, reach)
            for size, apart in ((kernel, dilation), (1, 1)):
                sizes = (CHANNELS, CHANNELS, size)
                convolutions.append(nn.Conv1d(*sizes, dilation=apart, bias=False))
            self.crops.append((2 * cut, 0) if causal else (cut, cut))
            reach *= width
        self.layers_conv = nn.ModuleList(convolutions)
        self.layers_bn = nn.ModuleList(nn.BatchNorm1d(CHANNELS) for _ in convolutions)
        self.shrink = nn.Conv1d(CHANNELS, outputs, 1)
        self.reach, self.outputs = reach, outputs
        randomised(self)

    @torch.no_grad()
    def forward(self, keypoints):
        x = keypoints.flatten(2).transpose(1, 2)
        x = torch.relu(self.expand_bn(self.expand_conv(x)))
        for i, (before, after) in enumerate(self.crops):
            y = torch.relu(self.layers_bn[2 * i](self.layers_conv[2 * i](x)))
            y = torch.relu(self.layers_bn[2 * i + 1](self.layers_conv[2 * i + 1](y)))
            x = x[:, :, before : x.shape[2] - after] + y
        return self.shrink(x).transpose(1, 2).unflatten(2, (self.outputs // 3, 3))


def content(model: nn.Module, prefix: str = "", **changes) -> dict:
    """What a public file holds: an optimiser's state and a random state among it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer.step()
    model.load_state_dict(before)
    weights = model.state_dict()
    if prefix:
        weights = OrderedDict((prefix + name, value) for name, value in weights.items())
    held = {"epoch": 80, "lr": 1e-3 * 0.95**80, "random_state": np.random.RandomState(1234)}
    held |= {"optimizer": optimizer.state_dict(), "model_pos": weights}
    return held | {"model_traj": None, "random_state_semi": None} | changes


def write(path, held, zipped=True):
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def zipped(request) -> bool:
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pretrained_h36m_cpn.bin"


LAYOUTS = {
    "27 frames": {},
    **{str(widths): {"widths": widths} for widths in ((3, 3, 3, 3), (1, 1, 1), (3, 5, 3))},
    **{name: {name: True} for name in ("causal", "dense")},
    "causal and dense": {"dense": True, "causal": True},
    "with confidence": {"inputs": 51},
    "15 joints": {"inputs": 30, "outputs": 45},
    "17 COCO joints to 15": {"inputs": 34, "outputs": 45},
    "16 MPII joints to 17": {"inputs": 32},
}


@torch.no_grad()
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gives_the_poses_of_the_public_network(layout, zipped, path):
    options = LAYOUTS[layout]
    public = Public(**options)
    write(path, content(public), zipped)
    said = {name: True for name in ("causal", "dense") if name in options}
    model = load_videopose3d_checkpoint(path, **said)
    inputs = options.get("inputs", 34)
    features = 3 if inputs == 51 else 2
    assert (model.receptive_field, model.training) == (public.reach, False)
    assert model.config["dense"] == options.get("dense", False)
    assert model.config["filter_widths"] == options.get("widths", (3, 3, 3))
    for frames in (public.reach, public.reach + 5):
        keypoints = torch.randn(2, frames, inputs // features, features)
        torch.testing.assert_close(model(keypoints), public(keypoints), rtol=1e-5, atol=1e-5)


# dilated widths, and those of a dense model of the same kernels
TWINS = [((3, 7), (3, 3)), ((3, 7, 19), (3, 3, 3)), ((1, 3, 7), (1, 3, 3)), ((3, 1, 7), (3, 1, 3))]


@torch.no_grad()
@pytest.mark.parametrize("dense", [False, True], ids=["dilated", "dense"])
@pytest.mark.parametrize("twins", TWINS, ids=str)
def test_weights_of_two_models_are_read_as_is_said(twins, dense, path):
    public = Public(widths=twins[dense], dense=dense)
    write(path, content(public))
    keypoints = torch.randn(2, public.reach + 2, 17, 2)
    said = (
        {"widths": list(twins[dense])},
        {"dense": dense},
        {"widths": twins[dense], "dense": dense},
    )
    for words in said:
        model = load_videopose3d_checkpoint(path, **words)
        assert (model.receptive_field, model.dense) == (public.reach, dense)
        torch.testing.assert_close(model(keypoints), public(keypoints), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("twins", TWINS, ids=str)
def test_weights_of_two_models_of_which_nothing_is_said(twins, path):
    write(path, content(Public(widths=twins[0])))
    widths, apart = (",".join(map(str, w)) for w in twins)
    said = f"{path.name}: taken for.* dense layers of widths {apart}, but.* dilated.* {widths};"
    with pytest.warns(UserWarning, match=said) as caught:
        model = load_videopose3d_checkpoint(path)
    assert caught[0].filename == __file__
    assert (model.config["filter_widths"], model.dense) == (twins[1], True)


@torch.no_grad()
@pytest.mark.parametrize("widths", [(5,), (1, 1, 1), (1, 3), (1, 1, 5)], ids=str)
def test_a_dense_model_that_computes_the_same_needs_no_word(widths, path):
    public = Public(widths=widths)
    write(path, content(public))
    keypoints = torch.randn(2, public.reach + 2, 17, 2)
    for said in ({}, {"dense": True}, {"dense": False}):
        model = load_videopose3d_checkpoint(path, **said)
        assert (model.config["filter_widths"], model.dense) == (widths, said.get("dense", False))
        torch.testing.assert_close(model(keypoints), public(keypoints), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_weights_saved_from_several_gpus(zipped, path):
    public = Public()
    model = load_videopose3d_checkpoint(write(path, content(public, prefix="module."), zipped))
    keypoints = torch.randn(1, 30, 17, 2)
    torch.testing.assert_close(model(keypoints), public(keypoints), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_the_trajectory_network(path):
    pose, trajectory = Public(), Public(outputs=3)
    write(path, content(pose, model_traj=trajectory.state_dict()))
    model = load_videopose3d_checkpoint(path, part="model_traj")
    keypoints = torch.randn(1, 30, 17, 2)
    assert model(keypoints).shape == (1, 4, 1, 3)
    torch.testing.assert_close(model(keypoints), trajectory(keypoints), rtol=1e-5, atol=1e-5)


def test_no_trajectory_network(path):
    with pytest.raises(CheckpointError, match="model_traj"):
        load_videopose3d_checkpoint(write(path, content(Public())), part="model_traj")


def test_weights_of_other_precision_or_without_counters(path):
    """Files of old versions of PyTorch do not count batches."""
    weights = {k: v for k, v in Public().state_dict().items() if "num_batches" not in k}
    model = load_videopose3d_checkpoint(write(path, content(Public(), model_pos=weights)))
    assert torch.equal(model.shrink.bias, weights["shrink.bias"])


# ---- what is refused -----------------------------------------------------------------------------


class Hostile:
    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("place", ["random_state", "optimizer", "model_pos", "lr"])
def test_a_hostile_file_is_refused_and_nothing_runs(place, zipped, path, tmp_path):
    held = content(Public()) | {place: Hostile(tmp_path / "ran")}
    write(path, held, zipped)
    with pytest.raises(UnsafeFileError, match=path.name):
        load_videopose3d_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_a_bare_pickle_is_refused_and_nothing_runs(path, tmp_path):
    path.write_bytes(pickle.dumps({"model_pos": Hostile(tmp_path / "ran")}, 2))
    with pytest.raises(ValueError, match=path.name):
        load_videopose3d_checkpoint(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.35, 0.5, 0.8, 0.95, 0.999])
def test_a_truncated_file_is_said_to_be_cut_off(share, zipped, path):
    whole = write(path, content(Public()), zipped).read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CheckpointError, match=path.name):
        load_videopose3d_checkpoint(path)


def test_a_file_cut_off_anywhere_is_refused_by_name(zipped, path):
    """Where the name of an object is cut in two, it may be taken for an object not allowed."""
    whole = write(path, content(Public()), zipped).read_bytes()
    for size in range(0, len(whole), len(whole) // 100):
        path.write_bytes(whole[:size])
        with pytest.raises((CheckpointError, UnsafeFileError), match=path.name):
            load_videopose3d_checkpoint(path)


def test_no_message_advises_to_read_an_unsafe_file(path, tmp_path):
    write(path, content(Public()) | {"lr": Hostile(tmp_path / "ran")})
    with pytest.raises(UnsafeFileError, match="mkdir") as error:
        load_videopose3d_checkpoint(path)
    assert "weights_only" not in str(error.value)
    assert "\x1b" not in str(error.value)


def test_a_missing_file_and_something_else_are_named(path):
    with pytest.raises(FileNotFoundError, match=path.name):
        load_videopose3d_checkpoint(path)
    path.write_text("\n<HTML>404: not found</HTML>" * 50)
    with pytest.raises(CheckpointError, match=f"{path.name}: a web page, not the file"):
        load_videopose3d_checkpoint(path)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 67895\n")
    with pytest.raises(CheckpointError, match=f"{path.name}: a Git LFS pointer.*git lfs pull"):
        load_videopose3d_checkpoint(path)


def without(weights: dict, part: str) -> dict:
    return {name: value for name, value in weights.items() if not name.startswith(part)}


def others() -> dict[str, dict]:
    weights = dict(Public().state_dict())
    fifty = {"shrink.weight": torch.zeros(50, CHANNELS, 1), "shrink.bias": torch.zeros(50)}
    texts = ("layers_conv.1.weight", "expand_conv.weight", "expand_bn.bias")
    parts = ("expand_conv", "shrink.weight", "shrink.bias", "layers_bn", "layers_conv.3")
    return {
        **{f"no {part}": without(weights, part) for part in parts},
        "one layer more": weights | {"refine.weight": torch.zeros(3)},
        "linear": dict(LinearModel(17, 2, 17, channels=CHANNELS).state_dict()),
        "flat first layer": weights | {"expand_conv.weight": torch.zeros(CHANNELS, 34)},
        "flat pointwise layer": weights | {"layers_conv.1.weight": torch.zeros(CHANNELS, CHANNELS)},
        **{f"text for {n}": weights | {n: "none"} for n in texts},
        "other channels": weights | {"layers_conv.0.weight": torch.zeros(5, 5, 3)},
        "unknown joints": weights | {"expand_conv.weight": torch.zeros(CHANNELS, 37, 3)},
        "outputs of no joints": weights | fifty,
        "even kernels": weights | {"layers_conv.0.weight": torch.zeros(CHANNELS, CHANNELS, 2)},
        "nothing": {},
    }


@pytest.mark.parametrize("other", others())
def test_another_architecture_is_refused(other, path):
    write(path, content(Public(), model_pos=others()[other]))
    with pytest.raises(CheckpointError, match=path.name):
        load_videopose3d_checkpoint(path)


@pytest.mark.parametrize(
    ("of", "said", "answer"),
    [
        (
            (3, 7),
            {"widths": (3, 3, 3)},
            "widths 3,7 or dense .* 3,3, not of layers of widths 3,3,3",
        ),
        ((3, 7), {"widths": (3, 7), "dense": True}, "not of dense layers of widths 3,7"),
        ((3, 7), {"widths": (3, 3), "dense": False}, "not of dilated layers of widths 3,3"),
        ((3, 5), {"dense": True}, "are of dilated layers of widths 3,5, not of dense layers"),
        ((3, 5), {"widths": (5, 3)}, "not of layers of widths 5,3"),
    ],
)
def test_another_model_than_was_asked_for_is_refused(of, said, answer, path):
    write(path, content(Public(widths=of)))
    with pytest.raises(CheckpointError, match=rf"{path.name}: the weights .*{answer}$"):
        load_videopose3d_checkpoint(path, **said)


@pytest.mark.parametrize("said", [{"widths": (3, 2)}, {"widths": "3,3"}, {"dense": "yes"}], ids=str)
def test_words_that_say_no_model_are_refused(said, path):
    write(path, content(Public()))
    with pytest.raises(ValueError, match="must be") as error:
        load_videopose3d_checkpoint(path, **said)
    assert not isinstance(error.value, CheckpointError)


@pytest.mark.parametrize("held", [{"epoch": 3}, {"model_pos": None}, [1, 2], torch.zeros(3)])
def test_a_file_without_a_pose_model_is_refused(held, path):
    with pytest.raises(CheckpointError, match="model_pos"):
        load_videopose3d_checkpoint(write(path, held))


# ---- weights that no model should get ------------------------------------------------------------


def refused() -> dict[str, tuple[dict, str]]:
    weights = dict(Public().state_dict())
    name, first = "expand_conv.weight", weights["expand_conv.weight"]
    second = "layers_conv.0.weight"
    far = first.double().index_put((torch.tensor(0),) * 3, torch.tensor(1e300).double())
    return {
        "NaN": (weights | {name: first * torch.nan}, f"{name} holds NaN"),
        "infinity": (weights | {"shrink.bias": torch.full((51,), -torch.inf)}, "shrink.bias holds"),
        "too large for single precision": (weights | {name: far}, f"{name} holds NaN or infinite"),
        "a variance below 0": (
            weights | {"expand_bn.running_var": -torch.ones(CHANNELS)},
            r"expand_bn\.running_var is a variance and below 0",
        ),
        "expanded": (
            weights | {name: torch.ones(1).expand(20_000, 34, 3)},
            f"{name} is not stored as a dense",
        ),
        "part of another": (
            weights | {name: torch.ones(CHANNELS, 34, 6)[..., :3]},
            f"{name} is not stored as a dense",
        ),
        "one storage for all": (
            weights | {f"layers_conv.{i}.weight": weights[second] for i in (0, 2)},
            "several weights are the same numbers",
        ),
        "keys that are numbers": (weights | {3: first}, "something else than tensors by name"),
        "dictionaries within": (weights | {"more": {"a": first}}, "something else than tensors"),
        "a list": (weights | {"more": [first]}, "something else than tensors"),
    }


@pytest.mark.parametrize("case", refused())
def test_weights_are_checked_before_there_is_a_model(case, zipped, path, monkeypatch):
    held, said = refused()[case]
    write(path, content(Public(), model_pos=held), zipped)
    monkeypatch.setattr("paperlib.models.videopose3d.TemporalModel", None)  # cannot be built
    with pytest.raises(CheckpointError, match=f"{path.name}.*({said})"):
        load_videopose3d_checkpoint(path)


def test_permuted_weights_are_the_same_weights(zipped, path):
    public = Public()
    weights = dict(public.state_dict())
    name = "layers_conv.0.weight"
    weights[name] = weights[name].permute(2, 0, 1).contiguous().permute(1, 2, 0)
    model = load_videopose3d_checkpoint(write(path, content(public, model_pos=weights), zipped))
    plain = load_videopose3d_checkpoint(write(path, content(public), zipped))
    assert not weights[name].is_contiguous()
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one, other)


def wide(path):
    """2 MB, of which a model of 20,000 channels would be made: 10 GB."""
    weights = dict(Public().state_dict()) | {"expand_conv.weight": torch.zeros(20_000, 34, 1)}
    write(path, content(Public(), model_pos=weights))


def with_pickle(path, data: bytes):
    """A zipped file whose content is what these operations make."""
    write(path, content(Public()))
    with zipfile.ZipFile(path) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, held in members.items():
            new.writestr(name, data if name.endswith("/data.pkl") else held)


def with_larger_storage(path):
    """Of which a tensor would show memory that is not of the file."""
    write(path, content(Public()))
    with zipfile.ZipFile(path) as old:
        data = next(old.read(name) for name in old.namelist() if name.endswith("/data.pkl"))
    count = struct.pack("<H", 34 * 3 * CHANNELS)
    assert b"M" + count + b"t" in data
    with_pickle(path, data.replace(b"M" + count + b"t", b"J\xff\xff\xff\x0ft"))


DEEP_KEY = b"})" + b"\x85" * 400_000 + b"K\x01s"
HOSTILE = {
    "wide": (wide, "its weights are not of the model that it names: "),
    "a deep key": (
        lambda path: with_pickle(path, b"\x80\x02" + DEEP_KEY + b"."),
        "a tuple is a key",
    ),
    "a deep key in the older format": (
        lambda path: path.write_bytes(b"\x80\x02" + DEEP_KEY + b"."),
        "a tuple is a key",
    ),
    "a large memo": (
        lambda path: with_pickle(path, b"\x80\x02}r\xff\xff\xff\x7f."),
        "'model_pos' is missing",
    ),
    "a storage that is not there": (with_larger_storage, "3264 bytes for 268435455 numbers"),
}


def test_hostile_files_are_refused_by_a_process_that_lives_on(tmp_path):
    paths = {case: tmp_path / f"{number}.bin" for number, case in enumerate(HOSTILE)}
    for case, path in paths.items():
        HOSTILE[case][0](path)
    found = read_guarded("paperlib.models", "load_videopose3d_checkpoint", list(paths.values()))
    for case, path in paths.items():
        said, megabytes = found[path]
        expected = rf"CheckpointError: {path.name}: .*{HOSTILE[case][1]}.*"
        assert re.fullmatch(expected, said), (case, said)
        assert megabytes < 60, case
