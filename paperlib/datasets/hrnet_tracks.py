"""HRNet's keypoints of MuPoTS-3D, as the reference implementation of veges2020 brings them.

``hrnet_pose2d/TS1.pkl`` to ``TS20.pkl`` of its preprocessed data set hold a pickled dictionary for
each sequence: ``pose`` ``(T, P, 19, 3)``, x and y in pixels and a score, of the joints of
``COCO_19``, and ``valid_pose`` ``(T, P)``, whether the person was found. People are those of the
annotation, in its order. The format is that of the reference's reader; what its files hold of
people who were not found is not known for certain.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from paperlib.datasets.archives import read_pickle
from paperlib.skeletons import COCO_19


def read_tracks(path: Path, frames: int, people: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Keypoints ``(T, P, 19, 2)`` and scores ``(T, P, 19)``, float32.

    All are as stored, whether ``valid_pose`` or not, since the reference's table 2 takes them so;
    but scores are cut to 0 to 1, which those of heatmaps exceed a little, and NaN of somebody who
    was not found is 0. Raises ``ValueError`` where the file holds something else, or another number
    of frames or people than the annotation.
    """
    stored = read_pickle(path)
    expected = {"pose": (frames, people, len(COCO_19), 3), "valid_pose": (frames, people)}
    if not isinstance(stored, dict) or not expected.keys() <= stored.keys():
        found = sorted(map(str, stored)) if isinstance(stored, dict) else type(stored).__name__
        raise ValueError(
            f"{path}: expected a dictionary with 'pose' and 'valid_pose', found {found}; put the "
            "hrnet_pose2d folder of pose_refinement's preprocessed data there"
        )
    pose, valid = (_numbers(stored[name], name, shape, path) for name, shape in expected.items())
    if not np.isfinite(pose[valid != 0]).all() or np.isinf(pose).any():
        raise ValueError(f"{path}: NaN or infinite keypoints of people who are said to be found")
    pose = torch.from_numpy(np.nan_to_num(pose)).float()
    return pose[..., :2], pose[..., 2].clamp(0, 1)


def _numbers(values: Any, name: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != shape or values.dtype.kind not in "biuf":
        raise ValueError(
            f"{path}: {name!r} of {values.dtype} {values.shape}, expected numbers {shape}: an entry"
            " for each frame and person of annot.mat"
        )
    return values.astype(np.float64)
