"""The original format of the motion capture, on a skeleton written here and on real trials."""

import math

import numpy as np
import pytest
import torch
from samples import joint, z_up
from scipy.spatial.transform import Rotation

from paperlib.datasets import asf_amc, cmu
from paperlib.errors import MissingDataError
from paperlib.kinematics import bone_lengths
from paperlib.skeletons import H36M_17

# bone: (its parent, direction, length, axis, freedoms); the fewest that name all 17 joints. An axis
# is turned in the order XYZ where it does not say another
BONES = {
    "rhipjoint": ("root", (-1, 0, 0), 1.0, (0, 0, 0), ""),
    "rfemur": ("rhipjoint", (0, -1, 0), 4.0, (0, 0, 0), "rx ry rz"),
    "rtibia": ("rfemur", (0, -1, 0), 3.5, (0, 0, 30), "rx"),
    "lhipjoint": ("root", (1, 0, 0), 1.0, (0, 0, 0), ""),
    "lfemur": ("lhipjoint", (0, -1, 0), 4.0, (0, 0, 0), "rx ry rz"),
    "ltibia": ("lfemur", (0, -1, 0), 3.5, (0, 0, -30), "rx"),
    "lowerback": ("root", (0, 1, 0), 1.5, (10, 20, 30), "rx ry rz"),
    "lowerneck": ("lowerback", (0, 1, 0), 2.0, (0, 0, 0), ""),
    "upperneck": ("lowerneck", (0, 1, 0), 0.5, (0, 0, 0), ""),
    "head": ("upperneck", (0, 1, 0), 0.8, (0, 0, 0), "ry"),
    "lclavicle": ("lowerback", (1, 0, 0), 1.2, (0, 0, 0), ""),
    "lhumerus": ("lclavicle", (1, 0, 0), 2.2, (40, -25, 60, "ZYX"), "rz ry"),
    "lradius": ("lhumerus", (1, 0, 0), 1.9, (0, 0, 0), ""),
    "rclavicle": ("lowerback", (-1, 0, 0), 1.2, (0, 0, 0), ""),
    "rhumerus": ("rclavicle", (-1, 0, 0), 2.2, (0, 0, 0, "ZYX"), "rz ry"),
    "rradius": ("rhumerus", (-1, 0, 0), 1.9, (0, 0, 0), ""),
}
UNIT = 0.0254 / 0.45


def skeleton(
    bones=BONES, length=0.45, angle="deg", order="TX TY TZ RX RY RZ", axis="XYZ", position="0 0 0"
) -> str:
    lines = ["# a comment", ":version 1.10", ":units", "  mass 1.0", f"  length {length}"]
    lines += [f"  angle {angle}", ":root", f"   order {order}", f"   axis {axis}"]
    lines += [f"   position {position}", "   orientation 0 0 0", ":bonedata"]
    for number, (name, (_, direction, size, axis, freedoms)) in enumerate(bones.items(), start=1):
        lines += ["  begin", f"     id {number}", f"     name {name}"]
        lines += ["     direction " + " ".join(map(str, direction)), f"     length {size}"]
        lines += ["     axis " + " ".join(map(str, (*axis, "XYZ")[:4]))]
        if freedoms:
            lines += [f"    dof {freedoms}", "    limits (-160.0 20.0)"]
            lines += ["           (-70.0 70.0)"] * (len(freedoms.split()) - 1)
        lines.append("  end")
    lines += [":hierarchy", "  begin"]
    for parent in dict.fromkeys(bone[0] for bone in bones.values()):
        children = [name for name, bone in bones.items() if bone[0] == parent]
        lines.append(f"    {parent} " + " ".join(children))
    return "\n".join([*lines, "  end", ""])


