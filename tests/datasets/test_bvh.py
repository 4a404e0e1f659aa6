"""BVH files: small ones written here, worked by hand or by scipy, and all that is refused."""

import re

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from paperlib.datasets.bvh import MAX_DEPTH, parse_bvh, read_bvh

ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 1 2 3
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 0 10 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 5 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
100 200 300 0 0 0 0 0 0
100 200 300 90 0 0 90 0 0
"""


def places(text: str) -> list[list[float]]:
    return parse_bvh(text).positions()[-1].tolist()


def test_a_file_worked_by_hand(tmp_path):
    path = tmp_path / "arm.bvh"
    path.write_text(ARM)
    bvh = read_bvh(path)
    assert bvh.joints == ("Hips", "Arm", "Arm end") and bvh.parents == (-1, 0, 1)
    assert len(bvh) == 2 and bvh.fps == pytest.approx(25)
    # the root's channels stand in the place of its OFFSET
    still, moved = bvh.positions().tolist()
    assert still == [[100, 200, 300], [100, 210, 300], [105, 210, 300]]
    # a quarter turn about z takes the arm's bone from up to -x; then one about the arm's own y,
    # which points to -x now, takes the end from its x (up in the world) to its -z (the world's too)
    assert moved[1] == pytest.approx([90, 200, 300])
    assert moved[2] == pytest.approx([90, 200, 295])


@pytest.mark.parametrize("axes", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_rotations_in_any_order_are_those_of_scipy(axes):
    """Intrinsic rotations, the first channel outermost; each joint has an order of its own."""
    angles, own = (31.0, -72.0, 118.0), (-25.0, 64.0, 9.0)
    text = ARM.replace(
        "Zrotation Xrotation Yrotation", " ".join(f"{axis}rotation" for axis in axes)
    )
    row = " ".join(map(str, (7, 8, 9, *angles, *own)))
    text = text.replace("100 200 300 90 0 0 90 0 0", row)
    hips = Rotation.from_euler(axes, angles, degrees=True)
    arm = Rotation.from_euler("YXZ", own, degrees=True)
    elbow = np.array([7, 8, 9]) + hips.apply([0, 10, 0])
    expected = [[7, 8, 9], elbow, elbow + (hips * arm).apply([5, 0, 0])]
    np.testing.assert_allclose(places(text), expected, atol=1e-12)


def test_channels_may_come_in_any_order_and_be_any():
    """Positions after rotations and between them; one axis; none; only some components."""
    text = """HIERARCHY
    ROOT a { OFFSET 0 0 0 CHANNELS 4 Zrotation Zposition Yposition Xposition
      JOINT b { OFFSET 1 2 3 CHANNELS 2 Zrotation Yposition
        JOINT c { OFFSET 4 0 0 CHANNELS 0
          End Site { OFFSET 0 0 6 } } } }
    MOTION
    Frames: 1
    Frame Time: 1
    90 30 20 10 -90 7
    """
    a, b = [10, 20, 30], [10 - 7, 20 + 1, 30 + 3]  # b is at (1, 7, 3) of a, a quarter turn on
    np.testing.assert_allclose(places(text), [a, b, [7, 21, 33], [7, 21, 39]], atol=1e-12)


def test_a_position_channel_stands_in_the_place_of_the_offset():
    text = ARM.replace("3 Yrotation", "4 Xposition Yrotation").replace("\n100", "\n1 1 1")
    text = re.sub(r"1 1 1 200 300 .*", "100 200 300 0 0 0 2 0 0 0", text)
    assert places(text)[1] == [102, 210, 300]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text.replace("  ", "\t").replace(": ", ":\t"),
        lambda text: text.replace("Frames: 2", "  frames :2").replace("MOTION", "\nMotion\n"),
        lambda text: text.replace("100 200", "1e2\t 2.0E+02 ") + "\n\n  \n",
        lambda text: (
            text.replace("\n{", " {").replace("ROOT", "root").replace("End Site", "END SITE")
        ),
        lambda text: text.rstrip("\n"),
    ],
)
def test_ways_of_writing_the_same(change):
    assert places(change(ARM)) == places(ARM)


def test_names_may_hold_spaces_and_other_letters():
    joints = parse_bvh(ARM.replace("Arm", "mixamorig:Linker Arm ä")).joints
    assert joints[1:] == ("mixamorig:Linker Arm ä", "mixamorig:Linker Arm ä end")


def test_a_point_may_be_added_to_a_joint():
    bvh = parse_bvh(ARM).with_point("nose", "Arm", (0, 0, 2))
    assert bvh.positions()[0, bvh.index("nose")].tolist() == [100, 210, 302]
    # the turn about the arm's y takes its z to its x, which the hips' turn takes to the world's y
    moved = bvh.positions()[1, bvh.index("nose")] - bvh.positions()[1, 1]
    np.testing.assert_allclose(moved, [0, 2, 0], atol=1e-12)


def rest(of: str, other: str) -> str:
    """The file with something else in the place of ``of``."""
    assert ARM.count(of) == 1
    return ARM.replace(of, other)


SECOND_ROOT = ARM.replace("MOTION", "ROOT Prop\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION")
# an arm that moves against its OFFSET by nothing, as if that were added
ADDED = rest("3 Yrotation Xrotation Zrotation", "3 Xposition Yposition Zposition")
ADDED = ADDED.replace("90 0 0 90 0 0", "90 0 0 0 0 0")
DEEP = "".join(f"JOINT j{n} {{ OFFSET 0 1 0 CHANNELS 0\n" for n in range(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the file ends where HIERARCHY should come; it was cut off"),
        ("PK\x03\x04", "line 1: expected HIERARCHY, found 'PK"),
        (ARM[:60], "line 5: the file ends where .*; it was cut off"),
        (ARM[: ARM.index("MOTION")], "line 15: the file ends where MOTION should come; it was cut"),
        (
            ARM[: ARM.index("Frames")],
            "line 16: the file ends where Frames: should come; it was cut",
        ),
        (ARM[: ARM.index("100 200")], "line 18: 0 frames up to here, of 2: the file was cut off"),
        (ARM[: ARM.rindex("100")], "line 19: 1 frames up to here, of 2: the file was cut off"),
        (ARM[:-8], r"line 20: 6 values \(the last line: the file was cut off\), expected 9"),
        (rest("300 90 0", "300 90 0 0"), "line 20: 10 values .*, expected 9"),
        (ARM + "1 2 3\n", "line 21: 3 values .*, expected 9"),
        (
            ARM + "1 2 3 4 5 6 7 8 9\n",
            "line 21: 3 frames up to here, of 2: more than are announced",
        ),
        (rest("Frames: 2", "Frames: 0"), "line 17: Frames: 0, there is no motion in this file"),
        (rest("Frames: 2", "Frames: -1"), "line 17: Frames: '-1' is no number of frames"),
        (rest("Frames: 2", "Frames: 9" + "9" * 5000), "line 20: 2 frames up to here, of 9"),
        (rest("Frames: 2", "Frames: two"), "line 17: Frames: 'two' is no number"),
        (rest("Frames: 2\n", ""), "line 17: expected Frames: and a number, found 'Frame Time"),
        (rest("0.04", "0"), "line 18: Frame Time: 0 seconds, expected more than 0"),
        (rest("0.04", "-0.04"), "line 18: Frame Time: -0.04 seconds"),
        (rest("0.04", "nan"), "line 18: 'nan' is no finite number, in Frame Time"),
        (rest("300 90", "NaN 90"), "line 20: 'NaN' is no finite number, in the motion"),
        (rest("300 90", "-inf 90"), "line 20: '-inf' is no finite number"),
        (rest("300 90", "1e999 90"), "line 20: '1e999' is no finite number"),
        (rest("300 90", "3,00 90"), "line 20: '3,00' is no finite number"),
        (rest("300 90", "3_00 90"), "line 20: '3_00' is no finite number"),
        (
            rest("OFFSET 0 10 0", "OFFSET 0 nan 0"),
            "line 8: 'nan' is no finite number, in the OFFSET of",
        ),
        (
            rest("OFFSET 0 10 0", "OFFSET 0 10"),
            "line 9: 'CHANNELS' is no finite number, in the OFFSET",
        ),
        (
            rest("Yrotation Xrotation Z", "Yrotation Wrotation Z"),
            "line 9: unknown channel 'Wrotation' of",
        ),
        (
            rest("CHANNELS 3", "CHANNELS 2"),
            "line 9: expected JOINT, End Site or }, found 'ZROTATION'",
        ),
        (rest("CHANNELS 3", "CHANNELS 4"), "line 10: unknown channel 'End' of 'Arm'"),
        (
            rest("CHANNELS 3", "CHANNELS 7"),
            "line 9: 'Arm' has '7' channels, expected a number from 0",
        ),
        (rest("CHANNELS 3 Y", "CHANNELS 3 X"), "line 9: 'Arm' has the channel Xrotation twice"),
        (
            rest("    CHANNELS 3 Yrotation Xrotation Zrotation\n", ""),
            "line 9: expected CHANNELS, found",
        ),
        (rest("JOINT Arm", "JOINT Hips"), "line 6: 'Hips' is there a second time, after line 2"),
        (
            rest("JOINT Arm", "JOINT"),
            "line 6: a joint without a name|line 7: a joint without a name",
        ),
        (SECOND_ROOT, "line 16: a second ROOT, 'Prop': the file holds several bodies"),
        (ARM.replace("MOTION", "}\nMOTION"), "line 16: expected MOTION, found '}'"),
        (rest("  JOINT Arm", DEEP + "JOINT Arm"), "'j199' is more than 200 joints from the root"),
        (
            re.sub("CHANNELS .*", "CHANNELS 0", ARM),
            "line 16: no joint has a channel: there is nothing that could move",
        ),
        (ADDED, "position channels of 'Arm' are 0 in every frame, but its OFFSET is 10 long"),
    ],
)
def test_what_is_refused_with_file_and_line(text, said):
    with pytest.raises(ValueError, match=said) as caught:
        parse_bvh(text, "arm.bvh")
    assert str(caught.value).startswith("arm.bvh")


def test_files_cut_anywhere_are_refused_or_read_whole():
    """Only where the last number is cut can nobody tell."""
    whole = ARM.rstrip("\n")
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"^file, line \d+: "):
            parse_bvh(whole[:length])


def test_joint_angles_of_many_frames_agree_with_scipy():
    rng = np.random.default_rng(3)
    values = rng.uniform(-180, 180, (50, 9))
    rows = "\n".join(" ".join(f"{v:.9e}" for v in row) for row in values)
    text = ARM[: ARM.index("Frames")] + f"Frames: 50\nFrame Time: 0.01\n{rows}\n"
    hips = Rotation.from_euler("ZXY", values[:, 3:6], degrees=True)
    arm = Rotation.from_euler("YXZ", values[:, 6:], degrees=True)
    expected = values[:, :3] + hips.apply([0, 10, 0]) + (hips * arm).apply([5, 0, 0])
    got = parse_bvh(text).positions()
    assert got.dtype == torch.float64 and got.shape == (50, 3, 3)
    np.testing.assert_allclose(got[:, 2], expected, atol=1e-5)
