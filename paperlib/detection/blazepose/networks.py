"""The networks of BlazePose, run by LiteRT (package ``ai-edge-litert``, of the extra ``video``)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from paperlib.detection.blazepose import detector, regions
from paperlib.detection.blazepose import landmarks as points
from paperlib.detection.blazepose.fetching import MODELS, find
from paperlib.detection.blazepose.others import painted_out
from paperlib.detection.blazepose.regions import Region, around, cut, letterbox
from paperlib.errors import one_of


class Networks:
    """The person detector and the landmark network ``model`` ("heavy", "full", "lite"), on
    ``threads`` processor threads.

    Raises ``ValueError`` for another model and where LiteRT is not installed, and
    :class:`MissingDataError` where the networks are not here; both say how to get them.
    """

    def __init__(self, model: str = "heavy", threads: int = 1):
        one_of("BlazePose model", model, MODELS)
        detects, finds = find("detector"), find(model)
        self._detector = _Network(detects, threads)
        self._landmarks = _Network(finds, threads)
        self._anchors = detector.anchors()

    def people(self, picture: np.ndarray, parts: bool = False) -> list[Region]:
        """Where in a picture ``(H, W, 3)`` of bytes people are, surest first. With ``parts`` these
        are looked at too, in which people are larger and fewer; most then come several times."""
        height, width = picture.shape[:2]
        found = []
        for square in [letterbox(width, height), *(regions.parts(width, height) if parts else ())]:
            small = cut(picture, square, detector.SIDE, edges=False) / np.float32(127.5) - 1
            raw, scores = self._detector(small)
            for one in detector.people(raw[0], scores[0, :, 0], self._anchors):
                found.append((one.score, around(*square.to_picture(one.points[:2]))))
        return [region for _, region in sorted(found, key=lambda each: -each[0])]

    def landmarks(
        self, picture: np.ndarray, region: Region, others: Sequence[np.ndarray] = ()
    ) -> points.Landmarks:
        """The person in a ``region`` of a picture, whether or not there is one. The bodies of
        ``others``, ``(33, 2)`` joints each, are painted out before."""
        small = cut(picture, region, points.SIDE, edges=True)
        small = (painted_out(small, region, others) if others else small) / np.float32(255)
        raw, presence, _, heatmaps, _ = self._landmarks(small)
        return points.landmarks(raw[0], float(presence[0, 0]), heatmaps[0], region)


class _Network:
    def __init__(self, path: Path, threads: int):
        self._run = _litert()(str(path), num_threads=threads)
        self._run.allocate_tensors()
        self._input = self._run.get_input_details()[0]["index"]
        # the order in which the network was written
        outputs = sorted(self._run.get_output_details(), key=lambda each: each["name"])
        self._outputs = [each["index"] for each in outputs]

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        self._run.set_tensor(self._input, picture[None])
        self._run.invoke()
        return [self._run.get_tensor(index) for index in self._outputs]


def _litert() -> type:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise ValueError(
            "BlazePose takes the package ai-edge-litert, which is not installed: pip install "
            'ai-edge-litert. It belongs to the extra "video": pip install -e ".[video]"'
        ) from None
    return Interpreter