def trial(*frames: dict, root=(0, 0, 0, 0, 0, 0), bones=BONES) -> str:
    """Frames as bone -> its angles; what is not named is zero."""
    lines = ["#!OML:ASF", ":FULLY-SPECIFIED", ":DEGREES"]
    for number, frame in enumerate(frames, start=1):
        lines += [str(number), "root " + " ".join(map(str, frame.get("root", root)))]
        for name, bone in bones.items():
            if freedoms := bone[4].split():
                angles = frame.get(name, [0] * len(freedoms))
                lines.append(f"{name} " + " ".join(map(str, angles)))
    return "\n".join([*lines, ""])


@pytest.fixture
def read(tmp_path):
    def read(amc: str, asf: str | None = None, **options) -> torch.Tensor:
        (tmp_path / "01.asf").write_text(skeleton() if asf is None else asf)
        (tmp_path / "01_02.amc").write_text(amc)
        return asf_amc.read_amc(tmp_path / "01.asf", tmp_path / "01_02.amc", **options)

    return read


# --- worked by hand --------------------------------------------------------------------------


def test_bones_without_rotation_lie_as_the_skeleton_says(read):
    got = read(trial({"root": (2, 3, 4, 0, 0, 0)}))
    assert got.shape == (1, 17, 3) and got.dtype == torch.float32
    places = {"pelvis": (2, 3), "right_hip": (1, 3), "right_ankle": (1, -4.5), "left_knee": (3, -1)}
    places |= {"spine": (2, 4.5), "thorax": (2, 6.5), "neck_nose": (2, 7), "head_top": (2, 7.8)}
    places |= {"left_shoulder": (3.2, 4.5), "left_wrist": (7.3, 4.5), "right_elbow": (-1.4, 4.5)}
    for name, (x, y) in places.items():
        np.testing.assert_allclose(joint(got, name)[0], UNIT * z_up(x, y, 4), atol=1e-6)


@pytest.mark.parametrize(("length", "unit"), [(0.45, 0.0564444), (1.0, 0.0254), (0.9, 0.0282222)])
def test_lengths_are_inches_divided_by_the_unit_of_the_file(read, length, unit):
    got = read(trial({"root": (2, 3, 4, 0, 0, 0)}), skeleton(length=length))
    np.testing.assert_allclose(joint(got, "pelvis")[0], unit * z_up(2, 3, 4), atol=1e-6)
    shin = joint(got, "left_ankle")[0] - joint(got, "left_knee")[0]
    np.testing.assert_allclose(shin, unit * z_up(0, -3.5, 0), atol=1e-6)


def test_a_bone_turns_itself_and_what_hangs_on_it(read):
    """The thigh by 90 degrees about x: straight down becomes straight back (-z), shin with it."""
    got = read(trial({"rfemur": (90, 0, 0)}))
    np.testing.assert_allclose(joint(got, "right_knee")[0], UNIT * z_up(-1, 0, -4), atol=1e-6)
    np.testing.assert_allclose(joint(got, "right_ankle")[0], UNIT * z_up(-1, 0, -7.5), atol=1e-6)
    np.testing.assert_allclose(joint(got, "left_ankle")[0], UNIT * z_up(1, -7.5, 0), atol=1e-6)


def test_angles_are_taken_about_the_axes_of_the_bone(read):
    """The shin's own x axis is turned by 30 degrees about z: C Rx(90) C^-1 of (0, -3.5, 0)."""
    got = read(trial({"rtibia": (90,)}))
    # C^-1 v = 3.5 (-sin 30, -cos 30, 0); Rx(90): y -> z; C again
    s, c = math.sin(math.radians(30)), math.cos(math.radians(30))
    shin = (-s * c * 3.5, -s * s * 3.5, -c * 3.5)
    got = joint(got, "right_ankle")[0] - joint(got, "right_knee")[0]
    np.testing.assert_allclose(got, UNIT * z_up(*shin), atol=1e-6)


