"""One look for every figure."""

import matplotlib as mpl
from matplotlib.axes import Axes

INK = "#22303c"
MUTED = "#7d8a96"
GRID = "#e3e7ea"
IDLE = "#c9d0d6"
TRUTH = "#8795a1"  # the edge of a true body, which is drawn broad, light and behind

# a system keeps its colour through every figure; with the colour goes a marker and a kind of line,
# since few eyes tell ten colours apart
_SYSTEMS = {
    INK: "truth",
    "#5a5a5a": "linear baseline; baseline; Savitzky-Golay; single people; flat; 2D pose + depth;"
    " second stage, 2D alone",
    "#d27800": "one stride; single frame; single-action; supervised; without refinement; MuCo-Temp;"
    " many vectors, boxed man; occlusion-aware; adam; studio cameras, screen; testing; in depth;"
    " 2D pose; first stage; zero",
    "#3ca569": "temporal, causal; interpolation; many vectors, clustered; random cameras, screen;"
    " single-action, as many steps;"
    " GT 2D pose; simulated maps; root",
    "#2867b2": "temporal; multi-action; semi-supervised; refinement; plain; direct;"
    " random cameras, person; interpolated; several strides; training; across the line of sight;"
    " 2D pose + depth (σ = 0.1); second stage; maps of its peaks",
    "#4b1e69": "semi-supervised, no bone term; 1-Euro; one vector; temporal, occlusion-aware;"
    " studio cameras, person; GT 2D pose + GT depth",
    "#1e96ff": "plain, guesses; temporal, refined",
    "#e12d3c": "many vectors, rendered; BlazePose's own 3D; whole system; strides 1, 2, 3, 5, 7;"
    " network maps; heat maps, strides",
    "#3c5a0f": "whole system, no masks; one stride, as many parameters",
}
COLOURS = {name: colour for colour, names in _SYSTEMS.items() for name in names.split("; ")}
_MARKERS = dict(zip(_SYSTEMS, "oDsvoP^Xd", strict=True))
_LINES = ((), (1, 1), (5, 1.5), (3, 1, 1, 1), (), (6, 1, 1, 1), (2, 1), (8, 2), (4, 1, 1, 1, 1, 1))
_DASHES = {c: (0, line) if line else "-" for c, line in zip(_SYSTEMS, _LINES, strict=True)}


def colour_of(system: str) -> str:
    """The colour of a system by its name; longer names begin with a known one."""
    known = sorted((name for name in COLOURS if system.startswith(name)), key=len)
    return COLOURS[known[-1]] if known else MUTED


def marker_of(system: str) -> str:
    """The marker of a system's points, which goes with its colour."""
    return _MARKERS.get(colour_of(system), "o")


def dashes_of(system: str) -> str | tuple:
    """The dashes of a system's lines, which go with its colour; the truth's is solid."""
    return _DASHES.get(colour_of(system), "-")


def bare(ax: Axes) -> None:
    """Leave nothing of the axes beside what is drawn in them."""
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def use_style() -> None:
    """Set the companion's matplotlib defaults; call it once, at the top of a notebook."""
    mpl.rc("figure", dpi=100, facecolor="white")
    mpl.rc("figure.constrained_layout", use=True)
    mpl.rc("font", family="sans-serif", size=10)
    mpl.rc(("text", "xtick", "ytick"), color=INK)
    mpl.rc("axes", edgecolor=MUTED, labelcolor=INK, grid=True, axisbelow=True)
    mpl.rc("axes", titlesize=11, titleweight="bold", titlelocation="left")
    mpl.rc("axes.spines", top=False, right=False)
    mpl.rc("grid", color=GRID)
    mpl.rc("legend", frameon=False)
