"""HDF5 files, as MATLAB 7.3 writes them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from paperlib.paths import regular_file

MAX_BYTES = 2**30  # of all that is read; a file of 2 kB may declare any number of the same value


def read_hdf5(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The arrays of numbers ``names`` that lie in a file itself, which may also refer to others.

    ``ValueError`` where one is not there or the file is damaged, ``ImportError`` without h5py.
    """
    import h5py

    path = regular_file(path)
    left = MAX_BYTES
    arrays = {}
    try:
        with h5py.File(path, "r") as file:
            for name in names:
                here = isinstance(file.get(name, getlink=True), h5py.HardLink)
                found = file[name] if here else None
                if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
                    raise ValueError(f"no array {name} in the file itself")
                if found.dtype.kind not in "biuf":
                    raise ValueError(f"{name} does not hold numbers")
                left -= found.size * found.dtype.itemsize
                if left < 0:
                    raise ValueError(f"its arrays are larger than {MAX_BYTES / 2**30:g} GiB")
                arrays[name] = np.asarray(found)
    except PermissionError:
        raise
    except Exception as error:  # a damaged file can fail in many ways
        raise ValueError(f"{path}: not a readable annotation ({error}); get it again") from error
    return arrays
