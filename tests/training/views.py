"""Small motion in the views of several cameras, for tests of what learns from them."""

from dataclasses import replace

import torch

from paperlib.cameras import project, world_to_camera
from paperlib.datasets.filming import STUDIO
from paperlib.kinematics import forward_kinematics, rotation_from_vector
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import H36M_17


def filmed(clip: str, frames: int, cameras: int = 4, seed: int = 0) -> tuple[Recording, ...]:
    """Somebody of constant bones who bends and walks about on the stage, as each camera sees it."""
    generator = torch.Generator().manual_seed(seed)
    bones = 0.2 * torch.randn(17, 3, generator=generator)
    time = torch.arange(frames)[:, None, None] / 10
    speed, phase = (torch.rand(2, 17, 3, generator=generator) * 6).unbind()
    turns = rotation_from_vector(0.5 * torch.sin(speed * time / 4 + phase))
    root = torch.sin(time[:, 0] + phase[0]) * 0.5 + torch.tensor([0.0, 0.0, 1.0])
    world = forward_kinematics(turns, bones, H36M_17.parents, root)
    views = []
    for camera in STUDIO[:cameras]:
        positions = world_to_camera(world, camera)
        seen = (project(positions, camera), torch.ones(frames, 17), positions)
        views.append(Recording("S1", "moving", clip, 50.0, camera, *seen))
    return tuple(views)


def data(*recordings: Recording, name: str = "moves") -> Dataset:
    return Dataset(name, "made here", recordings, ())


def without_poses(*recordings: Recording, name: str = "films") -> Dataset:
    return data(*(replace(r, positions=None) for r in recordings), name=name)
