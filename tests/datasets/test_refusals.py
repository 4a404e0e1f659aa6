"""What every data set says of missing data and of wrong arguments, and before which of both."""

import math
from importlib import import_module

import pytest

from paperlib import datasets
from paperlib.errors import MissingDataError

NEEDED = {
    "human36m": "data_3d_h36m.npz|human36m|vision.imar.ro/human3.6m|VideoPose3D|licensed|"
    'dataset="synthetic"',
    "humaneva": "HumanEva-I: data_3d_humaneva15.npz is missing|none of its files|humaneva|"
    'humaneva.is.tue.mpg.de|VideoPose3D|licensed|dataset="humaneva_like" runs without it',
    "cmu": '$PAPERLIB_DATA/cmu_mocap|python -m paperlib data cmu|dataset="synthetic"',
    "bandai_namco": "$PAPERLIB_DATA/bandai_namco|github.com/BandaiNamcoResearchInc|"
    'not for commercial use|bandai_namco.tar.xz|dataset="cmu"',
    "mocap": '$PAPERLIB_DATA/cmu_mocap|python -m paperlib data cmu|dataset="synthetic"',
    "real_video": "blazepose_openpose_reference.npz|$PAPERLIB_DATA/real_video|pose2sim|"
    'dataset="synthetic"',
    "penn_action": "Penn Action: labels is missing|penn_action/labels|"
    'dreamdragon.github.io/PennAction|withhold_positions|dataset="cmu"',
    "threedpw": "3DPW: sequenceFiles/test/downtown_arguing_00.pkl is missing|"
    'threedpw/sequenceFiles/test|virtualhumans.mpi-inf.mpg.de/3DPW|licensed|dataset="cmu"',
    "mpi_inf_3dhp": "MPI-INF-3DHP: S1/Seq1/annot.mat is missing|mpi_inf_3dhp/S1/Seq1/annot.mat|"
    "vcai.mpi-inf.mpg.de/3dhp-dataset|licensed|muco_temp.compose",
    "mupots": "MuPoTS-3D: TS1/annot.mat is missing|mupots/TS1/annot.mat|"
    "vcai.mpi-inf.mpg.de/3dhp-dataset|licensed|muco_temp.compose",
}


def module(name):
    return import_module(f"paperlib.datasets.{name}")


@pytest.mark.parametrize("name", NEEDED)
def test_missing_data(name, tmp_path, monkeypatch):
    """Said: what is missing, where it goes, how to get it, and what runs without it."""
    (tmp_path / "my_data").mkdir()
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "my_data"))
    monkeypatch.setattr("paperlib.paths.ROOT", tmp_path / "elsewhere")
    attempts = [module(name).load]
    if name in (*datasets.NAMES, *datasets.HUMANEVA):
        attempts.append(lambda: datasets.load(name))
    for attempt in attempts:
        with pytest.raises(MissingDataError) as caught:
            attempt()
        message = str(caught.value)
        assert [n for n in ["PAPERLIB_DATA", *NEEDED[name].split("|")] if n not in message] == []
        assert str(tmp_path) not in message  # it may stand in a committed output
    with pytest.raises(MissingDataError):
        module(name).find()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("human36m", {"keypoints": "../gt"}, "give the <name>"),
        ("humaneva", {"keypoints": "../gt"}, r"give the <name> in data_2d_humaneva15_<name>\.npz"),
        ("humaneva", {"actions": ["Walking"]}, "unknown action 'Walking'.*Did you mean 'Walk'"),
        ("humaneva", {"actions": []}, "no action chosen"),
        ("humaneva", {"cameras": ["BW1"]}, "unknown camera 'BW1'.*'C1', 'C2', 'C3'"),
        ("humaneva_like", {"seconds": 0}, "seconds is 0"),
        ("humaneva_like", {"seconds": math.nan}, "seconds is nan"),
        ("humaneva_like", {"actions": ["Run"]}, "unknown action 'Run'.*'Walk', 'Jog', 'Box'"),
        ("humaneva_like", {"actions": []}, "no action chosen"),
        ("bandai_namco", {"fold": 3}, "unknown fold 3: choose one of 0, 1, 2"),
        ("bandai_namco", {"actions": ["walking"]}, "unknown action 'walking'.*Did you mean 'walk"),
        ("bandai_namco", {"actions": []}, "no action chosen"),
        ("mocap", {"fold": -1}, "unknown fold -1: choose one of 0, 1, 2"),
        ("mocap", {"actions": ["walkin"]}, "unknown action 'walkin'"),
        ("mpi_inf_3dhp", {"subjects": ["S9"]}, "unknown subject 'S9'"),
        ("mpi_inf_3dhp", {"cameras": [14]}, "unknown camera '14'"),
        ("mpi_inf_3dhp", {"cameras": []}, "no camera chosen"),
        (
            "mpi_inf_3dhp",
            {"coordinates": "3D"},
            "unknown coordinates '3D': .*'normal', 'universal'",
        ),
        ("mupots", {"sequences": ["TS21"]}, "unknown sequence 'TS21'"),
        ("mupots", {"sequences": []}, "no sequence chosen"),
        ("mupots", {"coordinates": "3D"}, "unknown coordinates '3D': .*'normal', 'universal'"),
        ("penn_action", {"actions": ["squats"]}, "unknown action 'squats'.*Did you mean 'squat'"),
        ("penn_action", {"actions": []}, "no action chosen"),
        ("penn_action", {"joints": "coco_17"}, "unknown joints.*'penn_13', 'h36m_17'"),
        ("threedpw", {"sequences": ["downtown"]}, "unknown sequence 'downtown'"),
        ("threedpw", {"sequences": []}, "no sequence chosen"),
        ("real_video", {"keypoints": "alphapose"}, "unknown keypoints.*'openpose', 'blazepose'"),
        ("real_video", {"reference": "truth"}, "unknown reference.*'joint', 'openpose'"),
        ("real_video", {"views": ["cam05"]}, "unknown view 'cam05'"),
        ("real_video", {"views": []}, "no view chosen"),
        ("synthetic", {"seconds": 0}, "seconds is 0"),
        ("synthetic", {"seconds": math.nan}, "seconds is nan"),
        ("synthetic", {"fps": -1}, "fps is -1"),
        ("synthetic", {"takes": 0}, "takes is 0"),
        ("synthetic", {"takes": 1.5}, "takes is 1.5"),
        ("synthetic", {"subjects": ["S8"]}, "unknown subject 'S8'"),
        ("synthetic", {"families": ["walkin"]}, "Did you mean 'walking'"),
        ("synthetic", {"families": []}, "no family chosen"),
    ],
)
def test_wrong_arguments_are_explained_before_a_file_is_missed(folder, name, arguments, said):
    with pytest.raises(ValueError, match=said):
        module(name).load(**arguments)
