"""Demos that live on a page: what a knob does, computed ahead, so that no server is needed.

Each is a ``<div>`` with its data as JSON beside it. ``static/demos.js`` draws it,
with plotly, whose script lies on the site; the player is that of the package.
"""

import base64
import io
import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from paperlib import datasets
from paperlib.datasets import muco_temp
from paperlib.kinematics import rotation_about
from paperlib.occlusion import labels
from paperlib.player import Player
from paperlib.plotting.occlusion import body_view, verdicts
from paperlib.recordings import Recording
from paperlib.refinement import PAPER, interpolate, refine
from paperlib.rendering import joint_visibility

#: of the smoothing demo: the values that each knob can take
KNOBS = {
    "root_short": (0.01, 0.1, 1.0, 10.0, 100.0),
    "root_long": (0.001, 0.01, 0.1, 1.0, 10.0),
    "long_step": (5, 10, 20, 40),
}
_ANGLES = tuple(range(-180, 180, 30))
_LABELLINGS = {
    "clustered": [{"tolerance": value} for value in (0.02, 0.06, 0.12, 0.2)],
    "boxed_man": [{"width": value} for value in (0.01, 0.03, 0.05, 0.08)],
    "cylinder_man": [{}],
}


def write(folder: Path) -> None:
    """The fragments of HTML that the page of demos includes."""
    folder.mkdir(parents=True)
    person = hidden_person()
    for name, data in {
        "player": player(*person),
        "smoothing": smoothing(*person, KNOBS),
        "occlusion": occlusion(person[0], _ANGLES),
    }.items():
        text = json.dumps(data, separators=(",", ":"))
        (folder / f"{name}.html").write_text(
            f'<div class="demo" data-demo="{name}"><script type="application/json">{text}</script>'
            "<noscript>This demo needs JavaScript.</noscript></div>\n",
            "utf-8",
        )


def hidden_person() -> tuple[Recording, torch.Tensor, torch.Tensor]:
    """Somebody who walks behind somebody else: the recording, what a network might say of it
    ``(T, J, 3)`` in camera space, and the score of each frame ``(T,)``, as on the page of section
    3.2 of Véges & Lőrincz."""
    videos = muco_temp.compose(datasets.load("synthetic", small=True), muco_temp.SIZES["smoke"])
    recording = max(videos.test, key=lambda r: r.trajectory[:150].diff(dim=0).norm(dim=-1).sum())
    recording = recording.cut(0, min(150, len(recording)))
    truth, count = recording.positions, len(recording)
    chance = torch.Generator().manual_seed(0)
    hidden = slice(count // 2 - 15, count // 2 + 15)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=chance)

    said = truth + 0.01 * noise(*truth.shape) + 0.02 * noise(count, 1, 3)
    away = torch.tensor([0.3, 0.0, 1.5]) * torch.rand(30, 1, 1, generator=chance)
    said[hidden] = truth[hidden.start] + away + 0.1 * noise(30, 1, 3)
    score = torch.full((count,), 0.85)
    score[hidden] = 0.0
    return recording, said, score


def player(recording: Recording, said: torch.Tensor, score: torch.Tensor) -> dict:
    """Bodies that move: the truth, what a network says, a straight line over the gap, and the
    refinement."""
    bodies = {
        "truth": recording.positions,
        "network": said,
        "interpolation": torch.as_tensor(interpolate(said, score >= 0.1)),
        "refinement": torch.as_tensor(refine(said, score, root=recording.skeleton.root)),
    }
    return Player(recording, bodies).data(hidden=(score < 0.1).tolist())


def smoothing(
    recording: Recording, said: torch.Tensor, score: torch.Tensor, knobs: dict[str, tuple]
) -> dict:
    """The path of the root, refined with every combination of the knobs' values."""
    root = recording.skeleton.root
    ways = {}
    for chosen in product(*(range(len(values)) for values in knobs.values())):
        options = {name: knobs[name][n] for name, n in zip(knobs, chosen, strict=True)}
        refined = torch.as_tensor(refine(said, score, PAPER.but(**options), root=root))
        ways["-".join(map(str, chosen))] = _millimetres(refined[:, root].numpy())
    usual = [
        min(range(len(v)), key=lambda n: abs(v[n] - getattr(PAPER, k))) for k, v in knobs.items()
    ]
    return {
        "fps": recording.fps,
        "knobs": {name: list(values) for name, values in knobs.items()},
        "usual": usual,
        "hidden": (score < 0.1).tolist(),
        "truth": _millimetres(recording.positions[:, root].numpy()),
        "network": _millimetres(said[:, root].numpy()),
        "refined": ways,
    }


def occlusion(recording: Recording, angles: tuple[int, ...]) -> dict:
    """A body from several sides, and what each labelling says of its joints there."""
    frame = recording.cut(len(recording) // 3, len(recording) // 3 + 1)
    views = []
    for angle in angles:
        turn = rotation_about("y", torch.tensor(np.radians(angle), dtype=torch.float32))
        positions = frame.pose @ turn.T + frame.trajectory[:, None]
        visible = joint_visibility(positions, frame.skeleton)
        turned = replace(frame, positions=positions, visible=visible)
        picture, (left, right, bottom, top), points = body_view(turned, 0, 160)
        truth = labels(turned, "rendered")[0].numpy()
        size = np.array([right - left, bottom - top])
        views.append(
            {
                "picture": _png(picture),
                "aspect": float(size[0] / size[1]),
                "points": ((points - (left, top)) / size).round(4).tolist(),
                "said": {
                    method: [
                        _kinds(truth, labels(turned, method, **options)[0].numpy())
                        for options in settings
                    ]
                    for method, settings in _LABELLINGS.items()
                },
            }
        )
    return {
        "angles": list(angles),
        "joints": [name.replace("_", " ") for name in recording.skeleton.joints],
        "settings": {m: [next(iter(o.values()), None) for o in s] for m, s in _LABELLINGS.items()},
        "views": views,
    }


def _kinds(truth: np.ndarray, said: np.ndarray) -> list[int]:
    """0 seen, 1 hidden, 2 false alarm, 3 missed: of each joint."""
    return np.stack(list(verdicts(truth, said).values())).argmax(axis=0).tolist()


def _millimetres(metres: np.ndarray) -> list:
    return np.round(1000 * metres).astype(int).tolist()


def _png(picture: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray((255 * np.clip(picture, 0, 1)).astype(np.uint8)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()