def test_angles_of_a_bone_turn_about_x_first_then_y_then_z(read):
    """(0, -4, 0): Rx(90) -> (0, 0, -4); Ry(90) -> (-4, 0, 0); Rz(90) -> (0, -4, 0)."""
    got = read(trial({"rfemur": (90, 90, 0)}, {"rfemur": (90, 90, 90)}))
    thigh = joint(got, "right_knee") - joint(got, "right_hip")
    np.testing.assert_allclose(thigh[0], UNIT * z_up(-4, 0, 0), atol=1e-6)
    np.testing.assert_allclose(thigh[1], UNIT * z_up(0, -4, 0), atol=1e-6)


def test_freedoms_are_read_in_the_order_of_the_bone(read):
    """The upper arm's are rz then ry: 90 about z lifts the right one (-x) downwards."""
    got = read(trial({"rhumerus": (90, 0)}, {"rhumerus": (0, 90)}))
    arm = joint(got, "right_elbow") - joint(got, "right_shoulder")
    np.testing.assert_allclose(arm[0], UNIT * z_up(0, -2.2, 0), atol=1e-6)
    np.testing.assert_allclose(arm[1], UNIT * z_up(0, 0, 2.2), atol=1e-6)


@pytest.mark.parametrize("order", ["TX TY TZ RX RY RZ", "RX TZ RY TX TY RZ"])
def test_the_root_may_give_its_freedoms_in_another_order(read, order):
    values = dict(zip("TX TY TZ RX RY RZ".split(), (2, 3, 4, 10, 20, 30), strict=True))
    got = read(trial({"root": [values[f] for f in order.split()]}), skeleton(order=order))
    torch.testing.assert_close(got, read(trial({"root": (2, 3, 4, 10, 20, 30)})))


@pytest.mark.parametrize(("order", "step"), [("XYZ", (0, 0, -1)), ("ZYX", (0, 0, 1))])
def test_the_root_turns_in_the_order_that_it_says(read, order, step):
    """90 degrees each. The left hip lies at +x. X, Y, Z: (1, 0, 0) stays, -> (0, 0, -1), stays.
    Z, Y, X: -> (0, 1, 0), stays, -> (0, 0, 1)."""
    text = skeleton(order="TX TY TZ " + " ".join(f"R{a}" for a in order), axis=order)
    got = read(trial({"root": (0, 0, 0, 90, 90, 90)}), text)
    np.testing.assert_allclose(joint(got, "left_hip")[0], UNIT * z_up(*step), atol=1e-6)


def test_a_root_without_some_freedoms_stays_there(read):
    got = read(trial({"root": (3, 90)}), skeleton(order="TY RY"))
    np.testing.assert_allclose(joint(got, "left_hip")[0], UNIT * z_up(0, 3, -1), atol=1e-6)


def test_the_position_of_the_root_is_added_to_every_frame(read):
    frames = [{"root": (2, 3, 4, 10, 20, 30)}, {"root": (5, 3, 1, 70, 20, 30)}]
    moved = read(trial(*frames), skeleton(position="10 20 30")) - read(trial(*frames))
    np.testing.assert_allclose(
        moved, np.broadcast_to(UNIT * z_up(10, 20, 30), (2, 17, 3)), atol=1e-5
    )


def test_the_freedom_l_lengthens_a_bone(read):
    """The shin by 1.5 units, its knee turned by 90 degrees about its axis; ltibia stays 3.5."""
    bones = BONES | {"rtibia": ("rfemur", (0, -1, 0), 3.5, (0, 0, 30), "l rx")}
    got = read(trial({"rtibia": (1.5, 90)}, bones=bones), skeleton(bones))
    s, c = math.sin(math.radians(30)), math.cos(math.radians(30))
    shin = joint(got, "right_ankle")[0] - joint(got, "right_knee")[0]
    np.testing.assert_allclose(shin, UNIT * z_up(-s * c * 5, -s * s * 5, -c * 5), atol=1e-6)
    shin = joint(got, "left_ankle")[0] - joint(got, "left_knee")[0]
    np.testing.assert_allclose(shin, UNIT * z_up(0, -3.5, 0), atol=1e-6)


