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
