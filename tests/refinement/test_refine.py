"""Refined trajectories: by hand, against dense and exhaustive minima, and what they promise."""

from itertools import product

import numpy as np
import pytest
import torch

from paperlib.refinement import Settings, adam, direct, energy, refine
from paperlib.refinement.direct import _stretches
from paperlib.refinement.energy import coordinates, rows_of

RAW = Settings(median=1)
NO_SMOOTHING = {"root_short": 0, "root_long": 0, "pose_short": 0, "pose_long": 0}
NAN = float("nan")
BOTH_SOLVERS = pytest.mark.parametrize("solver", ["direct", "adam"])


def a_track(*people, frames=60, joints=3, noise=0.02, dtype=torch.float64, device="cpu"):
    """A smooth walk with noise, and the score of someone hidden for a while."""
    t = torch.arange(frames, dtype=torch.float64)[:, None, None] / 25
    phase = 6 * torch.rand(*people, 1, joints, 3, dtype=torch.float64)
    positions = 0.3 * torch.sin(1.5 * t + phase) + torch.tensor([0.0, 0.0, 4.0])
    positions += noise * torch.randn_like(positions)
    score = 0.7 + 0.3 * torch.rand(*people, frames, dtype=torch.float64)
    score[..., frames // 3 : frames // 2] = 0.1
    return positions.to(device, dtype), score.to(device, dtype)


def with_errors(positions, score, size, seed=0):
    """Errors of the root of about ``size`` metres where it is hidden, smooth over time."""
    generator = torch.Generator().manual_seed(seed)
    shape = (*positions.shape[:-2], 1, 3)
    walk = torch.randn(shape, generator=generator, dtype=positions.dtype).cumsum(dim=-3)
    walk = walk / walk.square().mean().sqrt()
    return positions + size * walk * (score < 0.5)[..., None, None]


def tied(frames, step, strength):
    """(T, T): the sum of strength[t] (x[t] - x[t - step])^2 as a matrix."""
    difference = torch.eye(frames)[step:] - torch.eye(frames)[:-step]
    return (difference.T @ torch.diag(strength[step:].float()) @ difference).double()


def dense(rows, row, settings, weight):
    """The coordinate ``(T,)`` that minimises the energy without a cap."""
    frames = rows.target.shape[1]
    near = tied(frames, settings.short_step, torch.ones(frames))
    far = tied(frames, settings.long_step, rows.gate[row])
    matrix = rows.short[row] * near + rows.long[row] * far + torch.diag(weight)
    return torch.linalg.solve(matrix, weight * rows.target[row])


def exhaustive(rows, row, settings):
    """The least energy of a coordinate, from every choice of frames that count."""
    frames = rows.target.shape[1]
    ones = torch.ones(frames)
    smooth = rows.short[row] * tied(frames, settings.short_step, ones)
    smooth = smooth + rows.long[row] * tied(frames, settings.long_step, rows.gate[row])
    choices = torch.tensor(list(product([0.0, 1.0], repeat=frames)), dtype=torch.float64)
    weight = choices * rows.weight[row]
    matrices = smooth + torch.diag_embed(weight + 1e-10)
    x = torch.linalg.solve(matrices, weight * rows.target[row])
    error = (rows.weight[row] * (x - rows.target[row]).square().clamp(max=settings.cap)).sum(-1)
    return (error + (x @ smooth * x).sum(-1)).min().item()


# ---- the minimum ---------------------------------------------------------------------------------


def test_three_frames_by_hand():
    """Seen at 0 and 3, hidden between: the ends move together by the same d, the middle halfway.
    2 d^2 + 2 (1.5 - d)^2 is least at d = 0.75."""
    positions = torch.zeros(3, 1, 3, dtype=torch.float64)
    positions[:, 0, 0] = torch.tensor([0.0, -50.0, 3.0])
    seen = torch.tensor([1.0, 0.0, 1.0])
    refined = refine(positions, seen, RAW)
    assert refined[:, 0, 0].tolist() == pytest.approx([0.75, 1.5, 2.25], abs=1e-8)
    assert energy(refined, positions, seen, RAW).item() == pytest.approx(2.25, abs=1e-8)
    # the long step over two frames counts for nothing: the frame it ends in is seen
    stiff = RAW.but(long_step=2, root_long=100)
    assert refine(positions, seen, stiff)[:, 0, 0].tolist() == pytest.approx([0.75, 1.5, 2.25])


def test_direct_solution_is_the_dense_one(device):
    positions, score = a_track(2, frames=50, device=device)
    # the joints of one person are not all known in the same frames
    positions[0, 10:14, 1], positions[1, 30, 2] = NAN, NAN
    refined = direct(positions, score, RAW)
    rows = rows_of(positions, score, RAW)
    for row in range(18):
        gate = 1 - score[row // 9].cpu()
        weight = torch.where(coordinates(positions)[row].isnan(), 0, score[row // 9]).cpu()
        short, long = (1.0, 0.1) if row % 9 < 3 else (0.1, 0.01)
        matrix = short * tied(50, 1, torch.ones(50)) + long * tied(50, 20, gate)
        right = weight * rows.target[row].cpu()
        expected = torch.linalg.solve(matrix + torch.diag(weight), right)
        found = coordinates(refined)[row].cpu()
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("frames", "size"), [(1, 0), (2, 0), (15, 0), (21, 0), (100, 0), (100, 1.5), (200, 3.0)]
)
def test_energy_is_flat_at_the_solution(frames, size, device):
    positions, score = a_track(2, frames=frames)
    positions = with_errors(positions, score, size).to(device)
    score = score.to(device)
    refined = direct(positions, score).requires_grad_()
    energy(refined, positions, score).sum().backward()
    assert refined.grad.abs().max() < 1e-7
    assert (refined - positions).abs().max() > 1e-3 or frames == 1


def test_errors_beyond_the_cap_are_given_up_as_well_as_can_be():
    """Against every choice of frames: the best one is found of all but one in thirty coordinates,
    and the energy of that one is near the least."""
    settings = RAW.but(long_step=4)
    above = []
    for seed in range(10):
        torch.manual_seed(seed)
        positions, score = a_track(frames=11, joints=1)
        hidden = torch.rand(11) < 0.4
        score[hidden] = 0.3 * torch.rand(int(hidden.sum()), dtype=torch.float64)
        positions[hidden] += 1.5 * torch.randn(int(hidden.sum()), 1, 3, dtype=torch.float64)
        refined = direct(positions, score, settings)
        rows = rows_of(positions, score, settings)
        found = rows.energy(coordinates(refined), settings).sum(dim=0).tolist()
        least = [exhaustive(rows, row, settings) for row in range(3)]
        above += [f / best - 1 for f, best in zip(found, least, strict=True)]
    assert min(above) > -1e-5  # nothing is below the least
    assert max(above) < 0.05
    assert sum(share > 1e-5 for share in above) <= 1


def test_the_descent_ends_where_no_choice_changes():
    positions, score = a_track(3, frames=100)
    positions = with_errors(positions, score, 2.0)
    found = coordinates(direct(positions, score, RAW))
    rows = rows_of(positions, score, RAW)
    chosen = (found - rows.target).square() <= RAW.cap
    assert not chosen.all()
    for row in range(len(found)):
        expected = dense(rows, row, RAW, rows.weight[row] * chosen[row])
        torch.testing.assert_close(found[row], expected, rtol=0, atol=1e-6)


def test_stretches_by_hand():
    doubt, hidden = np.zeros(60, bool), np.zeros(60, bool)
    doubt[[2, 6, 30, 58]] = True
    # what is hidden about them, as far as twice the reach; four frames at least
    hidden[[0, 1, *range(27, 50)]] = True
    assert _stretches(doubt, hidden, 4, 4) == [(0, 7), (27, 39), (56, 60)]
    hidden[7:27] = True  # they meet
    assert _stretches(doubt, hidden, 4, 4) == [(0, 15), (22, 39), (56, 60)]
    assert _stretches(doubt, hidden, 8, 4) == [(0, 47), (56, 60)]
    assert _stretches(doubt, hidden, 60, 70) == [(0, 60)]


def test_errors_far_from_each_other_are_decided_apart():
    """A long track of two pieces that hardly know of each other comes out like the pieces."""
    positions, score = a_track(frames=300, joints=1)
    score[:], score[40:80], score[220:260] = 0.9, 0.1, 0.1
    positions = with_errors(positions, score, 2.0)
    refined = direct(positions, score)
    pieces = [slice(0, 150), slice(150, 300)]
    apart = torch.cat([direct(positions[p], score[p]) for p in pieces])
    torch.testing.assert_close(refined[:120], apart[:120], rtol=0, atol=1e-3)
    torch.testing.assert_close(refined[180:], apart[180:], rtol=0, atol=1e-3)
    alone = sum(energy(apart[p], positions[p], score[p]) for p in pieces)
    assert alone <= energy(refined, positions, score) <= energy(apart, positions, score)


@pytest.mark.parametrize("size", [0.0, 0.5, 1.5])
def test_direct_goes_at_least_as_low_as_adam(size, device):
    positions, score = a_track(3, frames=120, joints=2, device=device)
    predicted = with_errors(positions.cpu(), score.cpu(), size).to(device)
    ours, theirs = (refine(predicted, score, solver=s) for s in ("direct", "adam"))
    ours, theirs = (energy(p, predicted, score) for p in (ours, theirs))
    assert (ours <= theirs * (1 + 1e-7)).all()
    if size < 1:
        assert (theirs <= ours * 1.001).all()  # and Adam gets near


def test_adam_without_steps_is_the_interpolated_prediction():
    positions, score = a_track(frames=9, joints=2, dtype=torch.float32)
    assert torch.allclose(adam(positions, score, iterations=0), positions, atol=1e-6)
    gap = positions.clone()
    gap[3:5] = NAN
    between = adam(gap, score, iterations=0)
    expected = positions[2] + (positions[5] - positions[2]) / 3
    assert torch.allclose(between[3], expected, atol=1e-5)


def test_every_kind_of_track_is_the_dense_solution():
    """With gaps of every kind, steps of every order and people that are padded; to within what the
    small weight on the prediction, 1e-9 of the others, makes of it."""
    positions, score = a_track(3, frames=130, joints=4)
    positions[0, 40:45], positions[1, 5, 2], positions[1, :9, 1] = NAN, NAN, NAN
    positions[2, 90:], score[0, 60:80] = NAN, 0
    apart = positions[:, :, [0, 2]].transpose(1, 2).contiguous().transpose(1, 2)  # strided
    for given, seen, settings in [
        (positions, score, Settings()),
        (positions.float(), score, RAW),
        (positions, None, Settings()),
        (apart, score, Settings(short_step=30, long_step=3)),
        (positions, score, Settings(root_short=0.5, pose_long=0, long_step=200)),
        (positions[0, :1], score[0, :1], Settings()),
    ]:
        found = coordinates(refine(given, seen, settings).double())
        rows = rows_of(given.double(), seen, settings)
        for row in range(len(found)):
            expected = dense(rows, row, settings, rows.weight[row] + 1e-12)
            where = slice(None) if settings.short_step == 1 else rows.weight[row] > 0
            torch.testing.assert_close(found[row, where], expected[where], rtol=0, atol=1e-6)


def test_hard_tracks_are_never_above_adam():
    """White noise in every joint of every hidden frame: a search in each coordinate."""
    for size in (0.35, 1.0):
        positions, score = a_track(2, frames=200, joints=6)
        score[:], score[:, 40:80], score[:, 130:170] = 0.85, 0.1, 0.1
        hidden = (score < 0.5)[..., None, None]
        predicted = positions + size * torch.randn_like(positions) * hidden
        ours, theirs = (refine(predicted, score, solver=s) for s in ("direct", "adam"))
        ours, theirs = (energy(p, predicted, score) for p in (ours, theirs))
        assert (ours < theirs).all()


@pytest.mark.parametrize("number", [int, np.float32, np.int64, torch.tensor])
def test_settings_may_be_numbers_of_any_kind(number):
    positions, score = a_track(2, frames=40)
    positions = with_errors(positions, score, 1.5)
    plain = Settings(root_short=1.0, cap=1.0, long_step=20)
    other = Settings(root_short=number(1), cap=number(1), long_step=number(20))
    torch.testing.assert_close(refine(positions, score, other), refine(positions, score, plain))


def test_a_prediction_far_outside_the_world_comes_to_an_end():
    positions, score = a_track(frames=50)
    positions[25] = 1e155  # the square of which is infinite
    assert refine(positions, score).shape == positions.shape


def test_steps_beyond_all_tracks_tie_nothing():
    positions, score = a_track(frames=50)
    positions = with_errors(positions, score, 1.5)
    endless = [refine(positions, score, Settings(long_step=n)) for n in (60, 2**31, 2**62)]
    for one in endless[1:]:
        torch.testing.assert_close(one, endless[0])


def test_what_lies_on_a_gpu_gets_back_there(device):
    positions, score = a_track(frames=30, device=device)
    refined = refine(positions, score)
    assert refined.device == positions.device
    torch.testing.assert_close(refined.cpu(), refine(positions.cpu(), score.cpu()))


# ---- what the energy promises --------------------------------------------------------------------


@BOTH_SOLVERS
def test_nothing_to_smooth_gives_the_input_back(solver):
    positions, score = a_track(2)
    for seen in (None, torch.ones_like(score)):
        same = refine(positions, seen, Settings(**NO_SMOOTHING), solver, iterations=20)
        torch.testing.assert_close(same, positions, rtol=0, atol=1e-6)


@BOTH_SOLVERS
def test_someone_who_stands_still_stays_so(solver):
    positions = torch.randn(2, 1, 5, 3, dtype=torch.float64).expand(2, 50, 5, 3)
    same = refine(positions, torch.rand(2, 50), solver=solver, iterations=50)
    torch.testing.assert_close(same, positions, rtol=0, atol=1e-6)


@pytest.mark.parametrize("settings", [Settings(), Settings(root_long=0, pose_long=0)])
def test_where_the_score_is_0_the_prediction_plays_no_part(settings):
    """Claim veges2020-c12."""
    positions, score = a_track(frames=100)
    score[30:60] = 0
    refined = refine(positions, score, settings)
    other = positions.clone()
    other[30:60] += 3 * torch.randn(30, 3, 3, dtype=torch.float64)
    torch.testing.assert_close(refine(other, score, settings), refined, rtol=0, atol=1e-10)
    assert (refined - positions)[30:60].abs().max() > 0.01
    missing = positions.clone()
    missing[30:60] = NAN
    torch.testing.assert_close(refine(missing, score, settings), refined, rtol=0, atol=1e-10)


@BOTH_SOLVERS
def test_a_shifted_prediction_is_shifted(solver):
    positions, score = a_track(2, noise=0.1)
    positions = with_errors(positions, score, 1.0)
    shift = torch.tensor([0.5, -1.0, 2.0])
    refined = refine(positions, score, solver=solver, iterations=50)
    shifted = refine(positions + shift, score, solver=solver, iterations=50)
    torch.testing.assert_close(shifted, refined + shift, rtol=0, atol=1e-4)


@BOTH_SOLVERS
def test_people_together_are_people_one_by_one(solver):
    positions, score = a_track(4, noise=0.05)
    positions = with_errors(positions, score, 1.0)
    positions[0, 20:26], positions[2, 7, 1] = NAN, NAN
    together = refine(positions, score, solver=solver, iterations=50)
    alone = [
        refine(*one, solver=solver, iterations=50) for one in zip(positions, score, strict=True)
    ]
    torch.testing.assert_close(together, torch.stack(alone), rtol=0, atol=1e-6)


@BOTH_SOLVERS
def test_padding_changes_nothing(solver):
    positions, score = a_track(2, frames=60)
    positions[1, 45:] = NAN
    refined = refine(positions, score, solver=solver)
    short = refine(positions[1, :45], score[1, :45], solver=solver)
    close = {"direct": 1e-7, "adam": 5e-3}[solver]  # Adam has not quite arrived
    torch.testing.assert_close(refined[1, :45], short, rtol=0, atol=close)
    torch.testing.assert_close(refined[1, 45:], short[-1:].expand(15, 3, 3), rtol=0, atol=close)


@BOTH_SOLVERS
@pytest.mark.parametrize("settings", [Settings(), Settings(**NO_SMOOTHING)])
def test_gaps_are_filled(solver, settings):
    positions, score = a_track(2)
    positions[0, :4], positions[0, 30:42], positions[1, 10:12, 2] = NAN, NAN, NAN
    for seen in (score, None, torch.zeros_like(score)):
        refined = refine(positions, seen, settings, solver, iterations=20)
        assert refined.isfinite().all()
        assert (refined - positions).nan_to_num().abs().max() < 1
        assert (refined[0, 30:42] - refined[0, 29]).abs().max() < 1


@BOTH_SOLVERS
def test_outliers_beyond_the_cap_are_ignored(solver):
    """However far off a frame is, the track passes it by."""
    clean, _ = a_track(joints=1, noise=0.0)
    refined = []
    # Adam starts in the outlier, and draws the frames beside it along where that is far off
    for size in {"direct": (3.0, 30.0), "adam": (2.0, 3.0)}[solver]:
        positions = clean.clone()
        positions[20, 0, 0] += size
        refined.append(refine(positions, None, RAW, solver, learning_rate=0.2))
        assert (refined[-1] - clean).abs().max() < 0.1
    close = {"direct": 1e-7, "adam": 0.1}[solver]
    torch.testing.assert_close(refined[0], refined[1], rtol=0, atol=close)


def test_hidden_frames_come_closer_to_the_truth():
    """What it is for: errors of half a metre where someone is hidden."""
    truth, score = a_track(4, frames=150, noise=0.0)
    predicted = with_errors(truth, score, 0.5)
    refined = refine(predicted, score)
    before, after = ((p - truth)[:, :, 0].norm(dim=-1) for p in (predicted, refined))
    assert after[score < 0.5].mean() < 0.6 * before[score < 0.5].mean()
    assert after[score >= 0.5].mean() < 0.05


# ---- kinds, history, refusals --------------------------------------------------------------------


@BOTH_SOLVERS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("people", [(), (2,)])
def test_shape_kind_and_precision_stay(solver, dtype, people, device):
    positions, score = a_track(*people, frames=30, dtype=dtype, device=device)
    before = positions.clone()
    refined = refine(positions, score, solver=solver, iterations=3)
    assert (refined.shape, refined.dtype) == (positions.shape, dtype)
    assert refined.device == positions.device
    arrays = positions.cpu().numpy(), score.cpu().numpy()
    arrays[0].flags.writeable = False
    plain = refine(*arrays, solver=solver, iterations=3)
    assert isinstance(plain, np.ndarray) and plain.dtype == arrays[0].dtype
    np.testing.assert_allclose(plain, refined.cpu(), atol=1e-5)
    assert torch.equal(positions, before)


def test_history_falls_to_the_result(device):
    positions, score = a_track(2, device=device)
    positions = with_errors(positions.cpu(), score.cpu(), 1.5).to(device)
    for solver, steps in ((adam, {"iterations": 30}), (direct, {})):
        refined, history = solver(positions, score, **steps, history=True)
        assert torch.equal(refined, solver(positions, score, **steps))
        steps_taken = len(history.energy)
        assert steps_taken == len(history.seconds) and steps_taken >= 3
        assert steps_taken == 31 or solver is direct
        assert (history.seconds.diff() >= 0).all()
        start, end = (energy(p, positions, score).cpu() for p in (positions, refined))
        torch.testing.assert_close(history.energy[0].double(), start, rtol=1e-5, atol=0)
        torch.testing.assert_close(history.energy[-1].double(), end, rtol=1e-5, atol=0)
        assert (end < 0.9 * start).all()
    assert (history.energy.diff(dim=0) <= 1e-9).all()  # of the direct one, at each step
    assert direct(positions[0], score[0], history=True)[1].energy.ndim == 1


def test_wrong_input_is_refused():
    positions, score = a_track(2, frames=5)
    for wrong, words in (
        (positions.tolist(), "list"),
        (positions.long(), "int64.*float32"),
        (positions[..., :2], r"\(2, 5, 3, 2\)"),
        (positions[:, :0], "at least one frame"),
        (positions[0, 0], r"\(3, 3\)"),
        (positions / 0, "infinity"),
    ):
        with pytest.raises(ValueError, match=words):
            refine(wrong)
    with pytest.raises(ValueError, match=r"unknown solver 'adams'.*'direct', 'adam'.*'adam'\?"):
        refine(positions, score, solver="adams")
    for steps in ({"iterations": -1}, {"learning_rate": 0.0}):
        with pytest.raises(ValueError, match="number of steps"):
            refine(positions, score, solver="adam", **steps)


@BOTH_SOLVERS
def test_a_joint_never_known_is_refused(solver):
    positions, score = a_track(2, frames=5)
    positions[1, :, 2] = NAN
    with pytest.raises(ValueError, match="joint 2 of person 1 is not known in any frame"):
        refine(positions, score, solver=solver)
