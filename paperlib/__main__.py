"""``python -m paperlib``: run, copy and sweep notebooks, judge claims, train, evaluate, lift films
and cameras, fetch."""

import argparse
import sys
from dataclasses import fields
from io import TextIOWrapper
from pathlib import Path

from paperlib import __version__
from paperlib.commands import add_evaluate, add_lift, add_live, add_parameters, add_sweep
from paperlib.errors import CheckpointError, MissingDataError, NotebookFailed
from paperlib.paths import shown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m paperlib", description=__doc__)
    parser.add_argument("--version", action="version", version=f"paperlib {__version__}")
    parser.set_defaults(run=lambda _: parser.print_help())
    commands = parser.add_subparsers(dest="command")

    run = commands.add_parser("run", help="execute a notebook with parameters", add_help=False)
    about = "show this; with a notebook after it, that one's parameters"
    run.add_argument("-h", "--help", nargs="?", metavar="notebook", action=_Help, help=about)
    run.add_argument("notebook")
    run.add_argument("output")
    add_parameters(run, "VALUE", "set a parameter of the notebook; may be given again")
    run.set_defaults(run=_run)

    copy = commands.add_parser("copy", help="a copy of a notebook to change, in my/")
    copy.add_argument("notebook")
    copy.add_argument("output", nargs="?", help="another file for it")
    copy.set_defaults(run=_copy)

    add_sweep(commands).set_defaults(run=_sweep)

    train = commands.add_parser(
        "train",
        help="train the temporal model without a notebook; with torchrun, over several GPUs",
        epilog="torchrun --nproc-per-node 4 -m paperlib train -p receptive_field 243",
    )
    about = "as in table1.ipynb, and causal; unlabelled (rest, or subjects as S2,S3) trains "
    about += "semi-supervised, with labelled (subjects) and percent; may be given again"
    add_parameters(train, "VALUE", about)
    # terms of the semi-supervised loss, under the names of the reference implementation
    for option, term, what in (
        ("--no-proj", "projection", "the projection"),
        ("--no-bone-length", "bones", "the bone-length term"),
        ("--linear-projection", "distortion", "the lens distortion"),
    ):
        off = {"action": "append_const", "dest": "off", "const": term, "default": []}
        train.add_argument(option, **off, help=f"semi-supervised: leave {what} out")
    train.set_defaults(run=_train)

    add_evaluate(commands).set_defaults(run=_evaluate)

    add_lift(commands).set_defaults(run=_lift)

    add_live(commands).set_defaults(run=_live)

    again = commands.add_parser(
        "claims",
        help="judge claims of the papers anew; without a name, list what each of them takes",
        epilog="python -m paperlib claims pavllo2019-c01",
    )
    again.add_argument("names", nargs="*", metavar="name", help="pavllo2019-c01, …")
    again.add_argument(
        "--seeds", type=int, nargs="+", help="0 1 2; default: those of the verdict on record"
    )
    again.set_defaults(run=_claims)

    data = commands.add_parser("data", help="fetch a free data set, or say what is here")
    about = "leave it out to see what is here"
    data.add_argument("name", nargs="?", choices=("cmu", "blazepose"), help=about)
    about = "a package that has networks of blazepose, which is not fetched then; may be repeated"
    data.add_argument("--from", action="append", dest="given", metavar="FILE", help=about)
    data.set_defaults(run=_data)
    return parser


class _Help(argparse.Action):
    """The help of a command, or the parameters of the notebook that is named after it."""

    def __call__(self, parser, namespace, notebook, option_string=None):
        if notebook is None:
            parser.print_help()
            parser.exit()
        from paperlib.running.choices import described

        parser.exit(run_command(argparse.Namespace(run=lambda _: print(described(Path(notebook))))))


# options of `evaluate` that are arguments of evaluate_checkpoint
_PASSED_ON = "device by causal guess subjects actions fps widths dense".split()


def _run(arguments) -> None:
    from paperlib.experiment.parameters import parameters_of
    from paperlib.running.notebook import run

    output = run(arguments.notebook, arguments.output, parameters_of(arguments.parameters))
    print(f"written to {output}")
    print(f"to open it: {shown(Path(sys.executable).parent / 'jupyter')} lab {output}")


def _copy(arguments) -> None:
    from paperlib.running.notebook import copy

    print(f"copied to {copy(arguments.notebook, arguments.output)}")


