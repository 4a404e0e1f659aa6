"""Poses as files that other programs open: npz, CSV, BVH, C3D, TRC, glTF.

>>> exported = export(poses, ["walk.bvh", "walk.trc"], fps=50, skeleton=H36M_17)  # doctest: +SKIP
>>> exported.residuals[1]  # of person 1, mm: the fitted skeleton from the poses  # doctest: +SKIP
"""

from paperlib import lazily
from paperlib.exports.bvh import write_bvh
from paperlib.exports.fitting import Fitted, fit
from paperlib.exports.formats import FORMATS, Exported, export, require_packages, write
from paperlib.exports.gltf import write_gltf
from paperlib.exports.motion import Motion, Person
from paperlib.exports.points import write_c3d, write_trc
from paperlib.exports.tables import write_csv, write_npz

__getattr__, __dir__ = lazily(__name__)
