"""The embedded motion: what a body can do, what the floor allows, and that it is repeatable."""

import numpy as np
import pytest
import torch

from paperlib.datasets import synthetic
from paperlib.datasets.filming import STUDIO, share_in_view
from paperlib.datasets.motion.bodies import BODIES, Body
from paperlib.datasets.motion.families import MOTIONS
from paperlib.kinematics import bone_lengths
from paperlib.skeletons import H36M_17

FPS = 50.0
SIDES = ("left", "right")
FAMILIES = tuple(MOTIONS)


@pytest.fixture(scope="module")
def takes() -> dict[tuple[str, str], np.ndarray]:
    """(family, subject) -> (T, 17, 3) metres, float64."""
    options = {"seed": 3, "seconds": 6.0, "fps": FPS}
    return {
        (family, subject): synthetic.world_motion(subject, family, **options).astype(np.float64)
        for family in MOTIONS
        for subject in BODIES
    }


@pytest.fixture(scope="module")
def small():
    return synthetic.load(seconds=1.0)


def of(takes, family: str):
    """(body, positions) of every subject's take of a family."""
    return [(BODIES[s], world) for (f, s), world in takes.items() if f == family]


def joint(world: np.ndarray, name: str) -> np.ndarray:
    return world[:, H36M_17.index(name)]


def bend(world: np.ndarray, above: str, middle: str, below: str) -> np.ndarray:
    """Degrees (T,) between two bones; 0 is straight."""
    first = joint(world, middle) - joint(world, above)
    second = joint(world, below) - joint(world, middle)
    cosine = (first * second).sum(-1)
    cosine /= np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def standing(body: Body, ankle: np.ndarray) -> np.ndarray:
    """(T,) whether a foot is flat on the floor."""
    return np.abs(ankle[:, 2] - body.ankle_height) < 1e-3


def test_all_families_are_there():
    wanted = "walking turning jogging sitting_down bending reaching waving boxing throwing kicking"
    assert set(wanted.split()) | {"jumping", "squatting", "phoning"} <= set(MOTIONS)


def test_bodies_differ_and_add_up():
    statures = [body.stature for body in BODIES.values()]
    assert len(set(statures)) == len(BODIES) >= 7
    assert max(statures) - min(statures) > 0.3
    for body in BODIES.values():
        rest = body.offsets()
        ankle = rest[0, 2] + rest[2, 2] + rest[3, 2]
        assert ankle.item() == pytest.approx(body.ankle_height)
        top = sum(rest[H36M_17.index(j), 2] for j in ("spine", "thorax", "neck_nose", "head_top"))
        assert (rest[0, 2] + top).item() == pytest.approx(body.stature)
    shares = {round(sum(body.leg) / body.stature, 3) for body in BODIES.values()}
    assert len(shares) >= 5, "the people are copies of one another in other sizes"


