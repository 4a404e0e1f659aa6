"""What recordings, data sets, runs and evaluations show of themselves in a notebook: a card of a
few lines, with a picture where there is one.

Nothing needs to call this: a notebook that imports the package shows its objects so. It stands
outside of them, so that how they look is no part of what a training is identified by.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from paperlib.words import in_words

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from paperlib.evaluation import Evaluation
    from paperlib.recordings import Dataset, Recording
    from paperlib.training import Recipe, Run

#: left and right in every drawn body, by colour; the right one is dashed as well
SIDES = {"left": "#2867b2", "right": "#cf4a12", "centre": "#22303c"}
_SIZE = 130  # of a picture, in pixels
_MOST = 12  # rows of a table; what is beyond them is counted
_METRICS = {"mpjpe": "MPJPE", "p_mpjpe": "P-MPJPE", "n_mpjpe": "N-MPJPE", "mpjve": "MPJVE"}


def recording(it: "Recording") -> str:
    """A frame of the keypoints, and what is known beside them."""
    frames, points = it.keypoints.shape[:2]
    rows = {
        "length": f"{frames} frames, {frames / it.fps:.1f} s at {it.fps:g} Hz",
        "camera": f"{it.camera.name}, {it.camera.width} × {it.camera.height} pixels",
        "keypoints": f"({frames}, {points}, 2) pixels, {it.keypoint_skeleton.name}, mean "
        f"confidence {it.confidence.float().mean():.2f}",
        "positions": "not known",
    }
    if it.positions is not None:
        near, far = it.trajectory[:, 2].min(), it.trajectory[:, 2].max()
        shape = tuple(it.positions.shape)
        rows["positions"] = f"{shape} metres, {it.skeleton.name}, {near:.1f} to {far:.1f} m away"
    kinds = ("visible", "depths", "frames", "crops", "heatmaps", "images")
    if more := [name for name in kinds if getattr(it, name) is not None]:
        rows["also"] = ", ".join(more)
    rows["to see it"] = "paperlib.show(recording)"
    middle = it.keypoints[frames // 2].cpu().double().numpy()
    seen = (it.confidence[frames // 2] > 0).cpu().numpy()
    bones = [[*bone, it.keypoint_skeleton.side(bone[1])] for bone in it.keypoint_skeleton.bones]
    return _card("Recording", it.name, _facts(rows), _body(middle, seen, bones))


def dataset(it: "Dataset") -> str:
    """Its parts, and where it comes from."""
    rows = []
    for part in ("train", "test", "unseen"):
        found = it.split(part)
        if found:
            seconds = sum(len(r) / r.fps for r in found)
            counts = (len(found), len({r.subject for r in found}), len({r.action for r in found}))
            rows.append([part, *counts, f"{sum(map(len, found)):,}", f"{seconds / 60:.1f}"])
    names = ["", "recordings", "subjects", "actions", "frames", "minutes"]
    source = f"<p>{escape(it.source)} Excluded: {escape(it.excluded)}.</p>"
    return _card("Dataset", it.name, _table(names, rows) + source)


def run(it: "Run") -> str:
    """What was trained, how, and for how long."""
    about, recipe = it.description, it.description["recipe"]
    own = about["model"]
    count = sum(parameter.numel() for parameter in it.model.parameters())
    reused = ", found on disk" if it.reused else ""
    if "portable_code" in about:
        reused = f" at commit {about['commit']}, travels with the project"
    rows = {
        "model": f"{own['class']}, {count:,} parameters",
        "recipe": ", ".join(f"{k.replace('_', ' ')} {recipe[k]:g}" for k in _LEARNT if k in recipe),
        "seed, device": f"{about['seed']}, {about['device']}",
        "trained": f"{it.epoch} of {recipe['epochs']} epochs in {it.seconds:.0f} s{reused}",
    }
    if it.history and "train_mpjpe" in it.history[-1]:
        rows["training MPJPE"] = f"{1000 * it.history[-1]['train_mpjpe']:.1f} mm, last epoch"
    return _card("Run", it.key, _facts(rows))


_LEARNT = ("epochs", "batch_size", "learning_rate", "channels", "dropout")


def recipe(it: "Recipe") -> str:
    """Its hyperparameters, one a line."""
    shown = {name: value for name, value in it.as_dict().items() if value is not None}
    words = {n: f"{v:.4g}" if isinstance(v, float) else str(v) for n, v in shown.items()}
    return _card("Recipe", "", _facts({n.replace("_", " "): v for n, v in words.items()}))


def evaluation(it: "Evaluation") -> str:
    """Errors of each action, and their mean."""
    chosen = [name for name in _METRICS if name in it.values]
    groups = {name: it.per(name) for name in chosen}
    actions = sorted(set().union(*(per for per, _ in groups.values())), key=str)
    means = ["mean of actions", *(f"{1000 * groups[n][1]:.1f}" for n in chosen)]
    rows = [
        [str(action).replace("_", " "), *(_number(groups[n][0].get(action)) for n in chosen)]
        for action in actions[:_MOST]
    ]
    if len(actions) > _MOST:
        rows.append([f"… {len(actions) - _MOST} more", *[""] * len(chosen)])
    units = [f"{_METRICS[n]}, mm{' a frame' if n == 'mpjve' else ''}" for n in chosen]
    about = f"{len(it.recordings)} recordings"
    return _card("Evaluation", about, _table(["", *units], [means, *rows]))


def styled(it: "Styler") -> str:
    """A table that was dressed for a page, its labels and caption in words. The rows and columns
    of the table itself keep their names."""
    it = deepcopy(it)
    for axis, hidden in (("index", it.hide_index_), ("columns", it.hide_columns_)):
        if not all(hidden):  # one for each level
            it.format_index(_label, axis=axis).format_index_names(_label, axis=axis)
    it.caption = in_words(it.caption) if isinstance(it.caption, str) else it.caption
    return it._repr_html_()


def _label(label: object) -> object:
    return in_words(label) if isinstance(label, str) else label


#: by the names of their classes
CARDS = {
    "Recording": recording,
    "Dataset": dataset,
    "Run": run,
    "Recipe": recipe,
    "Evaluation": evaluation,
    "Styler": styled,
}


def of(thing: object) -> str:
    """The card of an object, as HTML."""
    return next(CARDS[kind.__name__] for kind in type(thing).__mro__ if kind.__name__ in CARDS)(
        thing
    )


def _number(metres: float | None) -> str:
    return "" if metres is None else f"{1000 * metres:.1f}"


def _card(kind: str, name: str, content: str, picture: str = "") -> str:
    title = f"<b>{escape(kind)}</b> {escape(name)}"
    look = "display: flex; gap: 1.5em; align-items: center; flex-wrap: wrap"
    return f'<div>{title}<div style="{look}">{picture}<div>{content}</div></div></div>'


def _facts(rows: Mapping[str, str]) -> str:
    return _table([], [[f"{name}", value] for name, value in rows.items()])


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def line(cells: Sequence[object], kind: str) -> str:
        sides = ["left", *["left" if not names else "right"] * (len(cells) - 1)]
        return "".join(
            f'<{kind} style="text-align: {side}">{escape(str(cell))}</{kind}>'
            for cell, side in zip(cells, sides, strict=True)
        )

    head = f"<thead><tr>{line(names, 'th')}</tr></thead>" if names else ""
    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"


def _body(points: np.ndarray, seen: np.ndarray, bones: Sequence[Sequence]) -> str:
    """Keypoints ``(K, 2)`` in pixels as a small drawing; what was not ``seen`` is left out."""
    if not seen.any():
        return ""
    low, high = points[seen].min(axis=0), points[seen].max(axis=0)
    scale = (_SIZE - 10) / max((high - low).max(), 1e-6)
    wide, high = (high - low) * scale + 10
    places = (points - low) * scale + 5
    lines = []
    for parent, child, side in bones:
        if seen[parent] and seen[child]:
            (x1, y1), (x2, y2) = places[parent], places[child]
            colour = "currentColor" if side == "centre" else SIDES[side]
            dash = ' stroke-dasharray="5 2"' if side == "right" else ""
            ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            lines.append(f'<line {ends} stroke="{colour}" stroke-width="2.5"{dash}/>')
    label = "the keypoints of the middle frame: left blue, right red and dashed"
    size = f'width="{wide:.0f}" height="{high:.0f}"'
    return f'<svg {size} role="img" aria-label="{label}">{"".join(lines)}</svg>'
