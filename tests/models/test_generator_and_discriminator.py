"""A generator with its discriminator: what it gives, what of it can be used alone, and the pool."""

import pytest
import torch
from networks import lifting

from paperlib.models import GeneratorAndDiscriminator, TemporalModel, build
from paperlib.skeletons import H36M_17


def both(generator=None, pool: int = 5, frames: int = 4, **options) -> GeneratorAndDiscriminator:
    sizes = {"discriminator_channels": 8, "discriminator_blocks": 1} | options
    generator = lifting() if generator is None else generator
    return GeneratorAndDiscriminator(
        generator, H36M_17.parents, pool=pool, pool_frames=frames, **sizes
    )


def test_called_it_gives_what_the_generator_does():
    model = both().eval()
    x = torch.rand(2, 20, 17, 2)
    assert torch.equal(model(x), model.generator(x))
    assert (model.receptive_field, model.causal) == (9, False)
    assert both(lifting(27, causal=True)).causal


def test_the_generator_alone_is_a_model_like_any_other():
    model = both().eval()
    config = {"class": model.config["generator"], **model.generator.config}
    alone = build(config)
    alone.load_state_dict(model.generator.state_dict())
    x = torch.rand(2, 20, 17, 2)
    assert torch.equal(alone.eval()(x), model(x))
    names = {name.split(".")[0] for name in alone.state_dict()}
    assert names == {"expand", "blocks", "shrink"}


def test_both_are_built_of_one_configuration():
    model = both(intervals=(1, 3), spatial=False, spectral_norm=False)
    again = build({"class": "GeneratorAndDiscriminator", **model.config})
    assert again.config == model.config
    assert again.discriminator.config == model.discriminator.config
    again.load_state_dict(model.state_dict())


def poses(first: int, count: int, frames: int = 4) -> torch.Tensor:
    """Sequences that say by their numbers which they are."""
    numbers = torch.arange(first, first + count).float()
    return numbers[:, None, None, None].expand(count, frames, 17, 3)


def which(sequences: torch.Tensor) -> list[int]:
    assert sequences.shape[1:] == (4, 17, 3)
    return sequences[:, 0, 0, 0].int().tolist()


def test_the_pool_holds_the_last_ones(device):
    model = both().to(device)
    model.remember(poses(0, 3).to(device))
    assert which(model.pool.cpu()) == [0, 1, 2, 0, 0]
    model.remember(poses(3, 3).to(device))
    assert sorted(which(model.pool.cpu())) == [1, 2, 3, 4, 5]
    model.remember(poses(6, 5).to(device))
    assert sorted(which(model.pool.cpu())) == [6, 7, 8, 9, 10]
    assert model.made.item() == 11


def test_nothing_is_recalled_that_was_not_made(device):
    model = both(pool=8).to(device)
    model.remember(poses(1, 2).to(device))
    drawn = [which(model.recall(2).cpu()) for _ in range(20)]
    assert {number for two in drawn for number in two} == {1, 2}


def test_half_of_what_is_recalled_is_new_and_the_rest_any():
    model = both(pool=8)
    for first, count in ((1, 2), (3, 6), (9, 2)):
        model.remember(poses(first, count))
    drawn = [which(model.recall(2)) for _ in range(2000)]
    first, second = zip(*drawn, strict=True)
    for number, found in ((9, first), (10, second)):
        assert found.count(number) / 2000 == pytest.approx(0.5 + 0.5 / 8, abs=0.05)
    others = [number for number in (*first, *second) if number < 9]
    assert set(others) == set(range(3, 9))
    for number in range(3, 9):
        assert others.count(number) / 4000 == pytest.approx(0.5 / 8, abs=0.02)


def test_the_pool_is_saved_and_no_gradient_goes_through_it():
    model = both()
    model.remember(poses(1, 4).clone().requires_grad_())
    assert not model.pool.requires_grad and not model.recall(2).requires_grad
    again = both()
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.pool, model.pool) and again.made == 4


def test_more_than_the_pool_holds_are_refused():
    model = both()
    with pytest.raises(ValueError, match="6 sequences are more than the pool's 5"):
        model.remember(poses(0, 6))
    with pytest.raises(ValueError, match="6 sequences are more than the pool's 5"):
        model.recall(6)


def test_unknown_generators_are_refused_by_name():
    with pytest.raises(ValueError, match=r"unknown generator 'LinearModel'.*'TemporalModel'"):
        both("LinearModel")


def test_options_of_the_same_name_are_refused():
    class Odd(TemporalModel):
        def __init__(self):
            super().__init__(17, 2, 17, (3,), channels=8)
            self.config["pool"] = 3

    with pytest.raises(ValueError, match=r"may not have options named \['pool'\]"):
        both(Odd())
