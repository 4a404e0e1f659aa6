"""Bodies in motion, to turn and to play: a recording and poses as a small page of their own.

What draws them, ``player.js``, stands in the page itself: neither a server nor a running kernel nor
anything from elsewhere is needed. Where no script may run, a picture stands in its place.
"""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from uuid import uuid4

import matplotlib.pyplot as plt
import numpy as np
import torch

from paperlib.arrays import as_tensor, require_metres
from paperlib.cameras import Camera
from paperlib.cards import SIDES
from paperlib.kinematics import quaternion_apply, quaternion_inverse
from paperlib.paths import replacing
from paperlib.plotting.poses import pose_sequence, upright
from paperlib.plotting.style import TRUTH, colour_of
from paperlib.recordings import Recording

SCRIPT = Path(__file__).with_suffix(".js")
_MISSING = -(2**15)  # of a coordinate that is not known
_MOMENTS = 6  # of the picture

Poses = np.ndarray | torch.Tensor


def show(recording: Recording, poses: Poses | Mapping[str, Poses] | None = None) -> "Player":
    """A player of 3D poses: the last expression of a cell, and it is there.

    ``poses`` are ``(T, J, 3)``, metres, in camera space, of the joints of ``recording.skeleton``;
    or several of them by their names, among which one chooses. The recording's own positions, where
    they are known, are drawn behind them, broad and grey, and each joint tells how far off it is;
    without ``poses`` they are shown alone. Poses whose root is 0 throughout are relative to it, and
    stand where the recording's root is. NaN is not drawn.

    ``ValueError`` for poses of another shape, of other units, or where there is nothing to show.
    """
    named = {} if poses is None else poses if isinstance(poses, Mapping) else {"poses": poses}
    if not named and recording.positions is None:
        raise ValueError(f"{recording.name} has no 3D positions: there is nothing to show of it")
    if "truth" in named:
        raise ValueError("no answer can be called 'truth': that is the recording's own positions")
    shape = (len(recording), len(recording.skeleton), 3)
    bodies = {} if recording.positions is None else {"truth": recording.positions}
    for name, values in named.items():
        answer = as_tensor(values).detach().cpu().double()
        if tuple(answer.shape) != shape:
            raise ValueError(
                f"{name}: poses of shape {tuple(answer.shape)}, expected {shape}: the frames of "
                f"{recording.name} and the joints of {recording.skeleton.name}"
            )
        answer = answer.where(answer.isfinite(), torch.nan)
        if answer.isnan().any(dim=-1).all():
            raise ValueError(f"{name}: no joint of any frame is known")
        require_metres(answer, name)
        relative = bool((answer[:, recording.skeleton.root] == 0).all())
        if relative and recording.positions is not None:
            answer = answer + recording.trajectory[:, None]
        bodies[name] = answer
    return Player(recording, bodies)