def _sweep(arguments) -> None:
    from paperlib.running.sweep import averages, runs_by_commit, sweep

    done = sweep(
        arguments.notebook,
        arguments.parameters,
        arguments.output,
        arguments.scheduler,
        arguments.workers,
        arguments.retries,
        arguments.again,
    )
    table = averages(done)
    nothing = "no rows were recorded; the smoke preset never does"
    print(nothing if table.empty else table.to_string())
    count, failed = len(done.runs), len(done.failed)
    print(f"{count - failed} of {count} runs finished; they and results.csv are in {done.folder}")
    measured = runs_by_commit(done)
    if len(measured) > 1:
        parts = ", ".join(f"{runs} by commit {commit}" for commit, runs in measured.items())
        print(f"measured by different code: {parts}; --again repeats all of them")
    if done.failed:
        problems = [f"{name}: {' '.join(error.split())}" for name, error in done.failed.items()]
        raise NotebookFailed("\n  ".join([f"{failed} of {count} runs failed:", *problems]))


def _train(arguments) -> None:
    from paperlib.experiment.parameters import parameters_of
    from paperlib.experiment.training import train_temporal
    from paperlib.training import processes

    parameters = parameters_of(arguments.parameters) | dict.fromkeys(arguments.off, False)
    with processes.joined(parameters.get("device", "auto")):
        run = train_temporal(parameters)
        if processes.rank() == 0:
            print(f"{'found' if run.reused else 'trained'}: {shown(run.path)}")


def _evaluate(arguments) -> None:
    from paperlib.experiment.checkpoints import evaluate_checkpoint

    done = evaluate_checkpoint(
        arguments.checkpoint,
        arguments.dataset,
        arguments.keypoints,
        flip=not arguments.no_flip,
        **{name: getattr(arguments, name) for name in _PASSED_ON},
    )
    print(done.table.to_string(float_format="{:.2f}".format))
    print(done.notes)


def _lift(arguments) -> None:
    from paperlib.running.lift import Options, lift

    for path in lift(arguments.source, arguments.out, _told(arguments, Options)):
        print(f"written: {path}")


def _live(arguments) -> None:
    from paperlib.running.live import Options, live

    print(live(arguments.source, _told(arguments, Options)), file=sys.stderr)


def _told(arguments, options: type):
    """The ``options`` of a command, as far as they were said."""
    names = {field.name for field in fields(options)}
    return options(**{name: value for name, value in vars(arguments).items() if name in names})


def _claims(arguments) -> None:
    from paperlib import claims

    if not arguments.names:
        print(claims.costs(claims.recorded()).round(1).to_string(index=False, na_rep="–"))
        return
    from paperlib.running.claims import judge_again

    for name in arguments.names:
        found = claims.claim(name)
        kept = claims.recorded()[name]
        print(f"{name}: {found.text}\nits test: {found.test}", flush=True)
        if isinstance(kept, claims.Verdict):
            print(f"on record: {kept}")
            if (what := claims.need(kept)) is None:
                continue  # there is nothing to run
            print(f"it takes {what}", flush=True)
        print(f"now: {judge_again(name, arguments.seeds)}", flush=True)


def _data(arguments) -> None:
    from paperlib.datasets import download

    if arguments.given and arguments.name != "blazepose":
        raise ValueError("--from FILE goes with blazepose: python -m paperlib data blazepose")
    if arguments.name == "blazepose":
        from paperlib.detection.blazepose.fetching import fetch

        print(f"complete in {fetch(arguments.given or ())}")
    elif arguments.name:
        print(f"complete in {download.fetch_cmu()}")
    else:
        print(*download.inventory(), sep="\n")


def run_command(arguments: argparse.Namespace) -> int:
    """Run the command ``arguments.run`` and return its exit status. An error that the user can
    correct is one line, and status 1."""
    try:
        arguments.run(arguments)
    except (ValueError, MissingDataError, CheckpointError, NotebookFailed, OSError) as problem:
        print(f"paperlib: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\npaperlib: stopped; what was finished is kept", file=sys.stderr)
        return 130
    return 0


def main(words: list[str] | None = None) -> int:
    """Run a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that has no sign for "±" shows another
            stream.reconfigure(errors="replace")
    return run_command(_parser().parse_args(words))


if __name__ == "__main__":
    sys.exit(main())
