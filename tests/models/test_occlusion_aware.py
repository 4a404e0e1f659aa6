"""The occlusion-aware network zeroes what it takes to be hidden, where it should."""

import pytest
import torch

from paperlib.models import CODINGS, GATES, VECTORS, OcclusionAware, TemporalModel, filter_widths
from paperlib.models.complexity import count_parameters, flops_per_frame, flops_per_window

JOINTS = 5
LOGIT = 12.0  # an occlusion that is as good as certain


def network(vectors="many", gate="hard", field=9, **options) -> OcclusionAware:
    options |= {"vectors": vectors, "gate": gate, "channels": 8}
    return OcclusionAware(JOINTS, 3, JOINTS, filter_widths(field), **options).eval()


def following(vectors: str, gate: str = "hard", **options) -> OcclusionAware:
    """A network that takes a keypoint as hidden exactly where the guess says so: each convolution
    passes its middle tap on."""
    model = network(vectors, gate, **options)
    with torch.no_grad():
        for layer in model.branch:
            layer.weight.zero_()
            layer.weight[:, JOINTS : 2 * JOINTS] = torch.eye(JOINTS)
            layer.bias.zero_()
        model.branch[-1].weight *= 2 * LOGIT
        model.branch[-1].bias -= LOGIT
    return model


def views(frames: int, batch: int = 2) -> torch.Tensor:
    places = torch.randn(batch, frames, JOINTS, 2)
    seen = (torch.rand(batch, frames, JOINTS, 1) < 0.6).float()
    return torch.cat([places, seen], dim=-1)


@pytest.mark.parametrize(("vectors", "more"), [("one", 0), ("many", 2)])
@pytest.mark.parametrize("field", [1, 9, 27])
def test_shapes(vectors, more, field):
    model = network(vectors, field=field)
    assert model.receptive_field == field + more
    poses, occlusion = model.poses_and_occlusion(views(40))
    assert poses.shape == (2, 40 - model.receptive_field + 1, JOINTS, 3)
    assert occlusion.shape == (2, 38 if vectors == "many" else poses.shape[1], JOINTS)
    assert ((occlusion > 0) & (occlusion < 1)).all()


@pytest.mark.parametrize("vectors", VECTORS)
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("coding", CODINGS)
def test_a_sequence_gives_what_its_windows_give(vectors, gate, coding):
    model, x = network(vectors, gate, coding=coding), views(60)
    whole = model(x)
    windows = x.unfold(1, model.receptive_field, 1).permute(0, 1, 4, 2, 3)
    alone = torch.stack([model(windows[:, i])[:, 0] for i in range(windows.shape[1])], dim=1)
    torch.testing.assert_close(whole, alone, rtol=0, atol=1e-5)


def test_long_sequences_are_taken_in_parts(monkeypatch):
    model, x = network("one"), views(30)
    whole = model(x)
    monkeypatch.setattr("paperlib.models.occlusion_aware._AT_ONCE", 7)
    torch.testing.assert_close(model(x), whole, rtol=0, atol=1e-6)


def test_many_vectors_zero_every_frame():
    model, x = following("many"), views(25)
    zeroed = (x[..., :2] * x[..., 2:])[:, 1:-1]
    torch.testing.assert_close(model(x), model.lifting(zeroed), rtol=0, atol=1e-6)
    torch.testing.assert_close(model.occlusion(x), 1 - x[:, 1:-1, :, 2], rtol=0, atol=1e-4)


def test_one_vector_zeroes_the_frame_it_belongs_to():
    model, x = following("one"), views(9)  # a window
    zeroed = x[..., :2].clone()
    zeroed[:, 4] *= x[:, 4, :, 2:]
    torch.testing.assert_close(model(x), model.lifting(zeroed), rtol=0, atol=1e-6)
    torch.testing.assert_close(model.occlusion(x)[:, 0], 1 - x[:, 4, :, 2], rtol=0, atol=1e-4)