def test_a_body_of_impossible_size_is_refused():
    with pytest.raises(ValueError, match="stature 17"):
        Body("giant", 17.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_bones_keep_their_lengths(takes, family):
    for body, world in of(takes, family):
        lengths = bone_lengths(torch.from_numpy(world), H36M_17.parents)
        expected = body.offsets()[1:].norm(dim=-1)
        assert (lengths - expected).abs().max() < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_knees_and_elbows_bend_as_they_can(takes, family):
    for _, world in of(takes, family):
        across = joint(world, "left_hip") - joint(world, "right_hip")
        for side in SIDES:
            knee = bend(world, f"{side}_hip", f"{side}_knee", f"{side}_ankle")
            elbow = bend(world, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
            assert knee.max() < 155 and elbow.max() < 155
            # a knee lies ahead of the line from hip to ankle, as the pelvis faces
            leg = joint(world, f"{side}_ankle") - joint(world, f"{side}_hip")
            thigh = joint(world, f"{side}_knee") - joint(world, f"{side}_hip")
            assert ((thigh * np.cross(leg, across)).sum(-1) > 0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_trunk_and_neck_bend_within_limits(takes, family):
    for _, world in of(takes, family):
        assert bend(world, "pelvis", "spine", "thorax").max() < 75
        assert bend(world, "spine", "thorax", "neck_nose").max() < 75
        # nobody leans far back
        across = joint(world, "left_hip") - joint(world, "right_hip")
        ahead = np.cross(across, (0.0, 0.0, 1.0))
        ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
        trunk = joint(world, "thorax") - joint(world, "pelvis")
        backwards = np.arctan2(-(trunk * ahead).sum(-1), np.abs(trunk[:, 2]))
        assert np.degrees(backwards).max() < 40


@pytest.mark.parametrize("family", FAMILIES)
def test_feet_stay_where_they_stand(takes, family):
    for body, world in of(takes, family):
        flat_share = 0.0
        for side in SIDES:
            ankle = joint(world, f"{side}_ankle")
            assert ankle[:, 2].min() > body.ankle_height - 1e-3, "a foot in the floor"
            flat = standing(body, ankle)
            stays = flat[1:] & flat[:-1]
            speed = np.linalg.norm(np.diff(ankle[:, :2], axis=0), axis=-1) * FPS
            assert (speed[stays] < 0.01).all(), "a foot slides"
            flat_share += flat.mean() / 2
        assert flat_share > (0.15 if family == "jogging" else 0.3)


def test_only_jogging_and_jumping_leave_the_floor(takes):
    for family in FAMILIES:
        for body, world in of(takes, family):
            lowest = np.minimum(*(joint(world, f"{side}_ankle")[:, 2] for side in SIDES))
            off = (lowest - body.ankle_height).max()
            assert (off > 0.05) if family == "jumping" else (off < 0.12)


@pytest.mark.parametrize("family", FAMILIES)
def test_motion_is_smooth_and_never_still(takes, family):
    for _, world in of(takes, family):
        acceleration = np.linalg.norm(np.diff(world, 2, axis=0), axis=-1) * FPS**2
        assert acceleration.max() < 200  # m/s^2; a punch reaches 100, a jump in the data 2500
        head = joint(world, "head_top")
        for second in range(0, len(world) - 50, 50):
            assert np.ptp(head[second : second + 50], axis=0).max() > 1e-3, "a statue"


@pytest.mark.parametrize("family", FAMILIES)
def test_everyone_stays_on_the_stage(takes, family):
    for _, world in of(takes, family):
        assert np.abs(world[:, 0, :2]).max() <= 2.0
        assert world[..., 2].min() > 0.0


def test_arms_stay_out_of_the_trunk(takes):
    for world in takes.values():
        low, high = joint(world, "pelvis"), joint(world, "thorax")
        for side in SIDES:
            for name in ("elbow", "wrist"):
                point, along = joint(world, f"{side}_{name}") - low, high - low
                share = ((point * along).sum(-1) / (along**2).sum(-1)).clip(0, 1)
                away = np.linalg.norm(point - share[:, None] * along, axis=-1)
                assert away.min() > 0.08


def test_each_action_is_what_it_is_called(takes):
    def heights(family, name):
        return [joint(world, name)[:, 2] / body.stature for body, world in of(takes, family)]

    assert max(h.min() for h in heights("sitting_down", "pelvis")) < 0.36
    assert max(h.min() for h in heights("squatting", "pelvis")) < 0.47
    assert np.median([h.min() for h in heights("bending", "head_top")]) < 0.72
    hands = zip(heights("waving", "left_wrist"), heights("waving", "right_wrist"), strict=True)
    assert min(np.maximum(*pair).max() for pair in hands) > 0.8
    for body, world in of(takes, "phoning"):
        hands = [joint(world, f"{s}_wrist") - joint(world, "neck_nose") for s in SIDES]
        assert min(np.linalg.norm(h, axis=-1).min() for h in hands) < 0.07 * body.stature
    for family, slowest, fastest in (("walking", 0.5, 1.9), ("jogging", 1.3, 2.8)):
        for _, world in of(takes, family):
            speed = np.linalg.norm(np.diff(world[:, 0, :2], axis=0), axis=-1).mean() * FPS
            assert slowest < speed < fastest
    for body, world in of(takes, "jogging"):
        ankles = np.stack([joint(world, f"{side}_ankle")[:, 2] for side in SIDES])
        assert (ankles.min(axis=0) > body.ankle_height + 0.01).mean() > 0.1, "never in the air"
        assert bend(world, "left_shoulder", "left_elbow", "left_wrist").mean() > 60
    for _, world in of(takes, "turning"):
        across = joint(world, "left_hip") - joint(world, "right_hip")
        heading = np.unwrap(np.arctan2(across[:, 1], across[:, 0]))
        assert np.ptp(heading) > 0.7


@pytest.mark.parametrize("family", FAMILIES)
def test_takes_and_people_differ(family):
    def pose(subject, take):
        world = synthetic.world_motion(subject, family, take, seconds=3.0, fps=25.0)
        return world - world[:, :1]

    first, second, other = pose("S1", 1), pose("S1", 2), pose("S2", 1)
    assert np.linalg.norm(first - second, axis=-1).mean() > 0.03
    assert np.linalg.norm(first - other, axis=-1).mean() > 0.03


def test_same_seed_same_bits_other_seed_other_motion():
    some = {"subjects": ("S2", "S6"), "families": ("boxing", "jogging"), "seconds": 1.0}
    once, again = synthetic.load(seed=5, **some), synthetic.load(seed=5, **some)
    for a, b in zip(once.train + once.test, again.train + again.test, strict=True):
        assert torch.equal(a.positions, b.positions) and torch.equal(a.keypoints, b.keypoints)
    assert once.fingerprint == again.fingerprint
    assert synthetic.load(seed=6, **some).fingerprint != once.fingerprint


def test_a_take_does_not_depend_on_the_others(small):
    alone = synthetic.load(subjects="S4", families="kicking", takes=2, seconds=1.0)
    in_both = {r.name: r for r in small.train}
    first = [r for r in alone.train if r.clip == "take1"]
    assert len(first) == len(STUDIO)
    assert all(torch.equal(r.positions, in_both[r.name].positions) for r in first)


def test_frame_rate_only_samples_the_motion():
    slow = synthetic.world_motion("S1", "walking", seconds=2.0, fps=25.0)
    fast = synthetic.world_motion("S1", "walking", seconds=2.0, fps=50.0)[::2]
    inner = slice(10, -10)  # the smoothing knows nothing beyond the ends
    assert np.linalg.norm(slow - fast, axis=-1)[inner].max() < 0.02


def test_split_and_views(small):
    assert {r.subject for r in small.train} == {"S1", "S2", "S3", "S4", "S5"}
    assert {r.subject for r in small.test} == {"S6", "S7"}
    assert {r.action for r in small.train} == {r.action for r in small.test} == set(MOTIONS)
    assert len(small.train) == 5 * len(MOTIONS) * len(STUDIO)
    assert {r.camera.name for r in small.test} == {c.name for c in STUDIO}
    assert all(len(r) == 50 and r.fps == 50.0 and r.visible is not None for r in small.test)
    assert small.name == "synthetic" and "invented" in small.source


def test_people_are_in_the_picture(small):
    shares = [share_in_view(r) for r in small.train + small.test]
    assert np.mean(np.array(shares) > 0.97) > 0.95
    assert min(shares) > 0.8


def test_people_stand_all_over_the_stage_and_face_anywhere(takes):
    spots = np.array([world[0, 0, :2] for world in takes.values()])
    assert (spots.std(axis=0) > 0.4).all()
    across = np.array([joint(w, "left_hip")[0] - joint(w, "right_hip")[0] for w in takes.values()])
    assert np.linalg.norm(across[:, :2].mean(axis=0)) < 0.3 * np.linalg.norm(across[0, :2])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("seconds", "fps"), [(0.02, 50.0), (0.5, 10.0)])
def test_the_shortest_takes_work(family, seconds, fps):
    world = synthetic.world_motion("S7", family, seconds=seconds, fps=fps)
    assert world.shape == (max(1, round(seconds * fps)), 17, 3)
    assert world.dtype == np.float32 and np.isfinite(world).all()