@pytest.mark.parametrize("head", ["", ":RADIANS"])
def test_angles_may_be_radians(read, head):
    """A skeleton's unit counts for its motion too, where that does not say another."""
    in_radians = {
        name: (p, d, size, (*np.radians(axis[:3]), *axis[3:]), f)
        for name, (p, d, size, axis, f) in BONES.items()
    }
    frames = frames_of(2)
    turned = [{n: np.radians(v).tolist() for n, v in frame.items()} for frame in frames]
    for there, here in zip(frames, turned, strict=True):
        here["root"][:3] = there["root"][:3]
    got = read(trial(*turned).replace(":DEGREES", head), skeleton(in_radians, angle="rad"))
    np.testing.assert_allclose(got, UNIT * slow_positions(frames), atol=5e-6)


def test_the_motion_may_have_another_unit_of_angles_than_the_skeleton(read):
    degrees = trial({"rtibia": (90,)})
    radians = degrees.replace(":DEGREES", ":RADIANS").replace("tibia 90", f"tibia {math.pi / 2}")
    torch.testing.assert_close(read(radians), read(degrees))


def test_bones_may_stand_in_any_order(read):
    back = dict(reversed(BONES.items()))
    frames = frames_of(2)
    got = read(trial(*frames, bones=back), skeleton(back))
    np.testing.assert_allclose(got, UNIT * slow_positions(frames), atol=5e-6)


def in_order(order: str, xyz) -> Rotation:
    """Turns by these degrees about x, y and z, in this order, about axes that stay."""
    return Rotation.from_euler(order, [xyz["xyz".index(a)] for a in order], degrees=True)


def slow_positions(text_frames: list[dict], bones=BONES) -> np.ndarray:
    """Bone by bone with another library's rotations, as the format's description has it."""
    bone_of = {"pelvis": "root", "spine": "lowerback", "thorax": "lowerneck"}
    bone_of |= {"neck_nose": "upperneck", "head_top": "head"}
    limbs = "hip hipjoint knee femur ankle tibia shoulder clavicle elbow humerus wrist radius"
    limbs = limbs.split()
    for side in ("left", "right"):
        pairs = zip(limbs[::2], limbs[1::2], strict=True)
        bone_of |= {f"{side}_{name}": side[0] + bone for name, bone in pairs}
    result = []
    for frame in text_frames:
        numbers = frame["root"]
        turned = {"root": Rotation.from_euler("xyz", numbers[3:], degrees=True)}
        placed = {"root": np.array(numbers[:3], dtype=float)}
        for name, (parent, direction, length, axis, freedoms) in bones.items():
            angles = dict(zip(freedoms.split(), frame.get(name, ()), strict=True))
            own = [angles.get(f, 0.0) for f in ("rx", "ry", "rz")]
            order = (*axis, "XYZ")[3].lower()
            c, m = (in_order(order, xyz) for xyz in (axis, own))
            turned[name] = turned[parent] * c * m * c.inv()
            stretched = length + angles.get("l", 0.0)
            step = turned[name].apply(np.array(direction, dtype=float) * stretched)
            placed[name] = placed[parent] + step
        result.append([z_up(*placed[bone_of[name]]) for name in H36M_17.joints])
    return np.array(result)


def frames_of(count: int, bones=BONES) -> list[dict]:
    rng = np.random.default_rng(2)
    sizes = {"root": 6} | {name: len(bone[4].split()) for name, bone in bones.items() if bone[4]}
    return [
        {name: rng.uniform(-90, 90, size).round(4).tolist() for name, size in sizes.items()}
        for _ in range(count)
    ]


def test_all_joints_agree_with_another_way_to_compute_them(read):
    frames = frames_of(6)
    np.testing.assert_allclose(read(trial(*frames)), UNIT * slow_positions(frames), atol=5e-6)


