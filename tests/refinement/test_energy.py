"""The energy by hand, against a plain loop, and what goes into it."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from paperlib.refinement import Settings, energy, energy_terms, visibility_score

RAW = Settings(median=1)
NAN = float("nan")


def a_prediction(*people, frames=30, joints=4, dtype=torch.float64, device="cpu"):
    """Smooth tracks a few metres away with noise, and scores."""
    shape = (*people, frames, joints, 3)
    walk = 0.05 * torch.randn(shape, dtype=dtype).cumsum(dim=-3)
    walk += torch.tensor([0.3, -0.2, 4.0], dtype=dtype) + 0.3 * torch.randn(joints, 3, dtype=dtype)
    return walk.to(device), torch.rand(*people, frames, dtype=dtype).to(device)


def along_x(*values) -> torch.Tensor:
    """A root alone that moves along x, ``(T, 1, 3)``."""
    positions = torch.zeros(len(values), 1, 3, dtype=torch.float64)
    positions[:, 0, 0] = torch.tensor(values, dtype=torch.float64)
    return positions


def plain_energy(p, initial, v, s: Settings) -> float:
    """Of one person (T, J, 3), whose scores are filtered, in loops."""
    frames, joints, _ = p.shape
    split = lambda x: np.concatenate([x[:, :1], x[:, 1:] - x[:, :1]], axis=1)  # noqa: E731
    p, initial = split(p), split(initial)
    total = 0.0
    for t in range(frames):
        for j in range(joints):
            short, long = (s.root_short, s.root_long) if j == 0 else (s.pose_short, s.pose_long)
            for k in range(3):
                if not np.isnan(initial[t, j, k]):
                    total += v[t] * min((p[t, j, k] - initial[t, j, k]) ** 2, s.cap)
                if t >= s.short_step:
                    total += short * (p[t, j, k] - p[t - s.short_step, j, k]) ** 2
                if t >= s.long_step:
                    moved = p[t, j, k] - p[t - s.long_step, j, k]
                    total += long * (1 - v[t]) * moved**2
    return total


def plain_median(scores, frames):
    return ndimage.median_filter(scores, frames).tolist()  # as the authors' code does


# ---- the formula ---------------------------------------------------------------------------------


def test_root_terms_by_hand():
    initial, moved = along_x(0.0, 0.0, 0.0, 0.0), along_x(0.5, 1.5, 0.0, -3.0)
    v = torch.tensor([1.0, 0.5, 0.25, 0.5], dtype=torch.float64)
    settings = RAW.but(root_short=2.0, root_long=4.0, long_step=2, cap=1.0)
    terms = energy_terms(moved, initial, v, settings)
    assert terms["data_root"].item() == 1 * 0.25 + 0.5 * 1 + 0 + 0.5 * 1  # two beyond the cap
    assert terms["root_short"].item() == 2 * (1 + 2.25 + 9)
    assert terms["root_long"].item() == 4 * (0.75 * 0.25 + 0.5 * 20.25)
    assert [terms[name].item() for name in ("data_pose", "pose_short", "pose_long")] == [0, 0, 0]


def test_pose_counts_relative_to_the_root():
    """A joint that moves with the root costs nothing; one that moves apart costs pose weights."""
    initial = torch.zeros(3, 2, 3, dtype=torch.float64)
    positions = initial.clone()
    positions[1, :, 2] = 1.0  # both
    positions[2, 1, 1] = 0.5  # the joint alone
    terms = energy_terms(positions, initial, None, RAW.but(cap=0.2))
    expected = {
        "data_root": 0.2,
        "root_short": 2.0,
        "root_long": 0.0,
        "data_pose": 0.2,
        "pose_short": 0.1 * 0.25,
        "pose_long": 0.0,
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected)


@pytest.mark.parametrize("settings", [Settings(), Settings(2, 0.3, 0.7, 0.5, 3, 7, 0.01, 5)])
def test_energy_is_the_formula(settings, device):
    initial, v = a_prediction(2, device=device)
    positions = initial + 0.4 * torch.randn_like(initial)
    initial[0, 4, 2], initial[1, 10:13] = NAN, NAN
    total = energy(positions, initial, v, settings)
    v = v.cpu().clone()
    v[1, 10:13] = 0
    for person in range(2):
        score = plain_median(v[person].tolist(), settings.median)
        parts = (x[person].cpu().numpy() for x in (positions, initial))
        assert total[person].item() == pytest.approx(plain_energy(*parts, score, settings))


def test_terms_add_up_and_people_stand_apart():
    initial, v = a_prediction(3)
    positions = initial + torch.randn_like(initial)
    total = energy(positions, initial, v)
    assert total.shape == (3,)
    added = torch.stack(list(energy_terms(positions, initial, v).values())).sum(dim=0)
    torch.testing.assert_close(added, total)
    alone = [energy(p, i, w) for p, i, w in zip(positions, initial, v, strict=True)]
    assert alone[0].shape == ()
    torch.testing.assert_close(torch.stack(alone), total)


def test_gradient_is_the_slope():
    initial, v = a_prediction(frames=7, joints=2)
    positions = (initial + 0.5 * torch.randn_like(initial)).requires_grad_()
    settings = Settings(long_step=3, cap=0.3)
    assert torch.autograd.gradcheck(lambda p: energy(p, initial, v, settings), (positions,))


def test_a_capped_error_pulls_no_more():
    initial = torch.zeros(1, 1, 3, dtype=torch.float64)
    for x, slope in ((0.9, 1.8), (1.1, 0.0)):
        positions = torch.full((1, 1, 3), x, dtype=torch.float64, requires_grad=True)
        energy(positions, initial).backward()
        assert positions.grad.flatten().tolist() == pytest.approx([slope] * 3)


def test_tracks_shorter_than_the_steps_have_no_such_terms():
    initial, v = a_prediction(frames=5)
    terms = energy_terms(initial + 1, initial, v, Settings(short_step=5))
    assert terms["root_short"] == terms["root_long"] == terms["pose_long"] == 0
    assert terms["data_root"] > 0


def test_padding_costs_nothing_while_it_follows():
    initial, v = a_prediction(frames=40)
    positions = initial + 0.1 * torch.randn_like(initial)
    longer = torch.cat([positions, positions[-1:].expand(25, -1, -1)])
    padded = torch.cat([initial, torch.full_like(longer[40:], NAN)])
    score = torch.cat([v, torch.rand(25, dtype=v.dtype)])
    torch.testing.assert_close(energy(longer, padded, score), energy(positions, initial, v))


def test_energy_has_the_precision_of_the_positions():
    initial, v = a_prediction(2)
    assert energy(initial.float(), initial, v).dtype == torch.float32
    value = energy(initial.numpy(), initial.numpy(), v.numpy())
    torch.testing.assert_close(value, energy(initial, initial, v))


# ---- the score -----------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 5, 40])
@pytest.mark.parametrize("median", [1, 3, 9])
def test_scores_are_median_filtered(frames, median):
    positions, scores = a_prediction(2, frames=frames)
    filtered = visibility_score(scores, positions, Settings(median=median))
    assert filtered.tolist() == [plain_median(row, median) for row in scores.tolist()]


def test_scores_are_mirrored_at_the_ends_of_each_track():
    positions, _ = a_prediction(2, frames=6)
    positions[1, 4:] = NAN
    scores = torch.tensor([[0.9, 0.2, 0.5, 0.4, 0.3, 0.8]] * 2, dtype=torch.float64)
    filtered = visibility_score(scores, positions, Settings(median=5))
    # at the start of both: 0.2 0.9 | 0.9 0.2 0.5; at the end 0.4 0.3 0.8 | 0.8 0.3
    assert filtered[0].tolist() == [0.5, 0.5, 0.4, 0.4, 0.5, 0.4]
    # the second one ends after its fourth frame: 0.2 0.5 0.4 | 0.4 0.5
    assert filtered[1].tolist() == [0.5, 0.5, 0.4, 0.4, 0.4, 0.4]


def test_scores_of_keypoints_are_averaged():
    positions, _ = a_prediction(2, frames=3)
    scores = torch.tensor([[0.0, 1.0], [0.5, 0.5], [0.25, 0.5]]).double()
    filtered = visibility_score(torch.stack([scores, scores / 2]), positions, RAW)
    assert filtered.tolist() == [[0.5, 0.5, 0.375], [0.25, 0.25, 0.1875]]
    assert visibility_score(scores, positions[0], RAW).tolist() == [0.5, 0.5, 0.375]
    # as many people as frames: what a number stands for follows from the positions
    square = torch.rand(3, 3)
    assert visibility_score(square, positions[0], RAW).shape == (3,)
    assert visibility_score(square, torch.zeros(3, 3, 1, 3), RAW).tolist() == square.tolist()


def test_unknown_frames_score_nothing_and_the_end_stays():
    positions, _ = a_prediction(frames=6, joints=2)
    positions[1], positions[2, 1], positions[4:] = NAN, NAN, NAN
    assert visibility_score(None, positions, RAW).tolist() == [1, 0, 1, 1, 1, 1]
    scores = torch.tensor([0.5, 0.6, 0.7, 0.8, 0.1, 0.2], dtype=torch.float64)
    assert visibility_score(scores, positions, RAW).tolist() == [0.5, 0, 0.7, 0.8, 0.8, 0.8]


def test_settings_are_the_papers():
    s = Settings()
    assert (s.root_short, s.root_long, s.pose_short, s.pose_long) == (1.0, 0.1, 0.1, 0.01)
    assert (s.short_step, s.long_step, s.cap, s.median) == (1, 20, 1.0, 9)
    assert s.but(cap=0.5) == Settings(cap=0.5)


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"root_long": -0.1}, r"0 or more.*'root_long': -0.1"),
        ({"pose_short": NAN}, "0 or more"),
        ({"long_step": 0}, "whole frames, 1 or more"),
        ({"short_step": 1.5}, "whole frames, 1 or more"),
        ({"median": float("inf")}, "whole frames, 1 or more"),
        ({"root_long": float("inf")}, "0 or more, and finite"),
        ({"cap": "one"}, "cap='one' is not a number"),
        ({"median": 4}, "median=4.*odd"),
        ({"cap": 0.0}, "cap=0.0.*above 0"),
        ({"cap": NAN}, "cap=nan"),
    ],
)
def test_wrong_settings_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (torch.ones(4), r"\(4,\).*\(5,\).*\(5, K\)"),
        (torch.ones(5, 2, 2), r"\(5, 2, 2\)"),
        (torch.ones(5, 0), r"\(5, 0\)"),
        (torch.full((5,), 1.1), "1.1.*clamp"),
        (torch.full((5,), -0.1), "-0.1.*from 0"),
        (torch.tensor([1.0, 1, NAN, 1, 1]), "without NaN"),
    ],
)
def test_wrong_scores_are_refused(scores, words):
    with pytest.raises(ValueError, match=words):
        visibility_score(scores, torch.zeros(5, 2, 3))


def test_wrong_positions_are_refused():
    fine = torch.zeros(5, 2, 3)
    with pytest.raises(ValueError, match=r"\(5, 2, 3\).*\(5, 1, 3\).*same shape"):
        energy(fine, fine[:, :1])
    with pytest.raises(ValueError, match=r"expected \(T, J, 3\).*\(P, T, J, 3\)"):
        energy(fine[None, None], fine[None, None])
    with pytest.raises(ValueError, match="hold NaN"):
        energy(fine * NAN, fine)
