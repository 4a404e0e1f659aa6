"""One look for every figure."""

import matplotlib as mpl

INK = "#22303c"
MUTED = "#8a97a3"
GRID = "#e3e7ea"
IDLE = "#c9d0d6"

# a system keeps its colour through every figure
COLOURS = {
    "truth": INK,
    "linear baseline": "#b0a18f",
    "single frame": "#e07a3f",
    "temporal, causal": "#4fa88b",
    "temporal": "#2867b2",
    "single-action": "#e07a3f",
    "multi-action": "#2867b2",
    "supervised": "#e07a3f",
    "semi-supervised": "#2867b2",
    "semi-supervised, no bone term": "#8d6cab",
    "without refinement": "#e07a3f",
    "interpolation": "#4fa88b",
    "1-Euro": "#8d6cab",
    "Savitzky-Golay": "#b0a18f",
    "refinement": "#2867b2",
    "single people": "#b0a18f",
    "MuCo-Temp": "#e07a3f",
    "plain": "#2867b2",
    "plain, guesses": "#7fb0dd",
    "one vector": "#8d6cab",
    "many vectors, clustered": "#4fa88b",
    "many vectors, boxed man": "#e07a3f",
    "many vectors, rendered": "#d1495b",
    "occlusion-aware": "#e07a3f",
    "temporal, occlusion-aware": "#8d6cab",
    "temporal, refined": "#7fb0dd",
    "adam": "#e07a3f",
    "direct": "#2867b2",
}
# left and right are told apart by colour in every drawn body
SIDES = {"left": "#2867b2", "right": "#d1495b", "centre": "#5b6770"}


def colour_of(system: str) -> str:
    """The colour of a system by its name; longer names begin with a known one."""
    known = sorted((name for name in COLOURS if system.startswith(name)), key=len)
    return COLOURS[known[-1]] if known else MUTED


def use_style() -> None:
    """Set the companion's matplotlib defaults; call it once, at the top of a notebook."""
    mpl.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "font.family": "sans-serif",
            "font.size": 10,
            "text.color": INK,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": GRID,
            "xtick.color": INK,
            "ytick.color": INK,
            "legend.frameon": False,
        }
    )
