"""A strip of moments: what stands behind the keypoints, and from where poses are seen."""

import numpy as np
import pytest
from mpl_toolkits.mplot3d import proj3d

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
    figure = strip(pictures=pictures)
    shown = [ax for ax in figure.axes if ax.images]
    assert [ax.images[0].get_array().max() for ax in shown] == [0.2, 0.8]
    for ax in shown:
        assert tuple(ax.images[0].get_extent()) == EDGES
        assert ax.yaxis_inverted()  # rows of a film go down
        below, above = ax.get_lines()[0], ax.get_lines()[16]
        assert below.get_color() == "white" and below.get_linewidth() > above.get_linewidth()
        assert np.array_equal(below.get_xydata(), above.get_xydata())
    assert not any(ax.images for ax in strip().axes)


def test_from_the_camera_what_is_right_in_the_picture_is_right():
    figure = strip(azimuth=VIEWS)
    camera, side = figure.axes[1:3]
    assert (camera.azim, side.azim) == (-90, 0)
    pose = plotting.poses.upright(FILM.pose[0].numpy())
    for ax, axis, sign in ((camera, 0, 1), (side, 2, 1)):
        across = proj3d.proj_transform(*pose.T, ax.get_proj())[0]
        agreement = np.corrcoef(across, sign * FILM.pose[0, :, axis].numpy())[0, 1]
        assert agreement > 0.95
    assert all(ax.azim == 30 for ax in strip(azimuth=30).axes if ax.name == "3d")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="1 pictures of 2 moments"):
        strip(pictures=[(np.zeros((2, 2, 3)), EDGES)])
    with pytest.raises(ValueError, match="no azimuth is given for from the side"):
        strip(azimuth={"from the camera": -90})
