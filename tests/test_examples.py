"""The examples in docstrings show what they say; those of the first rooms have one each."""

import doctest
from importlib import import_module
from inspect import isfunction
from pkgutil import walk_packages

import pytest

import paperlib

ROOMS = ("metrics", "cameras", "alignment", "kinematics", "models.temporal", "refinement")


def modules(name):
    module = import_module(f"paperlib.{name}")
    inner = walk_packages(getattr(module, "__path__", []), f"{module.__name__}.")
    return [module, *(import_module(info.name) for info in inner)]


@pytest.mark.parametrize("name", ROOMS)
def test_examples_show_what_they_say(name):
    ran = [doctest.testmod(module) for module in modules(name)]
    assert sum(result.failed for result in ran) == 0
    assert sum(result.attempted for result in ran) > 0


def test_every_metric_has_an_example():
    metrics = paperlib.metrics
    for name, value in vars(metrics).items():
        own = isfunction(value) and value.__module__ == metrics.__name__
        if own and not name.startswith("_") and name != "best_scale":
            assert ">>>" in value.__doc__, name
