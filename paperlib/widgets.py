"""Interactive demos for a running notebook: ipywidgets that drive plotly figures."""

from dataclasses import replace

import ipywidgets
import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from paperlib.kinematics import rotation_about
from paperlib.occlusion import labels
from paperlib.occlusion.boxed_man import WIDTH
from paperlib.plotting.occlusion import ALARM, HIDDEN, MISSED, body_view, verdicts
from paperlib.plotting.people import gaps
from paperlib.plotting.style import GRID, INK, colour_of
from paperlib.recordings import Recording
from paperlib.refinement import PAPER, Settings, refine
from paperlib.rendering import joint_visibility

# the looks of a slider
_WIDE = {"style": {"description_width": "12em"}, "layout": {"width": "70%"}}


def smoothing_demo(
    positions: np.ndarray,
    visibility: np.ndarray,
    truth: np.ndarray | None = None,
    fps: float = 25.0,
    settings: Settings = PAPER,
    root: int = 0,
) -> ipywidgets.VBox:
    """The refinement of veges2020 with a slider for each of its knobs: where the root of one person
    (joint ``root``) is, to the right, down and away, as predicted ``(T, J, 3)``, in metres, and
    refined.

    ``visibility`` ``(T,)`` or ``(T, K)`` are scores; grey are frames in which it is 0. Weights are
    powers of ten. Moving a slider solves for the whole track anew.
    """
    shapes = {np.shape(p) for p in (positions, truth) if p is not None}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise ValueError(f"expected positions and truth of one shape (T, J, 3), got {shapes}")
    refined = refine(positions, visibility, settings, root=root)
    paths = {"truth": truth, "without refinement": positions, "refinement": refined}
    paths = {name: np.asarray(path)[:, root] for name, path in paths.items() if path is not None}
    figure = go.FigureWidget(make_subplots(rows=3, shared_xaxes=True, vertical_spacing=0.04))
    seconds = np.arange(len(positions)) / fps
    for axis, label in enumerate(("to the right, m", "down, m", "away, m")):
        for name, path in paths.items():
            width, opacity = (5, 0.4) if name == "truth" else (2, 1.0)
            look = {"line": {"width": width, "color": colour_of(name)}, "opacity": opacity}
            look |= {"name": name, "showlegend": axis == 0}
            figure.add_scatter(x=seconds, y=path[:, axis], row=axis + 1, col=1, **look)
        figure.update_yaxes(title_text=label, row=axis + 1, col=1)
    score = np.asarray(visibility).reshape(len(visibility), -1).mean(axis=1)
    for start, stop in gaps(score):
        figure.add_vrect(x0=start / fps, x1=stop / fps, fillcolor=GRID, line_width=0, layer="below")
    figure.update_xaxes(title_text="seconds", row=3, col=1)
    figure.update_layout(height=560, margin={"l": 60, "r": 10, "t": 10, "b": 40})
    answers = [trace for trace in figure.data if trace.name == "refinement"]
    sliders = _knobs(settings)

    def solve(change):
        chosen = settings.but(**{name: slider.value for name, slider in sliders.items()})
        path = np.asarray(refine(positions, visibility, chosen, root=root))[:, root]
        with figure.batch_update():
            for axis, trace in enumerate(answers):
                trace.y = path[:, axis]

    for slider in sliders.values():
        slider.observe(solve, names="value")
    return ipywidgets.VBox([figure, *sliders.values()])


def _knobs(settings: Settings) -> dict[str, ipywidgets.Widget]:
    """A slider for the weights of the root, the long step and the median filter; a weight below
    the lowest of a slider starts there."""
    weights = {"root_short": "weight, short step", "root_long": "weight, long step"}
    sliders = {
        name: ipywidgets.FloatLogSlider(
            getattr(settings, name), min=-3, max=3, step=0.1, description=label, **_WIDE
        )
        for name, label in weights.items()
    }
    steps = {"long_step": ("long step, frames", 1, 60, 1), "median": ("median filter", 1, 31, 2)}
    for name, (label, low, high, step) in steps.items():
        now = getattr(settings, name)
        limits = (low, max(high, now), step)
        sliders[name] = ipywidgets.IntSlider(now, *limits, description=label, **_WIDE)
    return sliders


