"""A figure in the picture plane, by the names of its joints: what a tool would find of somebody."""

import json

import numpy as np

# shares of the body's height, right of its middle (of the left side) and down from the top
_MIDDLE = {"nose": 0.09, "neck": 0.19, "upper_neck": 0.15, "head_top": 0.0, "hip": 0.53}
_MIDDLE |= {"pelvis": 0.53, "spine": 0.36, "thorax": 0.19, "neck_nose": 0.1}
_SIDES = {"eye": (0.02, 0.07), "ear": (0.045, 0.08), "mouth": (0.015, 0.11)}
_SIDES |= {"eye_inner": (0.012, 0.071), "eye_outer": (0.03, 0.072), "shoulder": (0.11, 0.19)}
_SIDES |= {"elbow": (0.16, 0.35), "wrist": (0.19, 0.49), "thumb": (0.18, 0.52)}
_SIDES |= {"index": (0.19, 0.55), "pinky": (0.21, 0.54), "hip": (0.07, 0.525), "knee": (0.08, 0.74)}
_SIDES |= {"ankle": (0.085, 0.95), "heel": (0.08, 0.98), "big_toe": (0.11, 0.99)}
_SIDES |= {"small_toe": (0.13, 0.985), "foot_index": (0.12, 0.995)}
_OWN = {"left_": 1.0, "right_": -1.0}  # a figure that faces us: its left is at the picture's right


def place(joint: str) -> tuple[float, float]:
    for side, way in _OWN.items():
        if joint.startswith(side):
            x, y = _SIDES[joint.removeprefix(side)]
            # somebody who leans: no joint is the mirror image of another
            return way * x + 0.1 * y, y + 0.01 * way
    return 0.1 * _MIDDLE[joint], _MIDDLE[joint]


def figure(joints: str, at: float = 300.0, height: float = 400.0, score: float = 0.5) -> np.ndarray:
    """``(K, 3)``: x, y in pixels and a score, different for each of the named ``joints``."""
    names = joints.split()
    points = np.array([place(name) for name in names]) * height + (at, 100.0)
    return np.column_stack([points, score + np.arange(len(names)) / 1000])


def expected(points: np.ndarray, joints: str, wanted: tuple[str, ...]) -> np.ndarray:
    """The rows of these joints, by name."""
    return points[[joints.split().index(name) for name in wanted]]


def named(joints: str) -> str:
    """Joints as OpenPose, Halpe and others spell them (``RSmallToe``), as they are called here."""
    known = {"LEye": "left_eye", "MidHip": "hip", "Head": "head_top", "HeadTop": "head_top"}
    known |= {"UpperNeck": "upper_neck", "Hip": "hip", "Nose": "nose", "Neck": "neck"}
    words = []
    for joint in joints.split():
        sides = {"L": "left_", "R": "right_"}
        spelt = "".join(f"_{c.lower()}" if c.isupper() else c for c in joint[1:]).strip("_")
        words.append(known.get(joint) or sides[joint[0]] + spelt)
    return " ".join(words)


COCO = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow"
    " left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
)


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