HIDDEN = [0, 1, 1, 0, 1]  # of one keypoint over five frames, whose x is 0, 1, 4, 9, 16


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        ("zero", [0, 0, 0, 9, 0]),
        ("zero_and_mask", [0, 0, 0, 9, 0]),
        ("mask", [0, 1, 4, 9, 16]),
        ("root", [0, -1, -4, 9, -16]),
        ("interpolated", [0, 3, 6, 9, 9]),  # the last has none after it
    ],
)
def test_codings_by_hand(coding, expected):
    model = network(coding=coding, root=2)
    places = torch.zeros(1, 5, JOINTS, 2)
    places[0, :, 1, 0] = torch.arange(5.0) ** 2
    places[0, :, 2, 0] = -places[0, :, 1, 0]
    kept = torch.ones(1, 5, JOINTS, 1)
    kept[0, :, 1, 0] = 1 - torch.tensor(HIDDEN).float()
    coded = model.coded(places, kept)
    assert coded[0, :, 1, 0].tolist() == pytest.approx(expected)
    others = [j for j in range(JOINTS) if j != 1]
    assert torch.equal(coded[:, :, others, :2], places[:, :, others])
    assert coded.shape[-1] == model.lifting.config["in_features"] == 2 + ("mask" in coding)
    if "mask" in coding:
        assert coded[0, :, 1, 2].tolist() == pytest.approx([0.05 * h for h in HIDDEN])
        assert (coded[:, :, others, 2] == 0).all()


def test_a_line_looks_no_farther_than_the_window():
    """Over 20 hidden frames: within 13 frames of one end it is held, in between there are both."""
    model = network(coding="interpolated")
    assert model.receptive_field == 9 + 2 + 2 * 13
    places, kept = torch.zeros(1, 22, JOINTS, 2), torch.ones(1, 22, JOINTS, 1)
    places[0, :, 0, 0] = torch.arange(22.0) + 100 * (torch.arange(22) % 21 > 0)
    kept[0, 1:21, 0] = 0
    line = model.coded(places, kept)[0, :, 0, 0]
    assert line.tolist() == pytest.approx([0.0] * 8 + [*range(8, 14)] + [21.0] * 8)
    kept[:] = 0  # never seen: as it was found
    assert torch.equal(model.coded(places, kept), places)


def test_one_vector_interpolates_its_middle_frame():
    model, x = following("one", coding="interpolated"), views(9)
    line = x[..., :2].clone()
    hidden = x[:, 4, :, 2:] == 0
    line[:, 4] = torch.where(hidden, (line[:, 3] + line[:, 5]) / 2, line[:, 4])
    torch.testing.assert_close(model(x), model.lifting(line), rtol=0, atol=1e-5)


