"""Every model is known by the name of its class, and built again from its config."""

import inspect
import json

import pytest
import torch
from networks import randomised

from paperlib import models
from paperlib.errors import CheckpointError
from paperlib.models import MODELS, build
from paperlib.skeletons import H36M_17

EXAMPLES = {
    "LinearModel": (17, 2, 16, 8, 1, 0.25),
    "LSTMModel": (17, 2, 16, 20, 8, 0.25),
    "TemporalModel": (17, 2, 16, (3, 5), True, 0.1, 8, True),
    "PoseAndTrajectory": (17, 2, 16),
    "SharedPoseAndTrajectory": (17, 2, 16),
    "TemporalPoseNet": (14, 17, (3, 3), 2),
    "OcclusionAware": (17, 3, 16, (3, 3), "one", "soft", 0.3, True, 0.5, 8, "root", 1),
    "MultiStrideTCN": (17, 3, 16, (1, 3), 20, {"size": 8, "crop": "frame"}, 12, 8, 1),
    "HighResolutionNet": (17, 4, 2, 1),
    "GeneratorAndDiscriminator": ("TemporalModel", H36M_17.parents, True, (1, 3)),
    "RecurrentForecaster": (17, 8),
    "IntegralRegression": (17, "resnet18", 4, 8, 6, 32, 1.2),
}
LIFTER = {"filter_widths": (3, 3), "causal": True, "dropout": 0.5, "channels": 8}
OPTIONS = {
    "PoseAndTrajectory": LIFTER,
    "SharedPoseAndTrajectory": LIFTER,
    "TemporalPoseNet": {"channels": 8, "dropout": 0.5},
    "GeneratorAndDiscriminator": {
        **{"num_joints_in": 17, "in_features": 2, "num_joints_out": 17, "filter_widths": (3, 3)},
        **{"causal": True, "dropout": 0.5, "channels": 8, "discriminator_channels": 8},
        **{"pool": 3, "pool_frames": 6},
    },
}


SEEING = {"HighResolutionNet", "IntegralRegression"}  # pictures, where all others take keypoints
FORECASTING = {"RecurrentForecaster"}  # true poses
LIFTING = [name for name in MODELS if name not in SEEING | FORECASTING]


def example(name: str) -> torch.nn.Module:
    return randomised(MODELS[name](*EXAMPLES[name], **OPTIONS.get(name, {})))


def parts(model: torch.nn.Module) -> list[torch.nn.Module]:
    return [model, *(getattr(model, name) for name in ("trajectory",) if hasattr(model, name))]


def outputs(model: torch.nn.Module) -> list[torch.Tensor]:
    config = model.config
    torch.manual_seed(3)
    if type(model).__name__ in SEEING:
        return [model(torch.rand(2, 3, 32, 32))]
    if type(model).__name__ in FORECASTING:
        return [model(torch.rand(2, 20, config["num_joints"], 3))]
    x = torch.rand(2, 20, config["num_joints_in"], config.get("in_features", 3)).round(decimals=1)
    return [part(x) for part in parts(model)]


def test_all_models_are_registered():
    classes = {c for c in vars(models).values() if inspect.isclass(c)}
    assert set(MODELS.values()) == {c for c in classes if issubclass(c, torch.nn.Module)}
    assert MODELS.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("name", MODELS)
def test_a_config_builds_its_model_again(name):
    model = example(name)
    config = json.loads(json.dumps({"class": name, **model.config}))  # as in a checkpoint
    again = build(config)
    assert type(again) is type(model) and again.config == model.config
    again.load_state_dict(model.state_dict())
    assert (again.receptive_field, again.causal) == (model.receptive_field, model.causal)
    for found, right in zip(outputs(again.eval()), outputs(model), strict=True):
        assert torch.equal(found, right)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_left_out_is_in_the_config_too(name):
    """Or a default that changes would change old checkpoints."""
    options = inspect.signature(MODELS[name]).parameters.keys() - {"options"}
    assert options <= example(name).config.keys()
    wanted = {"dropout", "channels"} if name in LIFTING else {"channels"}
    assert wanted <= example(name).config.keys()


def test_other_classes_are_refused_and_the_choices_named():
    with pytest.raises(ValueError, match=r"unknown model 'TemporalModell'.*'OcclusionAware'"):
        build({"class": "TemporalModell"})
    with pytest.raises(ValueError, match="unknown model None"):
        build({})


@pytest.mark.parametrize("name", MODELS)
def test_missing_unknown_and_wrong_arguments_are_named(name):
    config = {"class": name, **example(name).config}
    with pytest.raises(CheckpointError, match=f"{name}.*'heads'"):
        build(config | {"heads": 4})
    with pytest.raises(CheckpointError, match=f"{name}.*channels=0"):
        build(config | {"channels": 0})
    needed = "num_joints" if "num_joints" in config else "num_joints_out"
    del config[needed]
    with pytest.raises(CheckpointError, match=f"{name}.*'{needed}'"):
        build(config)


# ---- what all that lift have in common ----------------------------------------------------------


@pytest.mark.parametrize("name", LIFTING)
def test_dropout_acts_in_training_only(name):
    model = example(name)
    x = torch.rand(2, 20, *right_shape(model))
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


@pytest.mark.parametrize("name", LIFTING)
def test_keypoints_in_double_precision_are_lifted_alike(name):
    """As a file of NumPy's mostly has them."""
    model = example(name)
    x = torch.rand(2, 20, *right_shape(model)).round(decimals=1)
    torch.testing.assert_close(model(x.double()).float(), model(x), rtol=1e-5, atol=1e-5)
    for part in parts(model):
        assert part(x.double()).dtype == torch.float32


def right_shape(model: torch.nn.Module) -> tuple[int, int]:
    return model.config["num_joints_in"], model.config.get("in_features", 3)


@pytest.mark.parametrize("name", LIFTING)
def test_other_shapes_are_refused(name):
    model = example(name)
    joints, features = right_shape(model)
    wrong = [(2, 20, joints - 1, features), (2, 20, joints, features + 1), (2, 20, 1, features)]
    wrong += [(20, joints, features), (2, 20, joints * features), (1, 2, 20, joints, features)]
    for part in parts(model):
        for shape in wrong:
            with pytest.raises(ValueError) as error:
                part(torch.zeros(shape))
            assert f"(B, T, {joints}, {features})" in str(error.value)
            assert str(shape) in str(error.value)


WRONG = [("num_joints", 0), ("num_joints", 1.5)]
WRONG += [(n, 0) for n in ("num_joints_in", "in_features", "num_joints_out", "channels")]
WRONG += [("num_joints_in", None), ("in_features", -1), ("num_joints_out", -2), ("channels", 6.5)]
WRONG += [("channels", "8"), ("num_blocks", -1), ("num_blocks", 1.5), ("causal", "no")]
WRONG += [("bins", 0), ("deconvolution", 2.5), ("size", 48), ("size", 0), ("extent", 0.0)]
WRONG += [("dense", 1), *(("dropout", wrong) for wrong in (1.0, 1.5, -0.1, -0.5, "none"))]
REFUSED = [(name, *wrong) for name in MODELS for wrong in WRONG if wrong[0] in example(name).config]


@pytest.mark.parametrize(("name", "argument", "value"), REFUSED)
def test_values_out_of_range_are_refused(name, argument, value):
    with pytest.raises(ValueError) as error:
        MODELS[name](**(example(name).config | {argument: value}))
    assert f"{argument}={value!r}" in str(error.value)
