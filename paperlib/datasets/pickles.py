"""Reading the pickles (``.pkl``) that others have written without running what is inside them."""

import io
from pathlib import Path
from typing import Any

from paperlib.datasets.archives import _Unpickler
from paperlib.errors import UnsafeFileError
from paperlib.paths import stand_in


def read_pickle(path: str | Path) -> Any:
    """What a file of one pickle holds: arrays, numbers, text and plain containers.

    Raises :class:`UnsafeFileError` where it asks for anything else (nothing has been run then), and
    ``ValueError`` where the file is damaged or no pickle. A missing file raises
    ``FileNotFoundError``.
    """
    path = Path(path)
    data = path.read_bytes()  # outside the try: a missing file is no damaged one
    try:
        return _Unpickler(io.BytesIO(data), path).load_plain()
    except UnsafeFileError:
        raise
    except MemoryError as error:
        raise ValueError(f"{path}: does not fit into memory") from error
    except Exception as error:  # a damaged pickle can fail in nearly any way
        if other := stand_in(data[:200]):
            raise ValueError(f"{path}: {other}") from None
        raise ValueError(
            f"{path}: not a readable pickle ({error or type(error).__name__}). It may be cut short "
            "or of another kind: fetch it again"
        ) from error