def occlusion_demo(recording: Recording, frame: int = 0) -> ipywidgets.VBox:
    """What the labellings of wang2020 make of a body, with sliders for the frame, for the side it
    is seen from, for the tolerance of the clusters and the width of the boxes.

    The body is rendered anew at each move, and what the camera truly sees of it is found by rays;
    crosses are false alarms, squares were missed.
    """
    figure = go.FigureWidget(
        [go.Heatmap(colorscale="gray", zmin=0, zmax=1, showscale=False, hoverinfo="skip")]
        + [go.Scatter(mode="markers", name=name, marker=look) for name, look in _MARKERS.items()]
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    figure.update_layout(height=520, margin={"l": 0, "r": 0, "t": 40, "b": 0})
    methods = ["clustered", "boxed_man", "cylinder_man"]
    last, tolerances = len(recording) - 1, {"min": 0, "max": 30, "step": 0.5}
    widths = {"min": 0, "max": 0.1, "step": 0.0025, "readout_format": ".4f"}

    def named(words: str) -> dict:
        return {"description": words, **_WIDE}

    knobs = {
        "method": ipywidgets.Dropdown(options=methods, **named("labelling")),
        "frame": ipywidgets.IntSlider(frame, 0, last, **named("frame")),
        "angle": ipywidgets.IntSlider(0, -180, 180, 5, **named("turned by, degrees")),
        "tolerance": ipywidgets.FloatSlider(6, **tolerances, **named("clustered: tolerance, cm")),
        "width": ipywidgets.FloatSlider(WIDTH, **widths, **named("boxed man: half width")),
    }
    names = np.array(recording.skeleton.joints)

    def show(change):
        values = {name: knob.value for name, knob in knobs.items()}
        turned = _turned(recording.cut(values["frame"], values["frame"] + 1), values["angle"])
        options = {"clustered": {"tolerance": values["tolerance"] / 100}, "cylinder_man": {}}
        options |= {"boxed_man": {"width": values["width"]}}
        truth = labels(turned, "rendered")[0].numpy()
        said = labels(turned, values["method"], **options[values["method"]])[0].numpy()
        found = verdicts(truth, said)
        picture, (left, right, bottom, top), points = body_view(turned, 0, 120)
        with figure.batch_update():
            body, *marks = figure.data
            body.x = np.linspace(left, right, picture.shape[1])
            body.y, body.z = np.linspace(top, bottom, picture.shape[0]), picture
            for trace, joints in zip(marks, found.values(), strict=True):
                trace.x, trace.y = points[joints].T
                trace.text = names[joints]
            figure.layout.title = (
                f"{found['hidden'].sum()} of {truth.sum()} hidden joints found, "
                f"{found['false alarm'].sum()} false alarms"
            )

    for knob in knobs.values():
        knob.observe(show, names="value")
    show(None)
    return ipywidgets.VBox([figure, *knobs.values()])


_MARKERS = {
    "seen": {"symbol": "circle", "size": 7, "color": INK},
    "hidden": {"symbol": "circle-open", "size": 13, "color": HIDDEN, "line": {"width": 3}},
    "false alarm": {"symbol": "x", "size": 12, "color": ALARM},
    "missed": {"symbol": "square-open", "size": 13, "color": MISSED, "line": {"width": 3}},
}


def _turned(recording: Recording, degrees: float) -> Recording:
    """The person turned about the upright through the root, before the same camera."""
    turn = rotation_about("y", torch.tensor(np.radians(degrees), dtype=torch.float32))
    positions = recording.pose @ turn.T + recording.trajectory[:, None]
    visible = joint_visibility(positions, recording.skeleton)
    return replace(recording, positions=positions, visible=visible)
