"""Which joint stands where in the lists that pose estimators write.

Where a tool writes more than the body, hands and face are left out: the names are of the first
joints, ``written`` is how many there are in all.
"""

from dataclasses import dataclass

from paperlib.errors import one_of
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16, Skeleton

_NECK_AND_ARMS = "neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
_LEGS = "right_hip right_knee right_ankle left_hip left_knee left_ankle"
_FACE = "right_eye left_eye right_ear left_ear"
_FEET = (
    "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"  # in OpenPose
)
_COCO = " ".join(COCO_17.joints)


@dataclass(frozen=True)
class Layout:
    """The names of the first of the ``written`` joints of one person."""

    name: str
    joints: tuple[str, ...]
    written: int


def _layout(name: str, joints: str, written: int | None = None) -> Layout:
    names = tuple(joints.split())
    return Layout(name, names, written or len(names))


_HALPE = (
    f"{_COCO} head neck mid_hip left_big_toe right_big_toe left_small_toe right_small_toe"
    " left_heel right_heel"
)
_BODY_25B = f"{_COCO} upper_neck head_top {_FEET}"

LAYOUTS = {
    layout.name: layout
    for layout in (
        _layout("COCO", _COCO),
        _layout("COCO_WHOLEBODY", f"{_COCO} {_FEET}", 133),
        _layout("HALPE_26", _HALPE),
        _layout("HALPE_136", _HALPE, 136),
        _layout("BODY_25", f"nose {_NECK_AND_ARMS} mid_hip {_LEGS} {_FACE} {_FEET}"),
        _layout("BODY_25B", _BODY_25B),
        _layout("BODY_135", _BODY_25B, 135),
        _layout("COCO_18", f"nose {_NECK_AND_ARMS} {_LEGS} {_FACE}"),
        _layout("MPI_15", f"head_top {_NECK_AND_ARMS} {_LEGS} thorax"),
        _layout(
            "MEDIAPIPE",
            "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer"
            " left_ear right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow"
            " right_elbow left_wrist right_wrist left_pinky right_pinky left_index right_index"
            " left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle"
            " left_heel right_heel left_foot_index right_foot_index",
        ),
        _layout("H36M", " ".join(H36M_17.joints)),
        _layout("MPII", " ".join(MPII_16.joints)),
        _layout("HUMANEVA", " ".join(HUMANEVA_15.joints)),
    )
}

# The layouts that each tool writes. Where two have as many joints, the user is asked.
OPENPOSE = ("COCO_18", "BODY_25", "BODY_25B", "BODY_135", "MPI_15")
LISTS = ("COCO", "HALPE_26", "COCO_WHOLEBODY", "HALPE_136")
MEDIAPIPE = ("MEDIAPIPE",)


def settled(written: int, among: tuple[str, ...], joints: str | None, where: object) -> Layout:
    """The layout of ``written`` joints: the one named ``joints``, or the only one of that many.

    ``ValueError`` where the name is unknown or has another number of joints, where no layout has
    as many, or where several have (BODY_25 and BODY_25B): then the name has to be given.
    """
    if joints is not None:
        layout = LAYOUTS[one_of("layout of joints", joints, LAYOUTS)]
        if layout.written != written:
            raise ValueError(
                f"{where}: {written} joints per person, but {joints} has {layout.written}"
            )
        return layout
    fitting = [LAYOUTS[name] for name in among if LAYOUTS[name].written == written]
    if len(fitting) > 1:
        named = " or ".join(f'joints="{layout.name}"' for layout in fitting)
        raise ValueError(
            f"{where}: {written} joints per person may be of several layouts, in which the same "
            f"number is another joint; say which the tool ran with: {named}"
        )
    if not fitting:
        known = ", ".join(f"{name} ({LAYOUTS[name].written})" for name in among)
        raise ValueError(f"{where}: {written} joints per person, expected one of {known}")
    return fitting[0]


def of_skeleton(skeleton: Skeleton) -> Layout:
    return Layout(skeleton.name, skeleton.joints, len(skeleton))
