"""The options of the command line's larger commands: what may be said, and how it is read."""

import argparse


def add_parameters(command: argparse.ArgumentParser, value: str, about: str) -> None:
    command.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        metavar=("NAME", value),
        help=about,
    )


def add_evaluate(commands) -> argparse.ArgumentParser:
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a trained model, ours or a published one, on a data set's test split",
        epilog="python -m paperlib evaluate --checkpoint pretrained_h36m_cpn.bin "
        "--dataset human36m --keypoints cpn_ft_h36m_dbb",
    )
    evaluate.add_argument(
        "--checkpoint",
        required=True,
        help="a public VideoPose3D file; or a run of ours: its folder, the file in it, or its key",
    )
    evaluate.add_argument("--dataset", required=True, help="synthetic, cmu, human36m, …, or auto")
    evaluate.add_argument(
        "--keypoints",
        required=True,
        help="ground_truth, simulated, …; or the <name> in data_2d_h36m_<name>.npz",
    )
    evaluate.add_argument(
        "--subjects", help="S9,S11; also of the training part; default: the test's"
    )
    evaluate.add_argument(
        "--actions", help="Walk,Photo: those that start with one of these words; * for all (*)"
    )
    evaluate.add_argument(
        "--fps", type=float, help="measure at this lower frame rate, a whole part of the data's own"
    )
    evaluate.add_argument(
        "--no-flip",
        "--no-test-time-augmentation",
        action="store_true",
        help="do not average with the mirror image",
    )
    evaluate.add_argument(
        "--causal", action="store_true", help="the public file is of a causal model"
    )
    evaluate.add_argument(
        "--widths", type=_widths, help="3,3,3: the filter widths of the public file's model"
    )
    evaluate.add_argument(
        "--dense",
        action=argparse.BooleanOptionalAction,
        help="the public file is of a model without dilation, or of one with it; default: what its "
        "weights tell",
    )
    evaluate.add_argument(
        "--guess", help="for an occlusion-aware model: clustered or boxed_man, from the keypoints"
    )
    evaluate.add_argument("--device", default="auto", help="cpu, cuda; default: a GPU, if any")
    evaluate.add_argument(
        "--by",
        default="action",
        choices=("action", "subject", "sequence"),
        help="what the rows of the table are (action); by subject: the actions of each, "
        "their mean, and the mean of all its frames",
    )
    return evaluate


def add_lift(commands) -> argparse.ArgumentParser:
    lift = commands.add_parser(
        "lift",
        help="3D poses of the people in a film, as files that other programs open",
        description="Poses in 3D of the people in a film, or of those whose keypoints a detector "
        "has found in one: npz, CSV, BVH, TRC, C3D, glTF, and moving pictures.",
        epilog="python -m paperlib lift film.mp4 --out lifted; python -m paperlib lift keypoints/ "
        "--fps 60 --size 1080x1920 --out lifted",
        # what is not said is as paperlib.running.lift.Options has it
        argument_default=argparse.SUPPRESS,
    )
    lift.add_argument(
        "source",
        help="a film (needs the extra `video`), or what OpenPose, MMPose, AlphaPose, MediaPipe, "
        "Detectron2 … wrote of one",
    )
    lift.add_argument("--out", required=True, metavar="FOLDER", help="for the results")
    lift.add_argument("--fps", type=float, help="frames a second of the film")
    lift.add_argument(
        "--size", type=_size, help="1920x1080: of its pictures, where the keypoints do not tell"
    )
    lift.add_argument(
        "--person", type=_person, help="everybody (default), longest, largest, or the number of one"
    )
    _add_people(lift, "heavy", "faster and err more")
    lift.add_argument("--up", choices=("y", "z"), help="of the files; default: by format")
    lift.add_argument("--formats", type=_listed, help="npz,csv,bvh,trc,c3d,glb; default: all")
    lift.add_argument("--raw", action="store_false", dest="smooth", help="do not smooth the paths")
    lift.add_argument(
        "--no-animation", action="store_false", dest="animation", help="write no poses.gif"
    )
    return lift


