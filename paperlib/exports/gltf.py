"""glTF, the format of 3D scenes: bodies of bones that viewers and browsers play."""

from pathlib import Path

import numpy as np
import torch

from paperlib.exports.fitting import Fitted
from paperlib.exports.motion import Motion, axes
from paperlib.exports.optional import gltf_library
from paperlib.kinematics import matrix_to_quaternion, shortest_turn
from paperlib.paths import replacing

# of sides, as linear RGB
_COLOURS = {"left": (0.05, 0.25, 0.8), "right": (0.8, 0.1, 0.05), "centre": (0.35, 0.35, 0.35)}
_WIDTH, _WAIST = 0.1, 0.2  # of a bone's length: its width, and where it is widest
_UPRIGHT = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]  # a quarter turn about x, z up to y up (x, y, z, w)


def write_gltf(motion: Motion, path: str | Path, up: str = "y") -> tuple[Path, ...]:
    """``path``, ``.glb`` (one binary file) or ``.gltf`` (text, its numbers inside), with everybody,
    by the package ``pygltflib``.

    Metres, y up, as the format has it. With ``up="z"`` joints have z up, below a node that turns
    all upright, so that viewers show the same. The rate, the unit and the number of the first frame
    stand in ``asset.extras``; time 0 of the animation is that frame.

    Each person is a tree of joints with a skin, an octahedron for each bone (the left side blue,
    the right one red), of the one skeleton that :func:`.fitting.fit` finds. Keys are at the frames
    in which something was seen of the person: in between, players turn joints the shortest way.
    Before somebody comes and after they leave they are hidden (scale 0).

    ``ValueError`` for a joint that is never seen, another suffix, and where ``pygltflib`` is not
    installed.
    """
    if Path(path).suffix.lower() not in (".glb", ".gltf"):
        raise ValueError(f"{path}: expected .glb or .gltf")
    lib = gltf_library()
    scene = _Scene(lib)
    turn = torch.from_numpy(axes(up))
    pairs = [_person(scene, motion, name, turn) for name in motion.people]
    people, bodies = ([pair[which] for pair in pairs] for which in (0, 1))
    if up == "z":
        people = [scene.node(name="z_up", rotation=_UPRIGHT, children=people)]
    file = scene.file
    extras = {"fps": motion.fps, "unit": "m", "up": up, "first_frame": int(motion.frames[0])}
    file.scene, file.scenes = 0, [lib.Scene(nodes=people + bodies)]
    file.animations = [scene.animation]
    scene.finish()
    with replacing(Path(path)) as temporary:
        if Path(path).suffix.lower() == ".gltf":
            file.convert_buffers(lib.BufferFormat.DATAURI)
        file.save(str(temporary), asset=lib.Asset(extras=extras))
    return (Path(path),)


class _Scene:
    """A file that grows: numbers go to the end of one buffer."""

    def __init__(self, lib):
        self.lib, self.file, self.bytes = lib, lib.GLTF2(), bytearray()
        self.animation = lib.Animation(name="motion")
        self.file.materials = [
            lib.Material(
                name="bones",
                doubleSided=True,
                pbrMetallicRoughness=lib.PbrMetallicRoughness(
                    metallicFactor=0.0, roughnessFactor=0.8
                ),
            )
        ]

    def node(self, **fields) -> int:
        self.file.nodes.append(self.lib.Node(**fields))
        return len(self.file.nodes) - 1

    def numbers(
        self, values: np.ndarray, kind: str, bounds: bool = False, corners: bool = False
    ) -> int:
        """The accessor of ``values`` ``(N, …)``, of ``kind`` SCALAR, VEC3, …; float32 or uint16. It
        tells their ``bounds`` if asked to, and whether they are of the ``corners`` of a mesh."""
        values = np.ascontiguousarray(values)
        start = len(self.bytes)
        self.bytes += values.tobytes()
        self.bytes += bytes(-len(self.bytes) % 4)
        self.file.bufferViews.append(
            self.lib.BufferView(
                buffer=0,
                byteOffset=start,
                byteLength=values.nbytes,
                target=self.lib.ARRAY_BUFFER if corners else None,
            )
        )
        flat, lib = values.reshape(len(values), -1), self.lib
        self.file.accessors.append(
            self.lib.Accessor(
                bufferView=len(self.file.bufferViews) - 1,
                componentType=lib.FLOAT if values.dtype == np.float32 else lib.UNSIGNED_SHORT,
                count=len(values),
                type=kind,
                min=flat.min(axis=0).tolist() if bounds else None,
                max=flat.max(axis=0).tolist() if bounds else None,
            )
        )
        return len(self.file.accessors) - 1

    def animate(self, node: int, what: str, times: int, values: int, how: str = "LINEAR") -> None:
        sampler = self.lib.AnimationSampler(input=times, output=values, interpolation=how)
        target = self.lib.AnimationChannelTarget(node=node, path=what)
        channel = self.lib.AnimationChannel(sampler=len(self.animation.samplers), target=target)
        self.animation.samplers.append(sampler)
        self.animation.channels.append(channel)

    def finish(self) -> None:
        self.file.buffers = [self.lib.Buffer(byteLength=len(self.bytes))]
        self.file.set_binary_blob(bytes(self.bytes))


