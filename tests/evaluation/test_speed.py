"""Speed by hand, and where it is greatest."""

import pytest
import torch

from paperlib.evaluation import fastest, joint_speed
from tests.samples import recording


def test_a_wrist_that_moves_by_a_centimetre_a_frame():
    positions = torch.zeros(5, 17, 3) + torch.tensor([0.0, 0.0, 5.0])
    positions += 0.02 * torch.arange(5.0)[:, None, None]  # all walk through the room
    positions[:, 16, 0] += 0.01 * torch.arange(5.0)
    film = recording(5, positions=positions)
    torch.testing.assert_close(joint_speed(film), torch.full((5,), 0.01 * 50 / 16))
    with pytest.raises(ValueError, match="no speed"):
        joint_speed(film.cut(0, 1))


def test_a_film_played_faster_is_faster():
    positions = torch.zeros(9, 17, 3) + torch.tensor([0.0, 0.0, 5.0])
    positions[:, 16, 0] += 0.01 * torch.arange(9.0)
    film = recording(9, positions=positions)
    # every second frame at half the rate is the same motion: its speed is that of the person
    torch.testing.assert_close(joint_speed(film.cut(0, 9, 2)), joint_speed(film)[::2])


def test_the_fastest_frames_are_found():
    speed = torch.tensor([0.0, 1.0, 0.0, 3.0, 2.0, 0.0])
    assert fastest(speed, 2) == (3, 2.5)
    assert fastest(speed, 10) == (0, 1.0)