def test_another_frame_rate_keeps_the_bones(read):
    frames = [{"root": (t, 0, 0, 0, 3 * t, 0), "rfemur": (4 * t, 0, 0)} for t in range(25)]
    whole, fewer = read(trial(*frames)), read(trial(*frames), fps=50.0)
    assert len(whole) == 25 and len(fewer) == 11
    np.testing.assert_allclose(joint(fewer, "pelvis")[:, 0], UNIT * 2.4 * np.arange(11), atol=1e-6)
    torch.testing.assert_close(fewer[[0, 5, 10]], whole[[0, 12, 24]], atol=1e-5, rtol=0)
    # spine to shoulder is no bone of this format, but moves with the trunk all the same
    lengths = bone_lengths(fewer.double(), H36M_17.parents)
    torch.testing.assert_close(lengths, lengths[:1].expand_as(lengths), atol=1e-6, rtol=0)


@pytest.mark.parametrize("rate", [0, -120, math.nan, math.inf, 1e12, "50"])
@pytest.mark.parametrize("what", ["fps", "source_fps"])
def test_what_is_no_frame_rate_is_refused(read, what, rate):
    with pytest.raises(ValueError, match=rf"^{what}: {rate!r} frames a second"):
        read(trial({}, {}), **{what: rate})


def test_the_frame_rate_of_a_trial_may_be_given_or_stand_in_its_file(read):
    text = trial(*({"root": (t, 0, 0, 0, 0, 0)} for t in range(25)))
    for source in ({"source_fps": 60.0}, {}):
        got = read(text, fps=50.0, **source)
        # 25 frames of 1/60 s: 21 of 1/50 s, 1.2 units each
        assert len(got) == 21
        np.testing.assert_allclose(
            joint(got, "pelvis")[:, 0], UNIT * 1.2 * np.arange(21), atol=1e-6
        )
        text = changed(text, ":DEGREES", ":DEGREES\n:SAMPLES-PER-SECOND 60")
    with pytest.raises(ValueError, match=r"^01_02\.amc: 60 frames a second, but source_fps=120"):
        read(text, source_fps=120.0)


# --- damaged files ---------------------------------------------------------------------------


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("length 0.45", "length 0", r", line 5: a unit of length of 0"),
        ("length 0.45", "length -1", r", line 5: a unit of length of -1"),
        ("length 0.45", "length nan", r", line 5: NaN"),
        ("length 0.45", "length 1e-9", r", line 17: a bone of 2.54e\+07 metres"),
        ("length 0.45", "length 0.45 0.5", r", line 5: expected one number"),
        ("angle deg", "angle grad", r", line 6: angles must be deg or rad"),
        ("mass 1.0", "temperature 1.0", r", line 4: 'temperature' of :units"),
        (":version 1.10", ":skeleton 2", r", line 2: :skeleton .*none of the sections"),
        (":bonedata", ":root", r", line 12: :root stands there twice"),
        ("axis XYZ", "axis ZYX", r", line 8: turns come in the order XYZ, .*says ZYX"),
        ("axis XYZ", "axis XY", r", line 8: expected an axis with an order"),
        ("TX TY", "TX TX", r", line 8: of the freedoms .*twice"),
        ("TX TY", "TX L", r", line 8: of the freedoms"),
        ("position 0 0 0", "position 0 1e308 0", r", line 10: NaN, infinite or above"),
        ("orientation 0 0 0", "orientation 0 90 0", r", line 11: a root turned beforehand"),
        ("orientation 0 0 0", "rotation 0 0 0", r", line 11: 'rotation' of :root"),
        ("axis 0 0 30 XYZ", "axis 0 0 inf XYZ", r", line \d+: NaN"),
        ("axis 0 0 30 XYZ", "axis 0 0 30", r", line \d+: expected an axis with an order"),
        ("dof rx ry rz", "dof rx rz ry", r", line \d+: turns come in the order XZY"),
        ("dof rx ry rz", "dof tx ry rz", r", line \d+: of the freedoms 'tx ry rz'"),
        ("direction 0 -1 0", "direction 0 -2 0", r", line \d+: a direction of length 1"),
        ("direction 0 -1 0", "direction 0 -1", r", line \d+: expected three numbers"),
        ("length 4.0", "length -4.0", r", line \d+: a bone of -0.22"),
        ("length 4.0", "length 1e308", r", line \d+: NaN, infinite or above"),
        ("length 4.0", "length long", r", line \d+: 'long' are no numbers"),
        ("name ltibia", "name rtibia", r", line \d+: a second bone 'rtibia'"),
        ("name head", "name", r", line \d+: a name is one word"),
        ("    rfemur rtibia", "    rfemur rfemur", r", line \d+: rfemur hangs on rfemur"),
        ("    rfemur rtibia", "    rfemur root", r", line \d+: root hangs on rfemur"),
        ("    rfemur rtibia", "    rfemur rtibia rtibia", r", line \d+: rtibia hangs on rfemur al"),
        ("    rfemur rtibia", "    wing rtibia", r", line \d+: wing is no bone"),
        ("    rfemur rtibia", "    rfemur wing", r", line \d+: wing is no bone"),
        ("    rfemur rtibia\n", "", r": the bones rtibia are missing in :hierarchy"),
        ("    root rhipjoint", "    rtibia rhipjoint", r": .*rfemur.* in a circle"),
        ("  begin\n     id 3", "     id 3", r", line \d+: 'id' outside of begin and end"),
    ],
)
def test_a_skeleton_with_a_wrong_field_is_refused_with_its_line(read, old, new, said):
    with pytest.raises(ValueError, match=rf"^01\.asf{said}"):
        read(trial({}), changed(skeleton(), old, new))


