"""JSON that others have written."""

import json
from pathlib import Path
from typing import Any

from paperlib.paths import regular_file, stand_in

MAX_BYTES = 2**30  # COCO's largest file of keypoints has 0.24 GiB


def read_json(path: str | Path, limit: int = MAX_BYTES) -> Any:
    """What a JSON file holds; ``ValueError`` for another kind of file, one that was cut short, or
    one that is nested without end. Its numbers may be NaN, which Python writes too."""
    path = regular_file(path, limit)
    text = path.read_bytes()
    try:
        return json.loads(text.decode("utf-8-sig"))  # which may begin with a byte-order mark
    except (ValueError, RecursionError) as error:
        if other := stand_in(text):
            raise ValueError(f"{path}: {other}") from None
        raise ValueError(f"{path}: not JSON ({error}); was it cut short? write it again") from None
