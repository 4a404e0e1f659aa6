"""A place for the data set that a file of tests is about."""

import pytest


@pytest.fixture
def folder(request, tmp_path, monkeypatch):
    """The empty folder of the data set that the file of tests is named after, and no other data."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    monkeypatch.setattr("paperlib.paths.ROOT", tmp_path / "elsewhere")
    place = tmp_path / request.path.stem.removeprefix("test_")
    place.mkdir()
    return place


@pytest.fixture
def positions(request, folder):
    """The motion of the file of tests, written where the data set has it."""
    made = request.module.motion()
    request.module.write_3d(folder, made)
    return made


@pytest.fixture
def keypoints(request, folder, positions):
    """What the cameras of the file of tests see of it, written too."""
    made = request.module.filmed(positions)
    request.module.write_2d(folder, made)
    return made
