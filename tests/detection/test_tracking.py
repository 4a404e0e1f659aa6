"""Who is followed from frame to frame stays the same person, where it is known who is who."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from detection.figures import COCO, figure

from paperlib import datasets
from paperlib.cameras import project
from paperlib.detection import PROFILES, detect
from paperlib.detection.crossing import cross
from paperlib.detection.lost_people import lose_hidden
from paperlib.detection.tracking import Follower, follow
from paperlib.recordings import Dataset, Recording
from paperlib.rendering import people_visibility


def idf1(true: dict[int, list[int]], found: dict[int, list[int]]) -> float:
    """The share of all detections that carry the number that is their person's, one number being
    given to each person: IDF1 where a detector's people are all real ones."""
    from scipy.optimize import linear_sum_assignment

    pairs = [pair for t in true for pair in zip(true[t], found[t], strict=True)]
    people, numbers = (sorted(set(each)) for each in zip(*pairs, strict=True))
    counts = np.zeros((len(people), len(numbers)))
    for person, number in pairs:
        counts[people.index(person), numbers.index(number)] += 1
    return counts[linear_sum_assignment(-counts)].sum() / len(pairs)


SMALL = datasets.load("synthetic", small=True).test


def crossing(first: int, second: int, seed: int, width: float) -> Dataset:
    """Two people of the embedded motion who pass each other within half a metre of depth."""
    chosen = SMALL[first], SMALL[second]
    length = min(map(len, chosen))
    way = torch.linspace(-width, width, length)
    moved = []
    for person, one in enumerate(chosen):
        centred = one.positions[:length] - one.positions[:length, :1]
        offset = torch.stack([(1 - 2 * person) * way, 0 * way, 5.0 + 0.5 * person + 0 * way], -1)
        moved.append(centred + offset[:, None])
    visible = people_visibility(torch.stack(moved), SMALL[0].skeleton).visible
    camera = SMALL[0].camera
    fields = {"subject": "S1", "action": "crossing", "clip": f"crossing {seed}", "fps": 50.0}
    people = tuple(
        Recording(
            **fields,
            camera=camera,
            keypoints=project(places, camera),
            confidence=torch.ones(length, 17),
            positions=places,
            visible=visible[person],
            person=person,
        )
        for person, places in enumerate(moved)
    )
    return Dataset("crossing", "here", (), people)


def detections(data: Dataset, seed: int, every: int, lost: float):
    """What a simulated detector finds: people behind others are lost or lie on those; whose
    detections are whose is known, and their order in a frame tells nothing."""
    found = detect(data, "simulated_v2", seed).map(lose_hidden)
    profile = PROFILES["simulated_v2"]
    quiet = replace(profile, crossing=replace(profile.crossing, chance=0.0))
    people = cross(data.test, found.test, quiet, seed)
    rng = np.random.default_rng(seed)
    frames, who = {}, {}
    for t in range(0, len(people[0]), every):
        joints = [
            torch.cat([one.keypoints[t], one.confidence[t, :, None]], dim=-1).double().numpy()
            for one in people
        ]
        who[t] = [
            int(n)
            for n in rng.permutation(len(people))
            if (joints[n][:, 2] > 0).any() and rng.random() >= lost
        ]
        frames[t] = [joints[n] for n in who[t]]
    return frames, who


@pytest.mark.parametrize("width", [0.8, 1.6, 3.2], ids="{} m".format)
@pytest.mark.parametrize(("every", "lost"), [(1, 0.0), (5, 0.0), (1, 0.2)])
def test_two_people_who_cross_keep_their_identities(width, every, lost):
    alone = 0
    for seed, pair in enumerate([(0, 9), (4, 8), (1, 11), (5, 2)]):
        frames, who = detections(crossing(*pair, seed, width), seed, every, lost)
        alone += sum(len(people) < 2 for people in frames.values())
        numbers = follow(frames, every)
        assert idf1(who, numbers) == 1.0
        # not by keeping the order in which they come
        order = {t: list(range(len(people))) for t, people in frames.items()}
        assert idf1(who, order) < 0.8
    assert alone > 5 or every > 1  # frames in which one of them is hidden


def test_nobody_is_twice_in_a_frame_and_numbers_go_by_appearance():
    people = {t: [figure(COCO, at + 3 * t) for at in (900, 300, 600)[: 1 + t]] for t in range(3)}
    assert follow(people) == {0: [0], 1: [0, 1], 2: [0, 1, 2]}


def test_who_goes_and_comes_back_soon_is_the_same_and_later_another():
    def film(gap):
        return {t: [figure(COCO, 300 + t)] for t in [*range(20), *range(20 + gap, 40 + gap)]}

    assert {n for numbers in follow(film(30)).values() for n in numbers} == {0}
    assert {n for numbers in follow(film(100)).values() for n in numbers} == {0, 1}


def test_somebody_far_away_is_somebody_else():
    """The fault it mends: 598 pixels from one frame to the next."""
    people = {t: [figure(COCO, 300 if t < 10 else 898, 400)] for t in range(20)}
    assert [numbers[0] for numbers in follow(people).values()] == [0] * 10 + [1] * 10


def test_people_without_most_of_their_joints_are_followed_by_the_others():
    rng = np.random.default_rng(0)
    people, who = {}, {}
    for t in range(60):
        who[t] = list(rng.permutation(2))
        whole = [figure(COCO, (300 + 4 * t, 560 - 4 * t)[n], 400 - 60 * n) for n in who[t]]
        people[t] = [one * (rng.random(17) > 0.4)[:, None] for one in whole]
    assert idf1(who, follow(people)) == 1.0


def test_frames_of_nobody_and_people_of_no_joints():
    people = {0: [], 1: [figure(COCO)], 2: [np.zeros((17, 3))], 3: [figure(COCO, 302)]}
    numbers = follow(people)
    assert numbers[0] == [] and numbers[1] == numbers[3] == [0]
    assert follow({}) == {}


def test_as_the_film_is_made_and_when_it_is_over_people_have_the_same_numbers():
    frames, _ = detections(crossing(0, 9, 0, 1.6), 0, 5, 0.2)
    follower = Follower()
    assert {t: follower.step(people, t / 5) for t, people in frames.items()} == follow(frames, 5)