def test_a_bone_that_hangs_nowhere_is_named_though_no_joint_needs_it(read):
    bones = BONES | {"tail": ("lost", (0, 0, -1), 1.0, (0, 0, 0), "")}
    text = changed(skeleton(bones), "    lost tail\n", "")
    with pytest.raises(ValueError, match=r"^01\.asf: the bones tail are missing in :hierarchy"):
        read(trial({}), text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rfemur 0 0 0", "rfemur 0 0", r", line 6: 'rfemur' does not fit"),
        ("rfemur 0 0 0", "rfemur 0 0 1e308", r", line 6: NaN, infinite or above"),
        ("root 0 0 0", "root 0 99999 0", r": joints up to 5644\.\d+ metres from the origin"),
        ("1\nroot", "root", r", line 4: 'root' before a frame's number"),
        ("rtibia 0\n", "rtibia 0\nrtibia 0\n", r", line 8: 'rtibia' .*twice in a frame"),
        ("rtibia 0\n", "", r", line 13: frame 1 ends without rtibia"),
        ("rtibia 0\n", ":DEGREES\n", r", line 7: :DEGREES is not known here"),
        (":DEGREES", ":GRADES", r", line 3: :GRADES is not known here"),
        ("2\nroot", "3\nroot", r", line 14: frame 3 follows frame 1"),
        ("2\nroot", "1\nroot", r", line 14: frame 1 follows frame 1"),
        ("2\nroot", "0\nroot", r", line 14: frame 0 follows frame 1"),
        ("2\nroot", f"{'9' * 5000}\nroot", r", line 14: frame 9+ follows frame 1"),
        (":DEGREES", ":SAMPLES-PER-SECOND 0", r", line 3: 0\.0 frames a second"),
        (":DEGREES", ":SAMPLES-PER-SECOND", r", line 3: expected one number"),
    ],
)
def test_a_motion_with_a_wrong_line_is_refused_by_it(read, old, new, said):
    with pytest.raises(ValueError, match=rf"^01_02\.amc{said}"):
        read(changed(trial({}, {}), old, new))


