"""Takes in folds, on the stage, and on other bodies."""

import numpy as np
import pytest
import torch

from paperlib.datasets import takes
from paperlib.datasets.motion.bodies import BODIES
from paperlib.datasets.motion.replaying import replay
from paperlib.datasets.takes import Replay, Take, folds, pieces
from paperlib.kinematics import bone_lengths
from paperlib.skeletons import H36M_17

FLAT = np.zeros((1, 17, 3), dtype=np.float32)


def take(action: str, name: str, group: str = "", frames: int = 1) -> Take:
    world = Replay("S6", np.repeat(FLAT, frames, axis=0))
    return Take(action, name, group or name, world, world)


def by_group(made: list[Take]) -> dict[str, set[int | None]]:
    found = folds(made)
    groups: dict[str, set[int | None]] = {}
    for one in made:
        groups.setdefault(one.group, set()).add(found[one.action, one.name])
    return groups


def test_groups_go_whole_the_longest_first_to_the_fold_with_the_fewest_frames():
    made = [take("walk", f"{style}{n}", style, 5) for style in "abc" for n in range(2)]
    made += [take("walk", "d", frames=9), take("walk", "e", frames=2), take("walk", "f", frames=1)]
    # a, b, c of 10 frames each have a fold of their own; d is added to the first of them, e and f,
    # of 3 together, to the two others
    groups = by_group(made)
    first = len("walk") % 3
    order = [(i - first) % 3 for i in range(3)]
    assert [groups[g] for g in "abcdef"] == [{order[i]} for i in (0, 1, 2, 0, 1, 2)]


def test_an_action_of_one_group_is_split_by_take():
    found = folds([take("punch", f"1_punch_normal_00{n}", "normal") for n in (1, 2)])
    assert len(set(found.values())) == 2 and None not in found.values()


def test_the_only_take_of_an_action_has_no_fold():
    assert folds([take("kick", "only"), *map(take, ["a"] * 2, "xy")])["kick", "only"] is None


def test_a_fold_does_not_depend_on_other_actions_or_on_the_order():
    walks = [take("walk", str(n), frames=n) for n in range(1, 8)]
    others = [take("run", str(n), frames=n) for n in range(1, 5)]
    alone, together = folds(walks), folds([*others, *reversed(walks)])
    assert alone == {key: fold for key, fold in together.items() if key[0] == "walk"}


def test_a_path_longer_than_the_stage_is_cut_into_pieces_in_its_middle():
    world = torch.zeros(101, 17, 3)
    world[..., 0] = torch.linspace(50, 59, 101)[:, None]  # 9 m: three pieces, of 3 m each
    world[:, 1:, 2] = 1.0
    found = pieces(world)
    assert [len(piece) for piece in found] == [34, 34, 33]
    for piece in found:
        root = piece[:, 0, 0]
        assert float(root.max() + root.min()) == pytest.approx(0, abs=1e-5)
        assert float(root.max() - root.min()) == pytest.approx(0.09 * (len(piece) - 1), abs=1e-4)
        assert (piece[:, 1:, 2] == 1).all()
    whole = world.clone()
    whole[..., 0] *= 3.9 / 9
    assert [len(piece) for piece in pieces(whole)] == [101]


def test_pieces_and_the_only_takes_in_a_data_set():
    path = np.zeros((40, 17, 3), dtype=np.float32) + BODIES["S6"].offsets().numpy().cumsum(0)
    path = path.astype(np.float32)
    long = path + np.linspace(0, 6, 40, dtype=np.float32)[:, None, None] * [1, 0, 0]
    long = long.astype(np.float32)
    here, there = Replay("S1", path), Replay("S6", path)
    made = [Take("walk", n, n, Replay("S1", long), Replay("S6", long)) for n in "abc"]
    made += [Take("kick", "only", "only", here, there)]
    data = takes.dataset("some", "Ours.", made, 1, "nothing")
    assert data.name == "some-fold1"
    assert {(r.subject, r.action, r.clip) for r in data.unseen} == {("S6", "kick", "only")}
    assert {r.subject for r in data.train} == {"S1"} and {r.subject for r in data.test} == {"S6"}
    clips = {r.clip for r in data.test}
    assert clips in ({"a#1", "a#2"}, {"b#1", "b#2"}, {"c#1", "c#2"})
    assert {r.take for r in data.train} == set("abc") - {r.take for r in data.test}
    assert "2 takes of 1 actions" in data.source and "never learnt from: kick" in data.source
    with pytest.raises(ValueError, match=r"fold 0: of kick, nothing is left .*single take: kick"):
        takes.dataset("some", "Ours.", made[-1:], 0, "nothing")


def test_a_body_replays_the_directions_of_bones_with_its_own_lengths():
    """A standing body of S4's build, its arm raised, walks on as S3, 37 cm taller."""
    small, tall = BODIES["S4"], BODIES["S3"]
    offsets = small.offsets()
    offsets[H36M_17.index("left_elbow")] *= -1
    joints = offsets.clone()
    for parent, joint in H36M_17.bones:
        joints[joint] += joints[parent]
    steps = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None, None] * torch.tensor([1.0, 0, 0])
    got = replay(joints + steps, small.ankle_height, tall)
    lengths = tall.offsets().norm(dim=-1)[1:].expand(5, -1)
    torch.testing.assert_close(bone_lengths(got, H36M_17.parents), lengths)
    legs = sum(tall.leg) / sum(small.leg)
    assert float(got[-1, 0, 0] - got[0, 0, 0]) == pytest.approx(legs)
    ankles = got[:, [H36M_17.index("left_ankle"), H36M_17.index("right_ankle")], 2]
    torch.testing.assert_close(ankles, torch.full_like(ankles, tall.ankle_height))
    up = got[:, H36M_17.index("left_elbow")] - got[:, H36M_17.index("left_shoulder")]
    torch.testing.assert_close(up[0], torch.tensor([0, 0, tall.arm[0]], dtype=torch.float64))
    own = replay(joints + steps, small.ankle_height, small)
    torch.testing.assert_close(own, joints + steps)
