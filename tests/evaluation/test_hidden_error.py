"""The error of hidden joints, by hand."""

import pytest
import torch

from paperlib.evaluation import hidden_mpjpe
from paperlib.skeletons import COCO_17
from tests.samples import recording


def off(film, by):
    """Each joint wrong by a length ``(T, J)`` of its own."""
    return film.pose + by[..., None] * torch.tensor([0.0, 1.0, 0.0])


def test_hidden_joints_are_pooled_in_an_action_and_actions_count_alike():
    films = [recording(4, "a"), recording(4, "b"), recording(4, "c", action="sitting")]
    by = [torch.full((4, 17), error) for error in (0.1, 0.2, 0.4)]
    hidden = [torch.zeros(4, 17, dtype=torch.bool) for _ in films]
    hidden[0][0, :3] = True  # three of 0.1 …
    hidden[1][2, 5] = True  # … and one of 0.2
    hidden[2][:, 1] = True
    by[0][1] = 9.0  # seen: it does not count
    poses = [off(film, error) for film, error in zip(films, by, strict=True)]
    actions, mean = hidden_mpjpe(poses, films, hidden)
    assert actions == pytest.approx({"walking": 0.125, "sitting": 0.4})
    assert mean == pytest.approx((0.125 + 0.4) / 2)


def test_an_action_in_which_nothing_is_hidden_has_no_error():
    films = [recording(4, "a"), recording(4, "c", action="sitting")]
    hidden = [torch.zeros(4, 17, dtype=torch.bool) for _ in films]
    hidden[0][3, 2] = True
    actions, _ = hidden_mpjpe([film.pose for film in films], films, hidden)
    assert list(actions) == ["walking"]
    with pytest.raises(ValueError, match="nothing is hidden"):
        hidden_mpjpe([films[1].pose], films[1:], hidden[1:])


def test_keypoints_of_other_joints_are_matched_by_name():
    film = recording(3, keypoint_skeleton=COCO_17)
    hidden = torch.zeros(3, 17, dtype=torch.bool)
    hidden[:, COCO_17.index("left_wrist")] = True
    hidden[:, COCO_17.index("left_eye")] = True  # no joint of the pose
    by = torch.zeros(3, 17)
    by[:, film.skeleton.index("left_wrist")] = 0.3
    assert hidden_mpjpe([off(film, by)], [film], [hidden])[1] == pytest.approx(0.3)
    with pytest.raises(ValueError, match="one boolean for each"):
        hidden_mpjpe([film.pose], [film], [hidden[:2]])