def test_a_motion_without_frames_or_of_another_kind_is_refused(read):
    with pytest.raises(ValueError, match=r"^01_02\.amc: no frames"):
        read(trial())
    with pytest.raises(ValueError, match=r"^01_02\.amc: a web page"):
        read("<html>404</html>")
    with pytest.raises(ValueError, match=r"^01\.asf: a Git LFS pointer"):
        read(trial({}), "version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ValueError, match=r"^01\.asf: not a whole ASF skeleton"):
        read(trial({}), "skeleton")


def test_a_comment_may_be_of_another_encoding_and_lines_may_end_in_any_way(read, tmp_path):
    plain = read(trial({"root": (1, 2, 3, 4, 5, 6)}))
    for path in tmp_path.iterdir():
        latin = b"# f\xfcr \x85 \x0b \x1c\r\n" + path.read_bytes().replace(b"\n", b"\r\n")
        path.write_bytes(latin)
    files = tmp_path / "01.asf", tmp_path / "01_02.amc"
    assert torch.equal(asf_amc.read_amc(*files), plain)
    for path in files:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\xfc", "ü".encode()))
    assert torch.equal(asf_amc.read_amc(*files), plain)


def test_frames_may_start_at_any_number(read):
    frames = trial({"rtibia": (10,)}, {"rtibia": (20,)})
    later = changed(changed(frames, "1\nroot", "34\nroot"), "\n2\nroot", "\n35\nroot")
    assert torch.equal(read(later), read(frames))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 0.98])
def test_a_skeleton_that_was_cut_off_is_refused_by_name(read, share):
    whole = skeleton()
    with pytest.raises(ValueError, match=r"01\.asf|does not fit the skeleton"):
        read(trial({}), whole[: int(share * len(whole))])


@pytest.mark.parametrize("word", ["length 0.45", "order", "direction 0 -1 0", "name rfemur"])
def test_a_skeleton_without_a_line_is_refused_by_name(read, word):
    lines = [line for line in skeleton().splitlines() if word not in line]
    with pytest.raises(ValueError, match=r"01\.asf"):
        read(trial({}), "\n".join(lines))


def test_a_bone_that_the_skeleton_does_not_have_is_named_with_its_line(read):
    text = trial({}, {}).splitlines()
    number = text.index("rfemur 0 0 0", 12) + 1
    text[number - 1] = "rwing 0 0 0"
    with pytest.raises(ValueError, match=rf"^01_02\.amc, line {number}: 'rwing' does not fit"):
        read("\n".join(text))


@pytest.mark.parametrize("value", ["-", "1.2.3", "x", "nan", "inf"])
def test_what_is_no_number_is_refused_with_its_line(read, value):
    with pytest.raises(ValueError, match=r"01_02\.amc, line 6"):
        read(trial({}).replace("rfemur 0 0 0", f"rfemur 0 {value} 0"))


def test_motion_that_was_cut_off_is_refused(read):
    lines = trial({}, {}, {}).splitlines()
    for count in (len(lines) - 1, len(lines) - 4):
        with pytest.raises(ValueError, match=r"^01_02\.amc: .*cut off"):
            read("\n".join(lines[:count]))


# --- trials of a folder ----------------------------------------------------------------------


def test_trials_take_the_skeleton_of_their_subject(tmp_path):
    tall = {name: (p, d, 2 * size, a, f) for name, (p, d, size, a, f) in BONES.items()}
    (tmp_path / "01.asf").write_text(skeleton())
    (tmp_path / "02.asf").write_text(skeleton(tall))
    for name in ("01_01", "02_07", "09_03"):
        (tmp_path / f"{name}.amc").write_text(trial({}, {}, {}, {}))
    found = dict(asf_amc.trials(tmp_path, 50.0))
    thigh = {n: float(bone_lengths(p, H36M_17.parents)[0, 1]) for n, p in found.items()}
    assert thigh == pytest.approx({"01_01": 4 * UNIT, "02_07": 8 * UNIT, "09_03": 4 * UNIT})
    assert {len(p) for p in found.values()} == {2}


