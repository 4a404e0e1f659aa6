from dataclasses import replace

import pytest
import torch
from samples import recording

from paperlib import datasets
from paperlib.cameras import camera_to_world
from paperlib.datasets.varied import Variety, varied
from paperlib.kinematics import bone_lengths
from paperlib.skeletons import COCO_17, H36M_17

ALWAYS = Variety(share=1.0)


@pytest.fixture(scope="module")
def views():
    """The four views of one clip."""
    data = datasets.load("synthetic", small=True)
    first = data.test[0]
    same = first.subject, first.action, first.clip
    return [r for r in data.test if (r.subject, r.action, r.clip) == same]


def test_limbs_keep_their_lengths_and_the_trunk_its_shape(views):
    film = views[0]
    other = varied(film, ALWAYS)
    lengths = [bone_lengths(r.positions, H36M_17.parents) for r in (film, other)]
    torch.testing.assert_close(*lengths, atol=1e-5, rtol=0)
    trunk = [H36M_17.index(j) for j in ("pelvis", "spine", "thorax", "left_hip", "right_shoulder")]
    shapes = [torch.cdist(r.positions[:, trunk], r.positions[:, trunk]) for r in (film, other)]
    torch.testing.assert_close(*shapes, atol=1e-4, rtol=0)
    torch.testing.assert_close(film.trajectory, other.trajectory)
    # and the pose is another one
    assert (film.pose - other.pose).norm(dim=-1).mean() > 0.03


def test_all_views_of_a_clip_show_the_same(views):
    worlds = [camera_to_world(varied(r, ALWAYS).positions, r.camera) for r in views]
    for other in worlds[1:]:
        torch.testing.assert_close(worlds[0], other, atol=1e-4, rtol=0)
    again = replace(views[0], clip="another")
    assert not torch.allclose(varied(again, ALWAYS).pose, varied(views[0], ALWAYS).pose, atol=0.01)


def test_motion_stays_as_smooth(views):
    """Angles do not change within a clip: nothing jumps."""
    steps = [r.pose.diff(dim=0).norm(dim=-1).mean() for r in (views[0], varied(views[0], ALWAYS))]
    assert steps[1] < 1.5 * steps[0]


def test_a_share_of_clips_is_left_as_it_was():
    clips = [recording(clip=f"take{n}") for n in range(200)]
    kept = sum(varied(r, Variety(share=0.6)) is r for r in clips) / len(clips)
    assert 0.3 < kept < 0.5
    assert all(varied(r, Variety(share=0.0)) is r for r in clips[:5])


def test_of_human36m_s_joints():
    with pytest.raises(ValueError, match="limbs are those of h36m_17"):
        varied(recording(skeleton=COCO_17))
