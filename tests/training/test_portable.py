"""A run is known again on another machine, and another one is not taken for it."""

import ast
from dataclasses import replace

import pytest
import torch
from samples import swinging

from paperlib.models import TemporalModel
from paperlib.recordings import Dataset
from paperlib.training import Recipe, Supervised, portable


def data(*recordings) -> Dataset:
    train = recordings or (swinging("a", 40, 0.2), swinging("b", 60, 0.3))
    return Dataset("swinging", "a test", train=train, test=())


def changed(recording, keypoints):
    return recording.with_keypoints(keypoints, recording.confidence)


def known_again(other: Dataset) -> bool:
    objectives = [
        Supervised(lambda: TemporalModel(17, 2, 17, (3,), channels=8), d) for d in (data(), other)
    ]
    told = [portable.description(o, o.build(), Recipe(), 0) for o in objectives]
    sketches = [{"dataset": portable.sketch(o.dataset)} for o in objectives]
    return portable.alike(*told) and portable.same(*sketches)


def test_last_digits_are_no_other_data():
    generator = torch.Generator().manual_seed(1)
    noisy = [
        replace(
            r,
            keypoints=r.keypoints + 1e-3 * torch.randn(r.keypoints.shape, generator=generator),
            positions=r.positions + 1e-5 * torch.randn(r.positions.shape, generator=generator),
        )
        for r in data().train
    ]
    assert data(*noisy).fingerprint != data().fingerprint
    assert known_again(data(*noisy))


def test_other_data_are():
    one, two = data().train
    moved = one.keypoints.clone()
    moved[7, 3, 1] += 3  # one number of one frame
    lens = replace(one.camera, radial=(0.1, 0.0, 0.0))
    others = [
        (changed(one, moved), two),
        (changed(one, one.keypoints.flip(0)), two),
        (changed(one, one.keypoints + 0.05), two),
        (replace(one, confidence=0.99 * one.confidence), two),
        (replace(one, camera=lens), two),
        (one.cut(0, 39), two),
        (replace(one, fps=25.0), two),
        (replace(one, visible=torch.ones(40, 17, dtype=torch.bool)), two),
        (two, one),
        (one,),
    ]
    assert known_again(data(one, two))
    assert not [number for number, parts in enumerate(others) if known_again(data(*parts))]


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        ({"rate": 0.1}, {"rate": 0.1 * (1 + 1e-12)}, True),
        ({"rate": 0.1}, {"rate": 0.1001}, False),
        ({"epochs": 1}, {"epochs": 1.0}, False),
        ({"flip": True}, {"flip": 1}, False),
        ({"widths": [3, 3]}, {"widths": [3, 3, 3]}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (None, {}, False),
    ],
)
def test_descriptions_differ_by_more_than_rounding(one, other, are):
    assert portable.alike(one, other) == are


def test_code_is_read_alike_by_every_python():
    """What versions write down in their own ways: texts with values in them, added fields."""
    text = '''
class A:
    """Words."""

    # more words
    def f(self, x):
        """Words."""
        return f"{x:>{self.wide}} {'a'}"
'''
    plain = text.replace('"""Words."""', "").replace("# more words", "")
    found = portable._plain(ast.parse(text))
    assert found == portable._plain(ast.parse(plain)) and "Words" not in str(found)
    assert str(found).count("JoinedStr") == 2 and "type_params" not in str(found)
    assert found != portable._plain(ast.parse(plain.replace("'a'", "'b'")))


def test_the_code_is_what_a_training_reaches():
    objective = Supervised(lambda: TemporalModel(17, 2, 17, (3,), channels=8), data())
    modules = portable.modules_of(objective, objective.build())
    assert modules == ["paperlib.models.temporal", "paperlib.training.objectives.supervised"]
    assert portable.code_of(modules) != portable.code_of(modules[:1])