def add_live(commands) -> argparse.ArgumentParser:
    live = commands.add_parser(
        "live",
        help="3D poses of the people before a camera, while they are filmed",
        description="Poses in 3D, a line of JSON each, of the people before a camera, in a film "
        "that plays, or of those whose keypoints come as lines of JSON; at the end, or with "
        "Ctrl-C, how late they were.",
        epilog="python -m paperlib live 0; detector | python -m paperlib live - --size 1280x720",
        # what is not said is as paperlib.running.live.Options has it
        argument_default=argparse.SUPPRESS,
    )
    live.add_argument(
        "source",
        help="a camera (0, 1, …) or a film (both need the extra `video`), or - for lines of "
        '{"time": seconds, "people": [{"id": 1, "keypoints": [[x, y, score], …]}, …]}',
    )
    live.add_argument("--size", type=_size, help="1280x720: of the pictures; asked of a camera")
    live.add_argument(
        "--fps", type=float, help="asked of a camera; of keypoints that come without a time"
    )
    live.add_argument(
        "--wait",
        type=int,
        metavar="FRAMES",
        help="how many frames, of 20 ms, a pose waits for what comes, 0 to 13 (13); the fewer the "
        "less sure, and less smooth",
    )
    _add_people(live, "lite", "slower and err less")
    live.add_argument(
        "--input-format",
        metavar="NAME",
        help="by which PyAV opens the camera; default: v4l2, avfoundation or dshow, by the system",
    )
    return live


def _add_people(command: argparse.ArgumentParser, network: str, others: str) -> None:
    """How people are found, and what nobody can tell from keypoints alone."""
    command.add_argument("--people", type=int, help="how many to look for in a film (1)")
    command.add_argument(
        "--detector",
        choices=("heavy", "full", "lite"),
        help=f"BlazePose's network for a film ({network}); the others are {others}",
    )
    command.add_argument("--layout", help="the joint set of the keypoints, where it is not clear")
    command.add_argument(
        "--height",
        type=float,
        dest="person_height",
        metavar="HEIGHT",
        help="of the people, metres; default: as the model has it",
    )
    command.add_argument(
        "--focal", type=float, help="focal length in pixels; default: the picture's longer side"
    )
    command.add_argument(
        "--down",
        type=_way,
        help="0,1,0: where down is, in the camera's axes; default: where people's feet are",
    )


def add_sweep(commands) -> argparse.ArgumentParser:
    sweep = commands.add_parser(
        "sweep",
        help="execute a notebook for every combination of values, over a Dask cluster",
        description="Execute a notebook once for every combination of values, over a Dask "
        "cluster, and gather what was measured in results.csv. What is finished is not repeated.",
    )
    sweep.add_argument("notebook")
    add_parameters(sweep, "VALUES", "values of a parameter, as 27,81,243; may be given again")
    sweep.add_argument("--output", help="a folder; default: out/sweeps/<the notebook's name>")
    sweep.add_argument(
        "--scheduler",
        help="""tcp://host:8786, a Dask scheduler that you trust, whose workers have this project
        installed; default: workers on this machine""",
    )
    sweep.add_argument(
        "--workers",
        type=int,
        help="how many run side by side here; default: one for two cores, one alone on a GPU",
    )
    sweep.add_argument(
        "--retries", type=int, default=1, help="how often a run that fails is tried again (1)"
    )
    sweep.add_argument("--again", action="store_true", help="repeat also what is finished")
    return sweep


def _widths(listed: str) -> tuple[int, ...]:
    try:
        return tuple(int(width) for width in listed.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{listed!r}; expected numbers, as 3,3,3") from None


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in text.lower().split("x"))
        if min(width, height) < 1:
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}; expected width x height, 1920x1080") from None
    return width, height


def _listed(text: str) -> list[str]:
    return text.split(",")


def _person(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _way(text: str) -> tuple[float, ...]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}; expected three numbers, 0,1,0") from None
    return x, y, z
