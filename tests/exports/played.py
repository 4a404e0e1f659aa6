"""What a player of glTF shows, worked out from a file: only what the animation needs."""

import numpy as np
import pygltflib
from scipy.spatial.transform import Rotation, Slerp

_KINDS = {5126: np.float32, 5123: np.uint16}
_SIZES = {"SCALAR": (), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


class Played:
    """A file, and where its nodes and corners are at a time in seconds."""

    def __init__(self, path):
        self.file = pygltflib.GLTF2().load(str(path))
        if path.suffix == ".gltf":
            self.file.convert_buffers(pygltflib.BufferFormat.BINARYBLOB)
        self.blob = self.file.binary_blob()
        self.parents = {c: n for n, node in enumerate(self.file.nodes) for c in node.children}
        self.names = {node.name: n for n, node in enumerate(self.file.nodes)}

    def numbers(self, accessor: int) -> np.ndarray:
        found = self.file.accessors[accessor]
        view, size = self.file.bufferViews[found.bufferView], _SIZES[found.type]
        flat = np.frombuffer(
            self.blob,
            _KINDS[found.componentType],
            offset=view.byteOffset or 0,
            count=found.count * int(np.prod(size)),
        )
        return flat.reshape(found.count, *size)

    def matrices(self, seconds: float) -> np.ndarray:
        """``(nodes, 4, 4)``, from each node to the scene."""
        own = [
            {
                "translation": np.array(node.translation or [0, 0, 0]),
                "rotation": np.array(node.rotation or [0, 0, 0, 1]),
                "scale": np.ones(3),
            }
            for node in self.file.nodes
        ]
        (animation,) = self.file.animations
        for channel in animation.channels:
            sampler = animation.samplers[channel.sampler]
            times, values = self.numbers(sampler.input), self.numbers(sampler.output)
            target = channel.target
            own[target.node][target.path] = _sample(seconds, times, values, sampler.interpolation)
        found: dict[int, np.ndarray] = {}

        def matrix(node: int) -> np.ndarray:
            if node not in found:
                local = np.eye(4)
                turn = Rotation.from_quat(own[node]["rotation"]).as_matrix()
                local[:3, :3] = turn * own[node]["scale"]
                local[:3, 3] = own[node]["translation"]
                above = self.parents.get(node)
                found[node] = local if above is None else matrix(above) @ local
            return found[node]

        return np.stack([matrix(node) for node in range(len(self.file.nodes))])

    def places(self, joints, seconds: float, below: str | None = None) -> np.ndarray:
        """``(J, 3)`` of joints by name: of everybody, or of those below one node."""
        nodes = [
            next(
                n for n, node in enumerate(self.file.nodes) if node.name == j and self._in(n, below)
            )
            for j in joints
        ]
        return self.matrices(seconds)[nodes, :3, 3]

    def _in(self, node: int | None, above: str | None) -> bool:
        while node is not None and above is not None:
            if self.file.nodes[node].name == above:
                return True
            node = self.parents.get(node)
        return above is None

    def corners(self, person: str, seconds: float) -> np.ndarray:
        """``(N, 3)`` of the mesh of a person, moved by its skin."""
        node = self.file.nodes[self.names[f"body_{person}"]]
        skin = self.file.skins[node.skin]
        attributes = self.file.meshes[node.mesh].primitives[0].attributes
        rest, joints = self.numbers(attributes.POSITION), self.numbers(attributes.JOINTS_0)
        weights = self.numbers(attributes.WEIGHTS_0)
        inverse = self.numbers(skin.inverseBindMatrices).transpose(0, 2, 1)  # by columns in files
        moved = self.matrices(seconds)[skin.joints] @ inverse
        blended = (weights[..., None, None] * moved[joints]).sum(axis=1)
        return (blended @ np.c_[rest, np.ones(len(rest))][..., None])[:, :3, 0]


def _sample(seconds: float, times: np.ndarray, values: np.ndarray, how: str) -> np.ndarray:
    seconds = min(max(seconds, float(times[0])), float(times[-1]))
    if how == "STEP":
        return values[np.searchsorted(times, seconds + 1e-6, side="right") - 1]
    if len(times) == 1:
        return values[0]
    if values.shape[-1] == 4:
        return Slerp(times, Rotation.from_quat(values))(seconds).as_quat()
    return np.array([np.interp(seconds, times, column) for column in values.T])
