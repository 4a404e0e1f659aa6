"""Interactive demos for a running notebook: ipywidgets that drive plotly figures."""

from collections.abc import Mapping

import ipywidgets
import numpy as np
import plotly.graph_objects as go

from paperlib.plotting.poses import upright
from paperlib.plotting.style import INK, colour_of
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton


def _lines(pose: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(3, 3 M): each bone's two ends, then a gap, as one broken line."""
    points = upright(pose)
    ends = [(points[parent], points[child], [np.nan] * 3) for parent, child in skeleton.bones]
    return np.asarray(ends, dtype=float).reshape(-1, 3).T


def pose_player(
    recording: Recording, predictions: Mapping[str, np.ndarray] | None = None
) -> ipywidgets.VBox:
    """A body in 3D that can be turned with the mouse and moved through time with a slider.

    The truth is drawn in grey; ``predictions`` names systems and their poses ``(T, J, 3)``, metres,
    root-relative, in camera space.
    """
    truth = recording.pose.numpy()
    bodies = {"truth": truth, **(predictions or {})}
    wrong = [name for name, poses in bodies.items() if np.shape(poses) != truth.shape]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: expected poses of shape {truth.shape}")
    figure = go.FigureWidget(
        [
            go.Scatter3d(
                mode="lines",
                name=name,
                opacity=0.4 if name == "truth" else 1.0,
                line={"width": 12 if name == "truth" else 6,
                      "color": INK if name == "truth" else colour_of(name)},
            )
            for name in bodies
        ]
    )  # fmt: skip
    reach = float(np.abs(truth).max()) * 1.05
    axis = {"range": [-reach, reach], "visible": False}
    figure.update_layout(
        scene={"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "cube",
               "camera": {"eye": {"x": 0.9, "y": -1.1, "z": 0.3}}},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        height=460,
    )  # fmt: skip
    last = len(recording) - 1
    slider = ipywidgets.IntSlider(0, 0, last, description="frame", layout={"width": "70%"})
    play = ipywidgets.Play(min=0, max=last, interval=round(1000 / min(recording.fps, 25)))
    ipywidgets.jslink((play, "value"), (slider, "value"))

    def show(change):
        with figure.batch_update():
            for trace, poses in zip(figure.data, bodies.values(), strict=True):
                pose = np.asarray(poses)[change["new"]]
                trace.x, trace.y, trace.z = _lines(pose, recording.skeleton)

    slider.observe(show, names="value")
    show({"new": 0})
    return ipywidgets.VBox([figure, ipywidgets.HBox([play, slider])])
