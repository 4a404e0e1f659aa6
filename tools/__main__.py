"""``python -m tools``: publish notebooks, write README and map, build the site, measure it all."""

import argparse
import sys

from paperlib.__main__ import run_command
from paperlib.paths import shown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    publish = commands.add_parser("publish", help="execute the project's notebooks for the record")
    publish.add_argument("only", nargs="*", help="table1, pavllo2019/table5, …; all if none")
    publish.add_argument(
        "--seeds", nargs="*", type=int, default=[], help="further seeds to measure before"
    )
    publish.set_defaults(run=_publish)

    readme = commands.add_parser("readme", help="write the README's numbers from the results")
    readme.set_defaults(run=_readme)

    rooms = commands.add_parser("map", help="write the map of rooms in CONTRIBUTING.md")
    rooms.set_defaults(run=_map)

    site = commands.add_parser("site", help="build the site to read, in out/site")
    site.set_defaults(run=_site)

    ship = commands.add_parser("ship", help="train the models whose weights travel along")
    ship.add_argument("only", nargs="*", help="any_camera, table1, …; all that is stale if none")
    ship.set_defaults(run=_ship)

    gpu = commands.add_parser("gpu-results", help="measure and publish all that wants a GPU")
    gpu.add_argument("--minutes", type=float, help="stop after so long; call again to go on")
    gpu.set_defaults(run=_gpu_results)
    return parser


def _publish(arguments) -> None:
    from paperlib.training import shipped, shipped_models
    from paperlib.training.shipping import is_stale
    from tools.publish import publish, text_forms

    for text in text_forms(arguments.only):
        print(f"published {publish(text, arguments.seeds).name}", flush=True)
    _readme(arguments)
    stale = [name for name in shipped_models() if is_stale(shipped(name).description)]
    if stale:
        print(f"weights that travel along and are stale: {', '.join(stale)}; python -m tools ship")


def _readme(_) -> None:
    from tools import readme

    readme.update()


def _map(_) -> None:
    from tools import map

    map.update()


def _site(_) -> None:
    from tools.site.build import build
    from tools.site.check import faults

    first = build()
    if found := faults(first.parent):
        raise ValueError("the site has faults:\n" + "\n".join(found))
    print(f"open {shown(first)} in a browser")


def _ship(arguments) -> None:
    from tools.ship import ship_all

    ship_all(arguments.only)


def _gpu_results(arguments) -> None:
    from tools.gpu import gpu_results

    left = gpu_results(arguments.minutes)
    print(f"left for the next call: {', '.join(left)}" if left else "everything is done")


def main(words: list[str] | None = None) -> int:
    """Run a command."""
    return run_command(_parser().parse_args(words))


if __name__ == "__main__":
    sys.exit(main())