@pytest.mark.parametrize("vectors", VECTORS)
@pytest.mark.parametrize("coding", CODINGS)
def test_codings_agree_where_nothing_is_hidden_but_in_what_they_carry(vectors, coding):
    model, x = following(vectors, coding=coding), views(50)
    x[..., 2] = 1
    poses = model(x)
    reach = (model.receptive_field - model.lifting.receptive_field) // 2
    places = x[:, reach : x.shape[1] - reach, :, :2]
    mask = [torch.zeros_like(places[..., :1])] if "mask" in coding else []
    torch.testing.assert_close(
        poses, model.lifting(torch.cat([places, *mask], dim=-1)), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("vectors", VECTORS)
def test_decisions_follow_from_guesses_alone(vectors):
    model, x = network(vectors), views(20)
    other = torch.cat([torch.randn_like(x[..., :2]), x[..., 2:]], dim=-1)
    assert torch.equal(model.occlusion(x), model.occlusion(other))
    turned = torch.cat([x[..., :2], 1 - x[..., 2:]], dim=-1)
    assert not torch.allclose(model.occlusion(x), model.occlusion(turned), atol=1e-3)


@pytest.mark.parametrize("vectors", VECTORS)
def test_it_may_start_from_the_guesses(vectors):
    x = views(40)
    model = network(vectors, start_from_guesses=True)
    guesses = 1 - (x[:, 1:-1] if vectors == "many" else x[:, 4:-4])[..., 2]
    agree = ((model.occlusion(x) > 0.5) == (guesses > 0.5)).float().mean()
    assert agree > 0.95
    assert ((network(vectors).occlusion(x) > 0.5) == (guesses > 0.5)).float().mean() < 0.8


def test_the_threshold():
    x = views(20)
    all_kept, none_kept = network(threshold=0.999), network(threshold=0.001)
    torch.testing.assert_close(all_kept(x), all_kept.lifting(x[:, 1:-1, :, :2]), rtol=0, atol=1e-6)
    nothing = torch.zeros(2, 18, JOINTS, 2)
    torch.testing.assert_close(none_kept(x), none_kept.lifting(nothing), rtol=0, atol=1e-6)


def test_gates_differ_in_what_they_pass_back():
    """Forward, straight-through is hard and soft is not; backward, straight-through is soft's
    derivative where hard has none."""
    torch.manual_seed(1)
    hard, through, soft = (network(gate=gate) for gate in GATES)
    for other in (through, soft):
        other.load_state_dict(hard.state_dict())
    x = views(11)
    answers = {model.gate: model(x) for model in (hard, through, soft)}
    torch.testing.assert_close(answers["hard"], answers["straight_through"], rtol=0, atol=1e-6)
    assert not torch.allclose(answers["hard"], answers["soft"], atol=1e-4)
    for answer in answers.values():
        answer.square().sum().backward()
    assert hard.branch[0].weight.grad is None
    assert through.branch[0].weight.grad.abs().max() > 0
    assert soft.branch[0].weight.grad.abs().max() > 0

    occlusion = torch.rand(2, 9, JOINTS, requires_grad=True)
    (through._kept(occlusion) * x[:, 1:-1, :, 0]).sum().backward()
    torch.testing.assert_close(occlusion.grad, -x[:, 1:-1, :, 0])


def test_what_the_branch_costs():
    lifting = TemporalModel(JOINTS, 2, JOINTS, filter_widths(27), channels=8)
    many = network(field=27)
    branch = 3 * JOINTS * JOINTS
    assert count_parameters(many) - count_parameters(lifting) == branch + JOINTS
    assert flops_per_frame(many) - flops_per_frame(lifting) == 2 * branch
    one = network("one", field=27)  # a layer for each of the lifting network's
    assert count_parameters(one) - count_parameters(lifting) == 3 * (branch + JOINTS)


def test_what_a_window_alone_costs():
    """Of 27 frames the first layer computes nine, the second three, and so on."""
    lifting = TemporalModel(JOINTS, 2, JOINTS, filter_widths(27), channels=8)
    first, block, last = 3 * 2 * JOINTS * 8, 3 * 8 * 8 + 8 * 8, 8 * 3 * JOINTS
    assert flops_per_window(lifting) == 2 * (9 * first + 3 * block + block + last)
    single = TemporalModel(JOINTS, 2, JOINTS, (1, 1, 1), channels=8)
    assert flops_per_window(single) == flops_per_frame(single)


@pytest.mark.parametrize("vectors", VECTORS)
def test_half_precision_decides_as_single_does(vectors):
    model, x = following(vectors), views(20)
    with torch.autocast("cpu", torch.bfloat16):
        poses, occlusion = model.poses_and_occlusion(x)
    assert torch.equal(occlusion > 0.5, model.occlusion(x) > 0.5)
    torch.testing.assert_close(poses, model(x), rtol=0, atol=0.05)


def test_wrong_input():
    with pytest.raises(ValueError, match="unknown vectors 'two'"):
        network("two")
    with pytest.raises(ValueError, match="unknown gate 'shut'"):
        network(gate="shut")
    with pytest.raises(ValueError, match="in_features=2"):
        OcclusionAware(JOINTS, 2, JOINTS, (3, 3))
    for wrong in (1, "half"):
        with pytest.raises(ValueError, match=f"threshold={wrong!r}"):
            network(threshold=wrong)
    with pytest.raises(ValueError, match="unknown coding 'mean'"):
        network(coding="mean")
    with pytest.raises(ValueError, match="one of 5 keypoints, got 5"):
        network(coding="root", root=JOINTS)
    with pytest.raises(ValueError, match="filter_widths"):
        OcclusionAware(JOINTS, 3, JOINTS, 27)
    with pytest.raises(ValueError, match="start_from_guesses='yes'"):
        network(start_from_guesses="yes")
    with pytest.raises(ValueError, match=r"expected keypoints and guesses \(B, T, 5, 3\)"):
        network()(torch.zeros(1, 20, JOINTS, 2))
    with pytest.raises(ValueError, match="fewer than the receptive field of 11"):
        network()(torch.zeros(1, 10, JOINTS, 3))