def test_each_trial_has_a_frame_rate_of_its_own(tmp_path):
    (tmp_path / "01.asf").write_text(skeleton())
    for name in ("05_06", "88_01", "90_02"):
        (tmp_path / f"{name}.amc").write_text(trial(*[{}] * 13))
    lengths = {n: len(p) for n, p in asf_amc.trials(tmp_path, 120.0)}
    assert lengths == {"05_06": 13, "88_01": 25, "90_02": 13}  # that of 88_01 is known
    given = dict(asf_amc.trials(tmp_path, 120.0, {"88_01": 120.0, "90_02": 240.0}))
    assert {n: len(p) for n, p in given.items()} == {"05_06": 13, "88_01": 13, "90_02": 7}
    with pytest.raises(ValueError, match=r"unknown trial '90_05'.*'90_02'"):
        list(asf_amc.trials(tmp_path, 120.0, {"90_05": 60.0}))


def test_a_folder_without_skeletons_has_no_trials(tmp_path):
    (tmp_path / "01_01.amc").write_text(trial({}))
    assert list(asf_amc.trials(tmp_path, 50.0)) == []
    assert list(asf_amc.trials(tmp_path / "nowhere", 50.0)) == []


# --- real trials -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> dict[str, torch.Tensor]:
    try:
        folder = cmu.find() / "asf_amc"
    except MissingDataError as missing:
        pytest.skip(str(missing))
    if not list(folder.glob("*.amc")):
        pytest.skip(f"no ASF/AMC trials in {folder.name}")
    return dict(asf_amc.trials(folder, 120.0))


@pytest.mark.data
def test_real_trials_have_constant_bones(real):
    assert {"05_06", "88_01"} <= set(real)
    for name, positions in real.items():
        # trunk and shoulders are made of several bones each, which bend
        limbs = [0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 14, 15]
        lengths = bone_lengths(positions.double(), H36M_17.parents)[:, limbs]
        assert (lengths.amax(dim=0) - lengths.amin(dim=0)).max() < 2e-5, name
        assert 0.3 < lengths.max() < 0.5, name


@pytest.mark.data
def test_real_dancers_stand_as_tall_as_people(real):
    for name in ("05_06", "05_07", "05_13"):
        positions = real[name].double()
        ankles = positions[:, [3, 6], 2].amin(dim=1)
        height = (positions[:, H36M_17.index("head_top"), 2] - ankles).median()
        assert 1.3 < height < 1.8, name


@pytest.mark.data
def test_somebody_turning_a_flip_hangs_upside_down(real):
    positions = real["88_01"]
    trunk = positions[:, H36M_17.index("thorax")] - positions[:, 0]
    upright = trunk[:, 2] / trunk.norm(dim=-1)
    assert upright.max() > 0.9 and upright.min() < -0.8


# percent of a body's mass near each of the 17 joints, roughly (Winter, table 4.1)
MASS = np.array(
    [19, 10, 4.65, 1.45, 10, 4.65, 1.45, 13.9, 19, 4, 4.1, 2.8, 1.6, 0.6, 2.8, 1.6, 0.6]
)


@pytest.mark.data
@pytest.mark.parametrize("name", ["05_06", "90_05", "90_08", "90_11"])
def test_a_real_jump_falls_as_gravity_says(real, name):
    """A leap and a jump kick at 120 Hz, turns in the air at 60 Hz: the middle of the body, fitted
    over the third of a second with the most downward bend, falls by about g. At the other of the
    two frame rates it would be g / 4 or 4 g."""
    height = real[name][..., 2].double().numpy() @ MASS / MASS.sum()
    time = np.arange(40) / 120
    bends = [2 * np.polyfit(time, height[s : s + 40], 2)[0] for s in range(len(height) - 40)]
    assert min(bends) == pytest.approx(-9.8, abs=1.5)