@dataclass(frozen=True, eq=False, repr=False)
class Player:
    """What :func:`show` gives: ``bodies`` ``(T, J, 3)`` in camera space by their names, that of the
    recording itself, where it is known, as ``"truth"``."""

    recording: Recording
    bodies: Mapping[str, torch.Tensor]

    def __repr__(self) -> str:
        return f"Player({self.recording.name!r}, {len(self.recording)} frames: {[*self.bodies]})"

    def save(self, path: str | Path) -> Path:
        """The player as a page that any browser opens, without a notebook."""
        text = f'<!DOCTYPE html><meta charset="utf-8"><title>{escape(self.recording.name)}</title>'
        with replacing(Path(path)) as new:
            new.write_text(f"{text}<body>{self._page(self.picture())}</body>\n", "utf-8")
        return Path(path)

    def picture(self) -> bytes:
        """Some moments as a PNG: what is seen where no script may run."""
        root = self.recording.skeleton.root
        answers = [name for name in self.bodies if name != "truth"] or ["truth"]
        poses = {n: (self.bodies[n] - self.bodies[n][:, root, None]).numpy() for n in answers}
        frames = np.unique(np.linspace(0, len(self.recording) - 1, _MOMENTS).round().astype(int))
        figure = pose_sequence(self.recording, poses, frames.tolist())
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=90)
        plt.close(figure)  # or a notebook would show it a second time
        return stream.getvalue()

    def data(self, **more: object) -> dict:
        """What ``player.js`` draws, and ``more`` that it knows."""
        recording = self.recording
        bodies = {name: level(body, recording.camera) for name, body in self.bodies.items()}
        first = next(iter(bodies.values()))
        path = _followed(first[:, recording.skeleton.root, :2], recording.fps)
        edges = np.floor(2 * path.min(axis=0)) - 2, np.ceil(2 * path.max(axis=0)) + 2
        largest = max(float(np.nanmax(np.abs(body))) for body in bodies.values())
        unit = max(1, int(np.ceil(1000 * largest / -(_MISSING + 1))))  # millimetres
        return {
            "title": recording.name,
            "fps": recording.fps,
            "frames": len(recording),
            "joints": [name.replace("_", " ") for name in recording.skeleton.joints],
            "bones": [[p, c, recording.skeleton.side(c)] for p, c in recording.skeleton.bones],
            "colours": SIDES | {"truth": TRUTH, "curve": colour_of("temporal")},
            "camera": bool(np.nanmax(np.abs(first[:, recording.skeleton.root])) > 0),
            "floor": round(float(np.nanmin(first[..., 2])), 3),
            "area": (np.stack(edges).T.ravel() / 2).tolist(),
            "followed": path.round(3).tolist(),
            "unit": unit,
            "bodies": {name: _packed(body, unit) for name, body in bodies.items()},
            **more,
        }

    def _page(self, picture: bytes) -> str:
        name, data = f"player-{uuid4().hex}", json.dumps(self.data(), separators=(",", ":"))
        data = data.replace("<", "\\u003c")
        said = escape(f"{self.recording.name}: {', '.join(self.bodies)}", quote=True)
        still = (
            f'<img alt="{said}" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
        )
        script = f"{SCRIPT.read_text('utf-8')}\nplayer(document.getElementById('{name}'), {data});"
        return f'<div id="{name}">{still}</div><script>(() => {{\n{script}\n}})();</script>'

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        picture = self.picture()
        still = base64.b64encode(picture).decode()
        return {"text/plain": repr(self), "text/html": self._page(picture), "image/png": still}


def level(positions: torch.Tensor, camera: Camera) -> np.ndarray:
    """``(..., 3)`` of camera space as one who stands where the camera is sees it: x to the right, y
    away, z up against gravity. A camera whose orientation nobody gave is taken to stand level."""
    up = quaternion_apply(
        quaternion_inverse(torch.tensor(camera.orientation)), torch.tensor([0.0, 0.0, 1.0])
    ).double()
    ahead = torch.tensor([0.0, 0.0, 1.0], dtype=up.dtype)
    ahead = ahead - (ahead @ up) * up
    if ahead.norm() < 0.1:  # it looks straight up, as one without an orientation does, or down
        return upright(positions.numpy())
    ahead = ahead / ahead.norm()
    return positions.numpy() @ torch.stack([torch.linalg.cross(ahead, up), ahead, up], -1).numpy()


def _followed(path: np.ndarray, fps: float) -> np.ndarray:
    """``(T, 2)``: where the one who looks on has his eyes, which follow the path ``(T, 2)`` of a
    person, but not every step of it."""
    known = np.isfinite(path).all(axis=1)
    if not known.any():
        return np.zeros_like(path)
    times = np.arange(len(path))
    filled = np.stack([np.interp(times, times[known], axis[known]) for axis in path.T])
    half = round(fps / 2)
    wide = np.pad(filled, ((0, 0), (half, half)), mode="edge")
    window = np.ones(2 * half + 1) / (2 * half + 1)
    return np.stack([np.convolve(axis, window, mode="valid") for axis in wide], axis=-1)


def _packed(body: np.ndarray, unit: int) -> str:
    """Coordinates as text: integers of 16 bits, in units of ``unit`` millimetres."""
    whole = np.nan_to_num(1000 * body / unit, nan=_MISSING)
    whole[(whole == _MISSING).any(axis=-1)] = _MISSING
    return base64.b64encode(whole.round().astype("<i2").tobytes()).decode()
