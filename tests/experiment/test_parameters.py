"""Parameters are checked by name and value before anything starts."""

import math

import pytest
import torch

from paperlib.detection import DETECTORS
from paperlib.experiment import Experiment
from paperlib.experiment.parameters import (
    MARK,
    assigned,
    check_cells,
    parameters_of,
    parse,
    refuse_unknown,
)
from paperlib.models import RECEPTIVE_FIELDS

KNOWN = ("dataset", "preset", "seed", "device", "retrain", "receptive_field")
GIVEN = {"dataset": "synthetic", "preset": "smoke", "seed": 0, "device": "cpu", "retrain": False}
GIVEN |= {"detector": "simulated", "receptive_field": 27}
VALUES = {"243": 243, "-1": -1, "0.5": 0.5, "1e-3": 1e-3, "27 ": 27, "true": True, "False": False}
VALUES |= {"none": None, "null": None}
TEXTS = ("cmu", "", "simulated_coarse", "[1, 2]", '{"a": 1}', '"27"', "0x10", "1_000")


@pytest.mark.parametrize(("text", "value"), [*VALUES.items(), *((t, t) for t in TEXTS)])
def test_words_of_a_command_line_become_values(text, value):
    got = parse(text)
    assert got == value and type(got) is type(value)


def test_pairs_become_values():
    pairs = [("receptive_field", "243"), ("retrain", "true"), ("dataset", "cmu")]
    assert parameters_of(pairs) == {"receptive_field": 243, "retrain": True, "dataset": "cmu"}
    assert parameters_of([]) == {}
    assert parameters_of([("seed", "1"), ("seed", "2")]) == {"seed": 2}


def test_a_misspelt_name_is_refused_with_the_one_that_was_meant():
    with pytest.raises(ValueError) as problem:
        refuse_unknown(["seed", "receptive_feild"], KNOWN)
    message = str(problem.value)
    assert message.startswith("unknown parameter 'receptive_feild': there are 'dataset', ")
    assert message.endswith("Did you mean 'receptive_field'?")


def test_a_name_like_no_other_gets_the_list_alone():
    with pytest.raises(ValueError, match=r"there are .*'receptive_field'\.$"):
        refuse_unknown(["xyz"], KNOWN)


def test_known_names_pass():
    refuse_unknown(KNOWN, iter(KNOWN))
    refuse_unknown([], KNOWN)


def test_plain_assignments_are_found():
    source = "# Parameters\na = 1  # one\nb = c = [2]\nprint(a)\nd.e = 3\nf[0] = 4"
    assert assigned(source) == ["a", "b", "c"]
    assert assigned("") == []


def test_a_misspelt_name_in_an_injected_cell_is_found():
    cells = ["", f"{MARK}\nseed = 0", f'{MARK}\nreceptive_feild = 243\nseed = "x"', "begin()"]
    with pytest.raises(ValueError, match="receptive_feild"):
        check_cells({"In": cells}, KNOWN)


def test_other_cells_may_assign_what_they_like():
    check_cells({"In": ["", f"{MARK}\nseed = 0", "receptive_feild = 243\nx = 1"]}, KNOWN)
    check_cells({}, KNOWN)


def test_a_cell_that_was_mended_no_longer_counts():
    """A kernel remembers every version of a cell that it ran."""
    cells = ["", f"{MARK}\nsed = 1", "begin()", f"{MARK}\nseed = 1", "begin()"]
    check_cells({"In": cells}, KNOWN)


# --- the beginning of an experiment ----------------------------------------------------------

NO_SEEDS = ("a", 1.5, True, None, math.nan, -1, 2**32, 2**64)


def begin(**changes):
    own = {"detector": DETECTORS, "receptive_field": RECEPTIVE_FIELDS[1:]}
    return Experiment.begin("table1", GIVEN | changes, **own)


def test_right_parameters_are_taken():
    experiment = begin(seed=3)
    assert (experiment.dataset, experiment.preset, experiment.seed) == ("synthetic", "smoke", 3)
    assert experiment.device == "cpu" and experiment.retrain is False
    assert experiment.parameters == {"detector": "simulated_v2", "receptive_field": 27}
    shown = repr(experiment)
    for part in ("table1", "synthetic", "smoke", "seed 3", "cpu", "receptive field 27"):
        assert part in shown


def test_the_smoke_preset_says_that_nothing_was_learnt():
    smoke, laptop = begin(), begin(preset="laptop")
    for shown in (repr(smoke), smoke._repr_html_()):
        assert "all but untrained" in shown
    assert 'role="note"' in smoke._repr_html_() and "untrained" in smoke.caption
    assert laptop._repr_html_() is None and "untrained" not in repr(laptop) + laptop.caption


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"receptive_field": 100}, "unknown receptive_field 100: choose one of 3, 9, 27, 81, 243"),
        ({"receptive_field": "27"}, "receptive_field '27'"),
        ({"dataset": "h36m"}, "dataset 'h36m'.*'human36m'"),
        ({"dataset": None}, "unknown dataset None"),
        ({"detector": "simulatd"}, "Did you mean 'simulated'"),
        ({"preset": "smok"}, "Did you mean 'smoke'"),
        ({"device": "gpu"}, "device 'gpu': choose one of 'auto', 'cpu', 'cuda'"),
        ({"retrain": "yes"}, "retrain 'yes': choose one of False, True"),
        *(({"seed": n}, f"whole number from 0 to 4294967295, got {n!r}") for n in NO_SEEDS),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_wrong_values_are_refused_with_the_choices(wrong, said):
    with pytest.raises(ValueError, match=said):
        begin(**wrong)


def test_a_misspelt_name_is_refused_before_its_value_is_used():
    cells = ["", f"{MARK}\nseed = 0", f"{MARK}\nreceptive_feild = 243"]
    with pytest.raises(ValueError, match=r"Did you mean 'receptive_field'\?"):
        begin(In=cells, receptive_feild=243)


def test_a_missing_parameter_is_named():
    namespace = {k: v for k, v in GIVEN.items() if k != "seed"}
    with pytest.raises((ValueError, KeyError), match="seed"):
        Experiment.begin("table1", namespace, detector=DETECTORS)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r'device="cuda" was asked for.*device="auto" or "cpu"'):
        begin(device="cuda")
    assert begin(device="auto").device == "cpu"


def test_the_preset_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PAPERLIB_PRESET", "smoke")
    assert begin(preset="auto").preset == "smoke"
    monkeypatch.setenv("PAPERLIB_PRESET", "fast")
    with pytest.raises(ValueError, match="unknown PAPERLIB_PRESET 'fast'"):
        begin(preset="auto")


def test_the_smoke_preset_records_nothing(tmp_path, monkeypatch):
    from paperlib import results

    monkeypatch.setattr(results, "RESULTS", tmp_path)
    monkeypatch.setattr(results, "OUT", tmp_path)
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    assert begin().record([{"dataset": "synthetic"}]) is None
    assert list(tmp_path.iterdir()) == []
