"""Rigid alignment against LAPACK's singular vectors, against SciPy pose by pose, and on the poses
that leave a rotation undetermined."""

import numpy as np
import pytest
import torch
from samples import aligned, assert_close
from scipy.spatial.transform import Rotation

from paperlib import alignment
from paperlib.alignment import procrustes, proper_svd
from paperlib.kinematics import rotation_from_vector

PRECISIONS = {torch.float32: 2e-6, torch.float64: 1e-13}
BOTH_PRECISIONS = pytest.mark.parametrize(("dtype", "close"), PRECISIONS.items(), ids=str)
BOTH_DTYPES = pytest.mark.parametrize("dtype", PRECISIONS, ids=str)
MIRROR = torch.tensor([-1.0, 1.0, 1.0])


def centred(points):
    return points.double() - points.double().mean(-2, keepdim=True)


def aligned_by_lapack(source, target, scale=True):
    """The textbook solution in float64, by a call of ``torch.linalg.svd``."""
    a, b = centred(source), centred(target)
    u, s, vh = torch.linalg.svd(b.mT @ a)
    sign = torch.ones_like(s)
    sign[..., 2] = (torch.linalg.det(u) * torch.linalg.det(vh)).sign()
    turned = a @ (u * sign[..., None, :] @ vh).mT
    factor = (s * sign).sum(-1) / a.square().sum((-2, -1)) if scale else torch.ones_like(s[..., 0])
    return factor[..., None, None] * turned + target.double().mean(-2, keepdim=True)


