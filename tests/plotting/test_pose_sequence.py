"""A strip of moments: what stands behind the keypoints, and from where poses are seen."""

import numpy as np
import pytest

from paperlib import plotting
from tests.samples import recording

FILM = recording(3)
EDGES = (0, 1000, 1000, 0)
VIEWS = {"from the camera": -90, "from the side": 0}


def strip(**options):
    poses = dict.fromkeys(VIEWS, FILM.pose.numpy())
    return plotting.pose_sequence(FILM, poses, [0, 2], **options)


def test_pictures_stand_behind_keypoints_where_they_lie_in_the_film():
    pictures = [(np.full((4, 4, 3), grey), EDGES) for grey in (0.2, 0.8)]
    shown = [ax for ax in strip(pictures=pictures).axes if ax.images]
    assert [ax.images[0].get_array().max() for ax in shown] == [0.2, 0.8]
    for ax in shown:
        assert tuple(ax.images[0].get_extent()) == EDGES
        assert ax.yaxis_inverted()  # rows of a film go down
        below, above = ax.collections
        assert below.get_linewidth()[0] > above.get_linewidth()[0]
        assert np.array_equal(below.get_segments(), above.get_segments())
    assert not any(ax.images for ax in strip().axes)


def test_each_row_is_seen_from_its_side():
    """On the camera's side x goes to the right, from the person's side depth does."""
    figure = strip(azimuth=VIEWS, elevation=0)
    pose = FILM.pose[0].numpy()
    for row, axis in ((1, 0), (2, 2)):
        drawn = figure.axes[2 * row].collections[-1].get_segments()
        ends = pose[np.asarray(FILM.skeleton.bones)]
        assert np.allclose(np.array(drawn)[..., 0], ends[..., axis], atol=1e-6)
        assert np.allclose(np.array(drawn)[..., 1], -ends[..., 1], atol=1e-6)
    assert figure.legends[0].get_title().get_text() == "poses: 0° from above"


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="1 pictures of 2 moments"):
        strip(pictures=[(np.zeros((2, 2, 3)), EDGES)])
    with pytest.raises(ValueError, match="no azimuth is given for from the side"):
        strip(azimuth={"from the camera": -90})
