"""Noise that lasts and events that begin and end, at any frame rate."""

import numpy as np
import pytest

from paperlib.detection.events import events, lasting_noise, marked


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("fps", [25.0, 60.0])
def test_events_cover_their_share_and_last_their_time(fps):
    # forty columns of each kind: 4 standard errors are then 8 % of the rarer one
    share, seconds = np.repeat([0.0, 0.02, 0.2], 40), np.repeat([0.5, 0.5, 0.25], 40)
    happened = events(rng(), 160_000, share, seconds, fps)
    covered = marked(happened, (160_000, 120)).reshape(-1, 3, 40).mean(axis=(0, 2))
    assert covered[0] == 0 and covered[1:] == pytest.approx([0.02, 0.2], rel=0.08)
    lengths = np.bincount(happened.event, minlength=happened.count)
    kind = happened.column[np.unique(happened.event, return_index=True)[1]] // 40
    for k, mean in ((1, 0.5), (2, 0.25)):
        assert lengths[kind == k].mean() / fps == pytest.approx(mean, rel=0.08)


def test_events_may_have_begun_before_the_first_frame():
    """A tenth is covered in every frame, of recordings of one frame as of longer ones."""
    for frames in (1, 2, 30):
        running = np.zeros(frames)
        for seed in range(40):
            shape = (frames, 200)
            running += marked(events(rng(seed), frames, np.full(200, 0.1), 0.4, 50.0), shape).sum(1)
        assert running / 8000 == pytest.approx(0.1, rel=0.15)


def test_what_is_shorter_than_a_frame_lasts_one():
    happened = events(rng(), 10_000, np.array([0.01]), 0.0, 50.0)
    assert happened.count == len(happened.frame) > 50


def test_a_row_for_each_frame_of_an_event_without_a_hole():
    happened = events(rng(), 500, np.array([0.1, 0.1]), 0.2, 50.0)
    assert (happened.frame < 500).all()
    for number in range(happened.count):
        frames = happened.frame[happened.event == number]
        assert (np.diff(frames) == 1).all() and len(frames)
        assert len(set(happened.column[happened.event == number])) == 1


@pytest.mark.parametrize("frames", [0.0, 5.0, 20.0])
def test_noise_has_unit_variance_and_lasts(frames):
    drawn = lasting_noise(rng(), (4000, 40), frames)
    lag = 20
    product = (drawn[lag:] * drawn[:-lag]).mean() / np.square(drawn).mean()
    assert drawn.std() == pytest.approx(1, rel=0.03)
    assert product == pytest.approx(np.exp(-lag / frames) if frames else 0, abs=0.03)


def test_smooth_noise_has_no_corners_and_starts_as_it_goes_on():
    """Its steps are correlated, those of the other are not: (1 + a) / 2 - 1 < 0 at most."""

    def steps(noise):
        step = np.diff(noise, axis=0)
        return (step[1:] * step[:-1]).mean() / np.square(step).mean()

    cornered, smooth = (lasting_noise(rng(), (2000, 50), 10.0, times) for times in (1, 2))
    assert steps(cornered) < 0 and steps(smooth) > 0.8
    assert smooth.std() == pytest.approx(1, rel=0.05)
    starts = lasting_noise(rng(), (3, 5000), 10.0, 2)
    assert starts.shape == (3, 5000)
    assert starts.std(axis=1) == pytest.approx(1, rel=0.05)
