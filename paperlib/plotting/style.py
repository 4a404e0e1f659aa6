"""One look for every figure."""

import matplotlib as mpl
from matplotlib.axes import Axes

INK = "#22303c"
MUTED = "#8a97a3"
GRID = "#e3e7ea"
IDLE = "#c9d0d6"

# a system keeps its colour through every figure
_SYSTEMS = {
    INK: "truth",
    "#b0a18f": "linear baseline; baseline; Savitzky-Golay; single people; flat; 2D pose + depth;"
    " second stage, 2D alone",
    "#e07a3f": "one stride; single frame; single-action; supervised; without refinement; MuCo-Temp;"
    " many vectors, boxed man; occlusion-aware; adam; studio cameras, screen; testing; in depth;"
    " 2D pose; first stage",
    "#4fa88b": "temporal, causal; interpolation; many vectors, clustered; random cameras, screen;"
    " GT 2D pose; simulated maps",
    "#2867b2": "temporal; multi-action; semi-supervised; refinement; plain; direct;"
    " random cameras, person; several strides; training; across the line of sight;"
    " 2D pose + depth (σ = 0.1); second stage; maps of its peaks",
    "#8d6cab": "semi-supervised, no bone term; 1-Euro; one vector; temporal, occlusion-aware;"
    " studio cameras, person; GT 2D pose + GT depth",
    "#7fb0dd": "plain, guesses; temporal, refined",
    "#d1495b": "many vectors, rendered; BlazePose's own 3D; whole system; strides 1, 2, 3, 5, 7;"
    " network maps",
    "#9a7d0a": "whole system, no masks; one stride, as many parameters",
}
COLOURS = {name: colour for colour, names in _SYSTEMS.items() for name in names.split("; ")}
# left and right are told apart by colour in every drawn body
SIDES = {"left": "#2867b2", "right": "#cf4a12", "centre": INK}


def colour_of(system: str) -> str:
    """The colour of a system by its name; longer names begin with a known one."""
    known = sorted((name for name in COLOURS if system.startswith(name)), key=len)
    return COLOURS[known[-1]] if known else MUTED


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
