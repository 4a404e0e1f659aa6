"""Packages of the extra ``exports``, which not everybody has."""

from importlib import import_module
from types import ModuleType


def c3d_library() -> ModuleType:
    return needed("ezc3d", "writing C3D")


def gltf_library() -> ModuleType:
    return needed("pygltflib", "writing glTF")


def needed(package: str, what: str) -> ModuleType:
    """The package, or a ``ValueError`` that says how to get it."""
    try:
        return import_module(package)
    except ImportError:
        raise ValueError(
            f"{what} takes the package {package}, which is not installed: pip install {package}. "
            'It belongs to the extra "exports": pip install -e ".[exports]"'
        ) from None