def people(*shape, spread=1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Poses of 17 joints, and ones that are turned, scaled, moved and noisy by ``spread``."""
    source = torch.randn(*shape, 17, 3, dtype=torch.float64)
    turn = rotation_from_vector(2 * torch.randn(*shape, 3, dtype=torch.float64))
    target = 0.8 * source @ turn.mT + torch.randn(*shape, 1, 3, dtype=torch.float64)
    return source, target + spread * torch.randn_like(source)


def flat(*shape) -> tuple[torch.Tensor, torch.Tensor]:
    source, target = people(*shape, spread=0.3)
    return source * torch.tensor([1.0, 1.0, 0.0]), target


def straight(*shape) -> tuple[torch.Tensor, torch.Tensor]:
    along = torch.randn(*shape, 17, 1, dtype=torch.float64)
    source = along * torch.randn(*shape, 1, 3, dtype=torch.float64)
    return source, along * torch.randn(*shape, 1, 3, dtype=torch.float64) + 1


def coincident(*shape) -> tuple[torch.Tensor, torch.Tensor]:
    _, target = people(*shape)
    return torch.randn(*shape, 1, 3, dtype=torch.float64).repeat_interleave(17, -2), target


def nearly(make, distance):
    """What ``make`` gives, moved from it by about ``distance``."""

    def made(*shape):
        source, target = make(*shape)
        return source + distance * torch.randn_like(source), target

    return made


POSES = {
    "random": lambda *shape: people(*shape, spread=3.0),
    "noisy": lambda *shape: people(*shape, spread=0.1),
    "equal": lambda *shape: people(*shape, spread=0.0),
    "mirrored": lambda *shape: (lambda s, t: (s * MIRROR, t))(*people(*shape, spread=0.1)),
    "coplanar": flat,
    "nearly coplanar": nearly(flat, 1e-5),
    "collinear": straight,
    "nearly collinear": nearly(straight, 1e-5),
    "far away": lambda *shape: (lambda s, t: (s + 5, t + 5))(*people(*shape, spread=0.1)),
}
EVERY_POSE = pytest.mark.parametrize("make", POSES.values(), ids=POSES)


def misfit(source, target, scale=True) -> torch.Tensor:
    return (procrustes(source, target, scale).apply(source) - target).square().sum((-1, -2))


# ---- the best similarity -------------------------------------------------------------------------


@BOTH_PRECISIONS
@EVERY_POSE
@pytest.mark.parametrize("scale", [True, False])
def test_it_is_as_close_as_lapacks_in_double_precision(make, scale, dtype, close):
    source, target = (p.to(dtype) for p in make(500))
    found = procrustes(source, target, scale)
    assert found.rotation.dtype == found.scale.dtype == found.translation.dtype == dtype
    eye = torch.eye(3, dtype=dtype).expand(500, 3, 3)
    assert_close(found.rotation @ found.rotation.mT, eye, 5 * close)
    assert_close(torch.linalg.det(found.rotation), torch.ones(500), 5 * close)
    best = (aligned_by_lapack(source, target, scale) - target).norm(dim=(-2, -1))
    error = (found.apply(source).double() - target).norm(dim=(-2, -1))
    size = target.norm(dim=(-2, -1)) + source.norm(dim=(-2, -1))
    assert ((error - best) / size).abs().max() < close


@BOTH_PRECISIONS
@pytest.mark.parametrize("make", [POSES[n] for n in ("random", "noisy", "coplanar", "far away")])
def test_joints_lie_where_lapack_puts_them(make, dtype, close):
    """Where one rotation is clearly the best."""
    source, target = (p.to(dtype) for p in make(500))
    expected = aligned_by_lapack(source, target)
    values = torch.linalg.svdvals(centred(target).mT @ centred(source))
    clear = values[:, 1] - values[:, 2] > 0.05 * values[:, 0]
    assert clear.sum() > 300
    assert_close(procrustes(source, target).apply(source)[clear], expected[clear], 100 * close)


@BOTH_PRECISIONS
@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6, 1e12])
def test_the_unit_does_not_matter(unit, dtype, close):
    source, target = (p.to(dtype) for p in people(50, spread=0.1))
    expected = procrustes(source, target)
    for a, b in ((unit, unit), (1.0, unit), (unit, 1.0)):
        found = procrustes(a * source, b * target)
        assert_close(found.rotation, expected.rotation, 10 * close)
        assert_close(found.scale * (a / b), expected.scale, 10 * close)
        assert_close(found.translation / b, expected.translation, 20 * close)


@BOTH_PRECISIONS
def test_a_known_similarity_is_found_again(dtype, close):
    turn = torch.from_numpy(Rotation.random(40, rng=np.random.default_rng(0)).as_matrix())
    source = torch.randn(40, 17, 3, dtype=torch.float64)
    size = torch.rand(40, dtype=torch.float64) * 3 + 0.2
    moved = torch.randn(40, 3, dtype=torch.float64)
    target = size[:, None, None] * source @ turn.mT + moved[:, None]
    found = procrustes(source.to(dtype), target.to(dtype))
    assert_close(found.scale, size, 20 * close)
    assert_close(found.rotation, turn, 20 * close)
    assert_close(found.translation, moved, 20 * close)
    assert_close(found.apply(source.to(dtype)), target, 50 * close)


def test_a_quarter_turn_worked_by_hand():
    source = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 3], [0, 0, -3]])
    # x to y to -x, three times as large, moved by (1, 2, 3)
    target = torch.tensor([[0.0, 3, 0], [0, -3, 0], [-6, 0, 0], [6, 0, 0], [0, 0, 9], [0, 0, -9]])
    found = procrustes(source, target + torch.tensor([1.0, 2.0, 3.0]))
    assert found.scale.item() == pytest.approx(3, abs=1e-6)
    assert_close(found.rotation, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], 1e-6)
    assert_close(found.translation, [1, 2, 3], 1e-6)
    assert procrustes(source, target, scale=False).scale.item() == 1.0


def test_a_mirror_image_is_never_mirrored_back():
    target = torch.randn(100, 17, 3, dtype=torch.float64)
    found = procrustes(target * MIRROR, target)
    assert_close(torch.linalg.det(found.rotation), np.ones(100), 1e-12)
    assert (misfit(target * MIRROR, target) > 1e-2).all()


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_alignment_is_scipys_pose_by_pose(scale, mirror):
    source = torch.randn(60, 17, 3, dtype=torch.float64) + 4
    target = mirror * source * 0.7 + torch.randn(60, 17, 3, dtype=torch.float64) * 0.3
    pairs = zip(source.numpy(), target.numpy(), strict=True)
    expected = [aligned(one, other, scale) for one, other in pairs]
    assert_close(procrustes(source, target, scale).apply(source), expected, 1e-10)


def test_no_other_similarity_is_closer():
    source, target = torch.randn(2, 17, 3, dtype=torch.float64)
    best = procrustes(source, target)
    for _ in range(50):
        nudge = rotation_from_vector(torch.randn(3, dtype=torch.float64) * 0.05)
        other = best._replace(
            scale=best.scale * (1 + 0.05 * torch.randn(()).double()),
            rotation=nudge @ best.rotation,
            translation=best.translation + 0.05 * torch.randn(3).double(),
        )
        assert misfit(source, target) < (other.apply(source) - target).square().sum()


def test_without_scale_the_size_stays():
    source = torch.randn(5, 17, 3, dtype=torch.float64)
    found = procrustes(source, 2 * source, scale=False)
    assert found.scale.tolist() == [1.0] * 5
    assert_close(found.rotation, np.broadcast_to(np.eye(3), (5, 3, 3)), 1e-12)


# ---- poses that leave something open -------------------------------------------------------------


@BOTH_PRECISIONS
@pytest.mark.parametrize("value", [0.0, 0.1, 5.3])
def test_points_that_coincide_are_only_moved(value, dtype, close):
    source, target = torch.full((17, 3), value, dtype=dtype), torch.randn(17, 3, dtype=dtype)
    found = procrustes(source, target)
    assert found.scale.item() == pytest.approx(0, abs=close)
    assert torch.linalg.det(found.rotation).item() == pytest.approx(1, abs=10 * close)
    assert_close(found.apply(source), target.mean(dim=0).expand(17, 3), 20 * close)
    onto = procrustes(target, source)
    assert_close(onto.apply(target), source, 20 * close)


@BOTH_PRECISIONS
def test_points_on_a_line_are_aligned(dtype, close):
    along = torch.linspace(-1, 2, 17, dtype=dtype)[:, None]
    source = along * torch.tensor([1.0, 2.0, -2.0], dtype=dtype)
    target = along * torch.tensor([0.0, 0.0, 3.0], dtype=dtype) + 1
    found = procrustes(source, target)
    assert found.scale.item() == pytest.approx(1, abs=10 * close)
    assert torch.linalg.det(found.rotation).item() == pytest.approx(1, abs=10 * close)
    assert_close(found.apply(source), target, 50 * close)


def test_points_in_a_plane_are_aligned_without_a_reflection():
    source = torch.randn(20, 17, 3, dtype=torch.float64)
    source[..., 2] = 0
    mirrored = source * MIRROR  # in space, half a turn about y
    assert misfit(source, mirrored).max() < 1e-20
    assert_close(torch.linalg.det(procrustes(source, mirrored).rotation), np.ones(20), 1e-12)


@BOTH_PRECISIONS
def test_singular_values_of_special_matrices(dtype, close):
    """Nothing, the identity, a mirror, equal values, rank one and two, columns of unlike size."""
    rank_one = torch.tensor([1.0, 2.0, 3.0])[:, None] * torch.tensor([0.0, -1.0, 1.0])
    eye, diagonals = torch.eye(3), [[1, 1, 0], [2, 2, -1], [1e-6, 1, 1e6]]
    matrices = [torch.zeros(3, 3), eye, -eye, 1e-30 * eye, eye[[1, 2, 0]], torch.ones(3, 3)]
    matrices += [
        rank_one,
        rank_one + torch.diag(eye[0]),
        *torch.diag_embed(torch.tensor(diagonals)),
    ]
    stacked = torch.stack(matrices).to(dtype)
    left, values, right = (x.movedim(-1, 0) for x in proper_svd(stacked.permute(1, 2, 0)))
    expected = torch.linalg.svdvals(stacked.double())
    expected[:, 2] *= torch.linalg.det(stacked.double()).sign()
    largest = expected[:, :1].clamp_min(1e-37)
    assert_close(values / largest, expected / largest, 5 * close)
    made = left * values[:, None] @ right.mT
    assert_close((made - stacked) / largest[..., None], torch.zeros_like(made), 5 * close)
    for frame in (left, right):
        assert_close(frame @ frame.mT, torch.eye(3).expand_as(frame), 5 * close)
        assert_close(torch.linalg.det(frame), torch.ones(len(frame)), 5 * close)


def random_matrices(kind: str) -> torch.Tensor:
    first, second = torch.linalg.qr(torch.randn(2, 20_000, 3, 3, dtype=torch.float64))[0]
    if kind == "any":
        return torch.randn_like(first)
    lost = {"of rank two": [1.0, 0.1, 0.0], "of rank one": [1.0, 0.0, 0.0]}
    return first * torch.tensor(lost[kind]) @ second


@BOTH_PRECISIONS
@pytest.mark.parametrize("kind", ["any", "of rank two", "of rank one"])
def test_the_rounds_suffice_for_every_one_of_many_matrices(kind, dtype, close):
    matrices = random_matrices(kind).to(dtype)
    found = proper_svd(matrices.permute(1, 2, 0))
    left, values, right = (x.movedim(-1, 0).double() for x in found)
    made = left * values[:, None] @ right.mT
    assert ((made - matrices).abs().amax((1, 2)) / values[:, 0]).max() < close
    for frame in (left, right):
        assert_close(frame @ frame.mT, torch.eye(3).expand_as(frame), close)


def test_the_turn_about_a_line_is_found_from_points_close_to_it():
    """A width of 1e-4 determines it to 1e-8 in float64, and its effect on the points fully."""
    along = torch.randn(200, 17, 1, dtype=torch.float64)
    source = along * torch.tensor([1.0, 2.0, -2.0]) + 1e-4 * torch.randn(200, 17, 3).double()
    turn = rotation_from_vector(torch.randn(200, 3, dtype=torch.float64))
    assert_close(procrustes(source, source @ turn.mT).rotation, turn, 1e-7)


def test_a_broken_pose_spoils_no_other():
    source, target = people(6, spread=0.1)
    whole = procrustes(source, target).apply(source)
    source[2, 4, 1], target[4, 0, 0] = torch.nan, torch.inf
    moved = procrustes(source, target).apply(source)
    sound = [0, 1, 3, 5]
    assert torch.equal(moved[sound], whole[sound])
    assert not moved[[2, 4]].isfinite().any(dim=-1).any()


# ---- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(
    "make", [POSES[n] for n in ("random", "noisy", "equal", "mirrored", "coplanar")]
)
def test_gradients_are_those_of_small_changes(make, scale):
    source, target = (p[:, :6].clone().requires_grad_() for p in make(2))

    def outcome(source, target):
        found = procrustes(source, target, scale)
        return found.apply(source), *found

    assert torch.autograd.gradcheck(outcome, (source, target), atol=1e-6)


@pytest.mark.parametrize("width", [1e-2, 1e-3])
def test_gradients_hold_for_points_almost_on_a_line(width):
    along = torch.linspace(-1, 1, 6, dtype=torch.float64)[:, None]
    source = along * torch.tensor([1.0, 2.0, -2.0]) + width * torch.randn(6, 3).double()
    target = along * torch.tensor([0.0, 3.0, 0.0]) + width * torch.randn(6, 3).double()
    inputs = (source.requires_grad_(), target.requires_grad_())
    assert torch.autograd.gradcheck(
        lambda s, t: procrustes(s, t).rotation, inputs, eps=1e-7 * width, atol=1e-3, rtol=1e-3
    )


def test_the_gradient_of_a_rotation_as_worked_by_hand():
    """About z, the best angle of M is atan2(M10 - M01, M00 + M11): of the identity, its gradient
    by M10 is one half, and R10 is its sine."""
    matrix = torch.eye(3, dtype=torch.float64)[..., None].requires_grad_()
    alignment._Rotation.apply(matrix)[1, 0].sum().backward()
    expected = [[0, -0.5, 0], [0.5, 0, 0], [0, 0, 0]]
    assert_close(matrix.grad[..., 0], expected, 1e-15)


def test_a_turn_that_changes_nothing_has_no_gradient():
    """Of rank one, M says nothing of the turn about its axes; what it does say has a gradient of
    at most twice the upstream one over its only singular value, 2."""
    first, second = torch.linalg.qr(torch.randn(2, 500, 3, 3, dtype=torch.float64))[0]
    matrices = (first * torch.tensor([2.0, 0.0, 0.0]) @ second).permute(1, 2, 0).requires_grad_()
    upstream = torch.randn(3, 3, 500, dtype=torch.float64)
    alignment._Rotation.apply(matrices).backward(upstream)
    bound = upstream.square().sum((0, 1)).sqrt()
    assert (matrices.grad.square().sum((0, 1)).sqrt() <= (1 + 1e-9) * bound).all()


@BOTH_DTYPES
@pytest.mark.parametrize(
    "make", [coincident, straight, flat, POSES["equal"], lambda *s: (torch.zeros(*s, 17, 3),) * 2]
)
def test_no_pose_has_a_gradient_of_nan_or_infinity(make, dtype):
    for a, b in (make(30), make(30)[::-1]):
        source = a.to(dtype).clone().requires_grad_()
        target = b.to(dtype).clone().requires_grad_()
        (procrustes(source, target).apply(source) - target).square().sum().backward()
        assert source.grad.isfinite().all()
        assert target.grad.isfinite().all()


# ---- shapes --------------------------------------------------------------------------------------


def test_alignment_takes_any_batch_and_stays_on_its_device(device):
    source, target = torch.randn(2, 3, 4, 17, 3, device=device)
    found = procrustes(source, target)
    assert found.scale.shape == (3, 4)
    assert found.rotation.shape == (3, 4, 3, 3)
    assert found.translation.shape == (3, 4, 3)
    assert found.apply(source).device.type == device.type
    alone = procrustes(source[1, 2], target[1, 2]).apply(source[1, 2])
    assert_close(found.apply(source)[1, 2].cpu(), alone.cpu(), 1e-5)


@pytest.mark.parametrize("batch", [(0,), (2, 0), (0, 3)])
def test_no_poses_give_no_similarities(batch):
    source = torch.zeros(*batch, 17, 3, requires_grad=True)
    found = procrustes(source, torch.zeros(*batch, 17, 3))
    assert found.scale.shape == batch
    assert found.rotation.shape == (*batch, 3, 3)
    assert found.apply(source).shape == (*batch, 17, 3)
    found.apply(source).sum().backward()


def test_blocks_make_no_difference(monkeypatch):
    source, target = (p.requires_grad_() for p in people(10, spread=0.1))
    whole = procrustes(source, target)
    (gradient,) = torch.autograd.grad(whole.apply(source).square().sum(), source)
    monkeypatch.setitem(alignment._BLOCK, "cpu", 4)  # 4 + 4 + 2
    parts = procrustes(source, target)
    for a, b in zip(parts, whole, strict=True):
        assert_close(a.detach(), b.detach(), 1e-13)
    (again,) = torch.autograd.grad(parts.apply(source).square().sum(), source)
    assert_close(again, gradient, 1e-13)


def test_strides_make_no_difference():
    source, target = people(6, 5, spread=0.1)
    expected = procrustes(source, target)
    # frames before people, coordinates before joints, every second frame
    for view in (
        lambda p: p.transpose(0, 1).contiguous().transpose(0, 1),
        lambda p: p.mT.contiguous().mT,
        lambda p: p.repeat_interleave(2, dim=0)[::2],
    ):
        found = procrustes(view(source), view(target))
        for a, b in zip(found, expected, strict=True):
            assert_close(a, b, 1e-14)
    one = procrustes(source[:1].expand(6, 5, 17, 3), target)
    assert_close(one.scale, procrustes(source[:1].repeat(6, 1, 1, 1), target).scale, 1e-14)


@pytest.mark.parametrize("joints", [1, 2, 3, 4, 50])
def test_any_number_of_joints(joints):
    source, target = torch.randn(2, 20, joints, 3, dtype=torch.float64)
    best = (aligned_by_lapack(source, target) - target).norm(dim=(-2, -1)) if joints > 1 else 0.0
    assert_close(misfit(source, target).sqrt(), torch.as_tensor(best).expand(20), 1e-12)


@pytest.mark.parametrize("shapes", [((17, 3), (16, 3)), ((17, 2), (17, 2)), ((3,), (3,))])
def test_alignment_refuses_other_shapes(shapes):
    with pytest.raises(ValueError, match="procrustes"):
        procrustes(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


@pytest.mark.parametrize(
    "dtypes", ["float16", "bfloat16", "int64", "float32 float64", "float64 float32"]
)
def test_alignment_refuses_coarse_and_mixed_numbers(dtypes):
    first, *second = (torch.zeros(17, 3, dtype=getattr(torch, name)) for name in dtypes.split())
    with pytest.raises(ValueError, match=r"float32 or float64.*\.float\(\)"):
        procrustes(first, *second or [first])
