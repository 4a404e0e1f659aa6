"""A runnable companion to five papers on 3D human pose from video.

The rooms, from the ground up. Each imports only from those before it, and is loaded when it is
first used.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import ismodule
from pkgutil import iter_modules

__version__ = "0.1.0"

# the only list of the rooms: the docstring, the test of the imports and the map in CONTRIBUTING.md
# are made from it (`python -m tools map` writes that one)
ROOMS = {
    "errors": "the package's own errors, and the refusal of a wrong choice with the right ones",
    "paths": "where data, caches, trained runs and results lie, and how files are replaced",
    "progress": "how far long work has come, in a terminal or a notebook",
    "outside": "files that others have written, read under limits; nothing in them is run",
    "arrays": "arrays of NumPy taken where tensors are, and given back as what they were",
    "randomness": "random numbers that depend on a seed and on what they are for",
    "skeletons": "joint sets as named data, and how one maps to another",
    "kinematics": "rotations, forward kinematics, kinematic chain space",
    "alignment": "rigid and similarity alignment of poses",
    "inverse_kinematics": "joint rotations from joint positions",
    "exports": "poses as files of other programs: npz, CSV, BVH, C3D, TRC, glTF",
    "cameras": "projection with lens distortion, world and camera space, normalisation",
    "metrics": "the errors of poses: MPJPE and its relatives, 3D-PCK, MRPE",
    "recordings": "the data types that everything above speaks: recordings, data sets",
    "virtual_camera": "a camera turned to the person, frame by frame",
    "scenes": "the people that one camera sees at the same time",
    "rendering": "bodies of capsules: images, depth and true visibility",
    "occlusion": "which joints are hidden: labels by rules of thumb, and their scores",
    "datasets": "one file for each source, all of which give the same types",
    "windows": "training examples: windows of frames, gathered by index",
    "detection": "where 2D keypoints come from: simulated detectors, files of real ones",
    "models": "one file for each architecture, which reads like its paper",
    "losses": "what training minimises beside the metrics",
    "training": "objectives (model, data, examples, updates), recipes, the loop, trained runs",
    "prediction": "recordings to poses: whole sequences, mirror images, absolute positions",
    "evaluation": "poses to numbers: errors, averages over any group, several people, matching",
    "refinement": "smooth trajectories through occlusions: the energy, its solvers, filters",
    "lifting": "people found in a film to poses in metres, in one call",
    "live": "the same while the film is being filmed, frame by frame",
    "words": "what a page shows in the place of names: of data sets, actions, machines",
    "results": "measured numbers with their origin, beside those of the papers",
    "claims": "the ledger of claims: each with its own test, effect, interval and verdict",
    "cards": "what recordings, data sets, runs, evaluations show of themselves in a notebook",
    "plotting": "figures for the page",
    "player": "bodies in motion, to turn and to play, in a notebook or a browser: `show`",
    "experiment": "the frame of a notebook: parameters in, rows and protocols out",
    "running": "run one notebook, or many side by side; judge a claim anew",
    "widgets": "interactive demos in a notebook",
    "commands": "the options of the command line's larger commands",
    "__main__": "the command line: run, sweep, claims, train, evaluate, lift, live, data",
}

__doc__ = "\n".join([f"{__doc__}", *(f"{name:<12}  {about}" for name, about in ROOMS.items())])


def lazily(package: str, homes: Mapping[str, str] | None = None) -> tuple[Callable, Callable]:
    """``__getattr__`` and ``__dir__`` of a package that offers its public names and modules, and
    nothing else. Modules are loaded when first used, and so are names for which ``homes`` gives the
    module. Public, where there is no ``__all__``, is what the package defines or imports from its
    own modules: so this is the last line of its file."""
    contents, homes = vars(sys.modules[package]), homes or {}

    def own(name: str, value: object) -> bool:
        origin = getattr(value, "__module__", package)  # a constant has none
        return not (name.startswith("_") or ismodule(value)) and f"{origin}.".startswith(
            f"{package}."
        )

    contents.setdefault("__all__", sorted([*homes, *(n for n, v in contents.items() if own(n, v))]))

    def modules() -> set[str]:
        return {m.name for m in iter_modules(contents["__path__"]) if not m.name.startswith("_")}

    def load(name: str):
        if name in homes:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        if name in modules():
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load, lambda: sorted({*contents["__all__"], *modules()})


def _shown_as_cards() -> None:
    """A running notebook shows the package's objects as their cards (:mod:`paperlib.cards`), which
    is loaded with the first of them."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        html = shell.display_formatter.formatters["text/html"]
        for module, name in _CARDS:
            html.for_type_by_name(module, name, lambda it: import_module("paperlib.cards").of(it))


_CARDS = (
    ("paperlib.recordings", "Recording"),
    ("paperlib.recordings", "Dataset"),
    ("paperlib.training.runs", "Run"),
    ("paperlib.training.recipes", "Recipe"),
    ("paperlib.evaluation.errors", "Evaluation"),
    ("pandas.io.formats.style", "Styler"),
)
_shown_as_cards()
__all__ = ["__version__", "show", *(name for name in ROOMS if name != "__main__")]
__getattr__, __dir__ = lazily(__name__, {"show": "player"})
