"""Bodies in motion: what a detector sees, and what is made of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter1d

from paperlib.plotting.poses import AZIMUTH, ELEVATION, bones, name_sides, seen_from, true_bones
from paperlib.plotting.style import INK, MUTED, colour_of
from paperlib.recordings import Recording

_SWING = 25  # degrees: how far the one who looks at the poses goes to and fro


def lifting_animation(
    recording: Recording, predictions: Mapping[str, np.ndarray], frames: Sequence[int]
) -> FuncAnimation:
    """The keypoints of a recording, and beside them each system's pose over the truth in grey.

    ``predictions`` names systems and their poses ``(T, J, 3)``, root-relative, in camera space.
    ``frames``, equally far apart, are shown at the speed at which they were filmed, in a GIF to a
    hundredth of a second each. The viewpoint, above the camera, swings once to and fro: what moves
    shows its depth.
    """
    frames = list(frames)
    step = frames[1] - frames[0] if len(frames) > 1 else 1
    truth, skeleton = recording.pose.numpy(), recording.skeleton
    systems = {name: np.asarray(poses)[frames] for name, poses in predictions.items()}
    wide = 2.1 * (1 + len(systems))
    # not pyplot's: the notebook shows the animation alone, not also its first picture
    figure = Figure(figsize=(wide, 2.9), layout="none")
    axes = figure.subplots(1, 1 + len(systems))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.11, top=0.9, wspace=0.04)
    for ax, name in zip(axes, ("2D keypoints", *systems), strict=True):
        ax.set_title(name, loc="center", color=colour_of(name) if name in systems else INK)
        ax.set_aspect("equal")
        ax.set_axis_off()

    keypoints = recording.keypoints.numpy()
    middles = (keypoints.min(axis=1) + keypoints.max(axis=1)) / 2
    middles = uniform_filter1d(middles, round(recording.fps), axis=0, mode="nearest")
    around = keypoints[frames] - middles[frames, None]
    half = 1.05 * np.abs(around).max()
    axes[0].set(xlim=(-half, half), ylim=(half, -half))
    body = axes[0].add_collection(bones(around[0], recording.keypoint_skeleton, lw=2))
    clock = axes[0].text(0.03, 0.02, "", transform=axes[0].transAxes, color=MUTED)

    size = 1.05 * np.abs(truth[frames]).max()
    true, lifted = {}, {}
    for ax, name in zip(axes[1:], systems, strict=True):
        ax.set(xlim=(-size, size), ylim=(-size, size))
        flat = np.zeros((len(skeleton), 2))
        true[name] = [ax.add_collection(a) for a in true_bones(flat, skeleton)]
        lifted[name] = ax.add_collection(bones(flat, skeleton, lw=2))
    name_sides(figure, truth=True, loc="lower center")
    above, below = np.asarray(recording.keypoint_skeleton.bones), np.asarray(skeleton.bones)

    def show(moment: int):
        view = (AZIMUTH + _SWING * np.sin(2 * np.pi * moment / len(frames)), ELEVATION)
        body.set_segments(around[moment][above])
        clock.set_text(f"{(frames[moment] - frames[0]) / recording.fps:.1f} s")
        for name, poses in systems.items():
            for artist in true[name]:
                artist.set_segments(seen_from(truth[frames[moment]], *view)[below])
            lifted[name].set_segments(seen_from(poses[moment], *view)[below])

    timing = {"frames": len(frames), "interval": 1000 * step / recording.fps}
    return FuncAnimation(figure, show, init_func=lambda: None, **timing)
