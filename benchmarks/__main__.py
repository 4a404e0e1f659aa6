"""``python -m benchmarks [training inference …]``: measure, and keep what was measured."""

import argparse
from importlib import import_module

import pandas as pd

from benchmarks.common import write
from paperlib.training import choose_device

NAMES = (
    "training",
    "inference",
    "batches",
    "streaming",
    "live",
    "everything_else",
    "rendering",
    "images",
    "refinement",
    "growth",
    "precision",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all")
    parser.add_argument("--device", default="auto", help="cpu or cuda; a GPU where there is one")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    device = choose_device(arguments.device)
    for name in arguments.names or NAMES:
        rows = import_module(f"benchmarks.{name}").measure(device)
        print(f"\n{write(name, device, rows).stem}")
        print(pd.DataFrame(rows).to_string(index=False, float_format="%.4g"), flush=True)


if __name__ == "__main__":
    main()
