"""``python -m paperlib``: run and publish notebooks, fetch data."""

import argparse
import sys

from paperlib.errors import CheckpointError, MissingDataError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m paperlib", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="execute a notebook with parameters")
    run.add_argument("notebook")
    run.add_argument("output")
    run.add_argument(
        "-p", nargs=2, action="append", default=[], dest="parameters", metavar=("NAME", "VALUE"),
        help="set a parameter of the notebook; may be given again",
    )  # fmt: skip

    publish = commands.add_parser("publish", help="execute the project's notebooks for the record")
    publish.add_argument("only", nargs="*", help="table1, pavllo2019/table5, …; all if none")

    publish.add_argument(
        "--seeds", nargs="*", type=int, default=[], help="further seeds to measure before"
    )

    data = commands.add_parser("data", help="fetch a free data set, or say what is here")
    data.add_argument("name", nargs="?", choices=("cmu",), help="leave it out to see what is here")
    return parser


def _run(arguments) -> None:
    from paperlib.workflow.runner import parameters_of, run

    output = run(arguments.notebook, arguments.output, parameters_of(arguments.parameters))
    print(f"written to {output}")


def _publish(arguments) -> None:
    from paperlib.workflow import readme
    from paperlib.workflow.publish import publish, texts

    for text in texts(arguments.only):
        print(f"published {publish(text, arguments.seeds).name}", flush=True)
    readme.update()


def _data(arguments) -> None:
    from paperlib.datasets import download

    if arguments.name:
        print(f"complete in {download.fetch_cmu()}")
    else:
        for line in download.inventory():
            print(line)


def main(words: list[str] | None = None) -> int:
    """Run a command; what a person can mend is said in one line, with exit status 1."""
    from paperlib.workflow.runner import NotebookFailed

    arguments = _parser().parse_args(words)
    command = {"run": _run, "publish": _publish, "data": _data}[arguments.command]
    try:
        command(arguments)
    except (ValueError, MissingDataError, CheckpointError, NotebookFailed, OSError) as problem:
        print(f"paperlib: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\npaperlib: stopped; what was finished is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
