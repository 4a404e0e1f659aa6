"""Which runs a sweep consists of, and what is refused before any of them starts."""

import math
from pathlib import Path

import papermill
import pytest

from paperlib.paths import ROOT
from paperlib.running.choices import described
from paperlib.running.combinations import combinations, label, read_values, values_of

TABLE1 = ROOT / "notebooks" / "table1.ipynb"


VALUES = {"27": [27], "27, 81,243": [27, 81, 243], "1,1.0,true,1e-3": [1, 1.0, True, 0.001]}
VALUES |= {"none,synthetic": [None, "synthetic"], " -1,1": [-1, 1]}


@pytest.mark.parametrize(("text", "values"), VALUES.items())
def test_values_are_told_apart(text, values):
    assert list(map(repr, values_of("n", text))) == list(map(repr, values))


NONSENSE = {"": "seed has an empty value in ''", "0,,1": "empty value", "none,null": "twice"}
NONSENSE |= {"0,1,": "give values as 1,2,3", "0,1,0": "seed has a value twice: 0,1,0"}


@pytest.mark.parametrize(("text", "said"), NONSENSE.items())
def test_values_that_make_no_sense_are_refused(text, said):
    with pytest.raises(ValueError, match=said):
        values_of("seed", text)


def test_every_combination_once_the_last_parameter_fastest():
    found = combinations({"receptive_field": [27, 81], "seed": [0, 1]})
    assert [list(one) for one in found] == [["receptive_field", "seed"]] * 4
    assert [tuple(one.values()) for one in found] == [(27, 0), (27, 1), (81, 0), (81, 1)]


def test_a_run_is_named_after_its_values():
    assert label({"receptive_field": 27, "seed": 0}) == "receptive_field=27_seed=0"
    named = label({"detector": "ground_truth", "retrain": True})
    assert named == "detector=ground_truth_retrain=True"


def test_names_can_be_files_and_differ_where_values_do():
    texts = ["a/b", "a b", "a-b", "../a", "a_b=1", "ä", "x" * 300, "x" * 299 + "y"]
    names = [label({"video": text}) for text in texts]
    names.append(label({"video": "a", "b": 1}))
    assert len(set(names)) == len(names)
    assert all(len(Path(name).parts) == 1 and len(name.encode()) < 200 for name in names)
    assert names[0] == "video=a%2Fb"


def test_values_come_in_the_notebooks_order():
    pairs = [("seed", "0,1"), ("receptive_field", "27,81")]
    values = [("receptive_field", [27, 81]), ("seed", [0, 1])]
    assert list(read_values(TABLE1, pairs).items()) == values


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([], "nothing to sweep: name a parameter and its values, -p seed 0,1,2"),
        ([("receptive_feild", "27")], r"'receptive_feild'.*Did you mean 'receptive_field'\?"),
        ([("seed", "0"), ("seed", "1")], "seed is given twice: list its values in one -p"),
        ([("receptive_field", "27,100")], "unknown receptive_field 100: choose one of 3, 9, 27"),
        # a notebook's own choices: those of the package, without the first
        ([("receptive_field", "27,1")], "unknown receptive_field 1: choose one of 3, 9, 27"),
        ([("detector", "simulatd")], "Did you mean 'simulated'"),
        ([("preset", "smok")], "Did you mean 'smoke'"),
        ([("seed", "0,1.5")], "seed must be a whole number from 0 to 4294967295, got 1.5"),
        ([("seed", "0;1")], "seed is 0 in the notebook, and '0;1' is a text: give values as 1,2,3"),
        ([("retrain", "yes")], "retrain is False in the notebook, and 'yes' is a text"),
    ],
)
def test_a_notebooks_wrong_names_and_values_are_refused(pairs, said):
    with pytest.raises(ValueError, match=said):
        read_values(TABLE1, pairs)


def test_all_choices_of_the_projects_notebooks_can_be_told():
    """Written in a way that is not understood, a choice would go unchecked."""
    for notebook in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        parameters = papermill.inspect_notebook(str(notebook))
        own = {"detector", "keypoints", "receptive_field", "interactive"}
        own |= {"percent", "fps", "subsets"}
        if notebook.stem == "own_video":  # a film of one's own may have any rate, and any keypoints
            own -= {"fps", "keypoints"}
        for name in own & set(parameters):
            with pytest.raises(ValueError, match=f"unknown {name} 100.5"):
                read_values(notebook, [(name, "100.5")])


def test_a_notebook_of_ones_own_need_not_say_its_choices(write_notebook):
    notebook = write_notebook(
        "width = 3\nname = 'a'\nlimit = None\nrate = 1 / 3", "%time\nprint(width, name)"
    )
    given = [("width", "0.5,none"), ("name", "b,1"), ("limit", "few"), ("rate", "half")]
    values = {"width": [0.5, None], "name": ["b", 1], "limit": ["few"], "rate": ["half"]}
    assert read_values(notebook, given) == values
    assert math.isnan(read_values(notebook, [("width", "NaN")])["width"][0])
    with pytest.raises(ValueError, match="width is 3 in the notebook, and 'wide' is a text"):
        read_values(notebook, [("width", "3,wide")])


def test_parameters_are_described_with_their_choices(write_notebook):
    source = "width = 3  # of the filters\ndevice = 'auto'"
    begin = "from paperlib.experiment import Experiment\n"
    begin += "Experiment.begin('mine', globals(), width=(3, 9))"
    first, *lines = described(write_notebook(source, begin)).splitlines()
    assert first.startswith("parameters of ")
    assert [line.split() for line in lines[:3]] == [
        ["-p", "width", "3", "of", "the", "filters"],
        ["3,", "9"],
        ["-p", "device", "'auto'"],
    ]


def test_choices_that_depend_on_the_run_are_left_to_it(write_notebook):
    notebook = write_notebook(
        "size = 3\nkind = 'a'\nseed = 0\ndevice = 'auto'",
        "from paperlib.experiment import Experiment\nsizes = range(3)",
        "Experiment.begin('mine', globals(), size=sizes, kind=('a', 'b'))",
    )
    assert read_values(notebook, [("size", "100")]) == {"size": [100]}
    for name, wrong in (("kind", "c"), ("device", "gpu"), ("seed", "-1")):
        with pytest.raises(ValueError, match=f"{name}.*{wrong}"):
            read_values(notebook, [(name, wrong)])


def test_what_is_no_notebook_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"there is no notebook .*table9\.ipynb"):
        read_values(tmp_path / "table9.ipynb", [("seed", "0")])
    path = tmp_path / "text.ipynb"
    path.write_text("this is no notebook")
    with pytest.raises(ValueError):
        read_values(path, [("seed", "0")])