def _person(scene: _Scene, motion: Motion, name: int | str, turn: torch.Tensor) -> tuple[int, int]:
    """The nodes of one person's joints, which are animated, and of the body that has them for a
    skeleton: nothing above a body moves it, so that it stands by itself."""
    fitted = motion.fitted(name)
    offsets = (fitted.offsets @ turn.T).numpy().astype(np.float32)
    quaternions = matrix_to_quaternion(turn @ fitted.rotations @ turn.T).numpy()[..., [1, 2, 3, 0]]
    # q and -q are one rotation; neighbours lie on one side, for players that do not see to it
    ways = np.sign((quaternions[1:] * quaternions[:-1]).sum(axis=-1, keepdims=True))
    quaternions[1:] *= np.cumprod(np.where(ways == 0, 1, ways), axis=0)
    root = (fitted.root @ turn.T).numpy().astype(np.float32)
    first = len(scene.file.nodes)
    for joint, offset in zip(fitted.joints, offsets, strict=True):
        scene.node(name=joint, translation=offset.tolist())
    for joint, parent in enumerate(fitted.parents):
        if parent >= 0:
            scene.file.nodes[first + parent].children.append(first + joint)
    frames = motion.frames
    seconds = ((fitted.frames - frames[0]) / motion.fps).astype(np.float32)
    times = scene.numbers(seconds, "SCALAR", bounds=True)
    scene.animate(first, "translation", times, scene.numbers(root, "VEC3"))
    for joint in range(len(fitted.joints)):
        if joint in fitted.parents:  # ends of limbs do not turn
            values = scene.numbers(quaternions[:, joint].astype(np.float32), "VEC4")
            scene.animate(first + joint, "rotation", times, values)
    top = scene.node(name=f"person_{name}", children=[first])
    start, end = fitted.frames[0] - frames[0], fitted.frames[-1] + 1 - frames[0]
    shown = [(0, start == 0), (start, True), (end, False)]
    shown = [each for each in dict(shown).items() if each[0] < len(frames)]
    if len(shown) > 1:
        marks, here = np.array(shown, dtype=np.float32).T
        times = scene.numbers(marks / np.float32(motion.fps), "SCALAR", bounds=True)
        scale = scene.numbers(np.repeat(here[:, None], 3, axis=1), "VEC3")
        scene.animate(top, "scale", times, scale, "STEP")
    return top, _body(scene, fitted, offsets, first, name)


def _body(scene: _Scene, fitted: Fitted, offsets: np.ndarray, first: int, name) -> int:
    """The node of a mesh in the rest pose, each bone of which follows the joint it hangs on."""
    lib, rest = scene.lib, np.zeros_like(offsets)
    corners, owners, colours = [], [], []
    for joint, parent in enumerate(fitted.parents):
        if parent < 0:
            continue
        rest[joint] = rest[parent] + offsets[joint]
        if (length := np.linalg.norm(offsets[joint])) > 0:
            corners.append(rest[parent] + _octahedron(offsets[joint], length))
            owners += [parent] * len(corners[-1])
            side = fitted.joints[joint].split("_")[0]
            colours += [_COLOURS.get(side, _COLOURS["centre"])] * len(corners[-1])
    places = np.concatenate(corners).astype(np.float32)
    sides = places.reshape(-1, 3, 3)
    normals = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])
    normals = np.repeat(normals / np.linalg.norm(normals, axis=-1, keepdims=True), 3, axis=0)
    joints, weights = np.zeros((2, len(places), 4))
    joints[:, 0], weights[:, 0] = owners, 1
    corner = {"corners": True}
    attributes = lib.Attributes(
        POSITION=scene.numbers(places, "VEC3", bounds=True, **corner),
        NORMAL=scene.numbers(normals.astype(np.float32), "VEC3", **corner),
        COLOR_0=scene.numbers(np.array(colours, dtype=np.float32), "VEC3", **corner),
        JOINTS_0=scene.numbers(joints.astype(np.uint16), "VEC4", **corner),
        WEIGHTS_0=scene.numbers(weights.astype(np.float32), "VEC4", **corner),
    )
    primitive = lib.Primitive(attributes=attributes, material=0)
    scene.file.meshes.append(lib.Mesh(name=f"bones_{name}", primitives=[primitive]))
    # by columns: to each joint's frame, which in the rest pose is only moved
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(rest), 1, 1))
    inverse[:, 3, :3] = -rest
    matrices = scene.numbers(inverse, "MAT4")
    nodes = list(range(first, first + len(rest)))
    scene.file.skins.append(lib.Skin(joints=nodes, inverseBindMatrices=matrices, skeleton=first))
    mesh, skin = len(scene.file.meshes) - 1, len(scene.file.skins) - 1
    return scene.node(name=f"body_{name}", mesh=mesh, skin=skin)


def _octahedron(bone: np.ndarray, length: float) -> np.ndarray:
    """``(24, 3)`` corners of eight triangles, from the joint at 0 to ``bone`` ``(3,)``."""
    turn = shortest_turn(torch.tensor([0.0, 0.0, 1.0]), torch.from_numpy(bone / length)).numpy()
    wide = _WIDTH * length
    waist = np.array([[wide, 0, 0], [0, wide, 0], [-wide, 0, 0], [0, -wide, 0]])
    waist = (waist + np.array([0, 0, _WAIST * length])) @ turn.T
    ends = np.zeros(3), bone
    triangles = []
    for one, other in zip(waist, np.roll(waist, -1, axis=0), strict=True):
        triangles += [ends[0], other, one, ends[1], one, other]
    return np.array(triangles)
