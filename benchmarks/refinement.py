"""The refinement of veges2020: the direct solver against the paper's 500 steps of Adam, from
positions to refined positions on the same processor or GPU.

The direct solver is compiled for the processor, to which it fetches a GPU's positions.

Tracks are smooth random walks of 17 joints, hidden for 1 to 2 s every now and then, with root
errors of the given size there. With 0.3 m no error comes near the cap, and one linear system is
enough; with 0.6 m some do, and with 1 m many.

In the ``hard`` tracks there are six gaps of 40 frames with white noise in every joint and frame:
every coordinate has frames near the cap in every gap, and all of them ask for a search.
"""

import torch

from benchmarks.common import seconds_of
from paperlib.refinement import energy, refine

JOINTS, FPS = 17, 25
FRAMES = (250, 1000, 2000)
PEOPLE = (1, 16)
HARD_FRAMES, GAPS, GAP, NOISE = 1000, 6, 40, 0.35  # frames, gaps, frames of each, metres
ERRORS = (0.3, 0.6, 1.0)  # metres in depth, standard deviation where hidden


def measure(device: torch.device) -> list[dict]:
    # PyTorch loads its optimisers at their first use, and the direct solver is compiled at its own
    refine(*(x.to(device) for x in tracks(1, 60, ERRORS[0])))
    refine(*(x.to(device) for x in tracks(1, 60, ERRORS[0])), solver="adam", iterations=2)
    rows = []
    for people in PEOPLE:
        for frames in FRAMES:
            for error in ERRORS:
                given = tracks(people, frames, error)
                rows.append({"tracks": "smooth", **_compared(*given, error, device)})
        given = hard_tracks(people)
        rows.append({"tracks": "hard", **_compared(*given, NOISE, device)})
    return rows


def _compared(
    positions: torch.Tensor, visibility: torch.Tensor, error: float, device: torch.device
) -> dict:
    positions, visibility = positions.to(device), visibility.to(device)
    refined, seconds = {}, {}
    for solver, times in (("direct", 7), ("adam", 1)):

        def once(solver: str = solver) -> None:
            refined[solver] = refine(positions, visibility, solver=solver)

        # what Adam needs for its first steps is small beside all of them
        runs = [seconds_of(once, device) for _ in range(times)]
        seconds[solver] = sorted(runs)[times // 2]
    exact = positions.double()
    energies = {s: energy(p.double(), exact, visibility) for s, p in refined.items()}
    return {
        "people": len(positions),
        "frames": positions.shape[1],
        "error_m": error,
        "direct_s": seconds["direct"],
        "adam_s": seconds["adam"],
        "ratio": seconds["adam"] / seconds["direct"],
        "direct_energy": energies["direct"].mean().item(),
        "adam_energy": energies["adam"].mean().item(),
        "highest": (energies["direct"] / energies["adam"]).max().item(),
    }


def tracks(people: int, frames: int, error: float, seed: int = 0):
    """Predicted positions ``(P, T, J, 3)`` and visibility scores ``(P, T)``."""
    generator = torch.Generator().manual_seed(seed)

    def smooth(joints: int, seconds: float) -> torch.Tensor:
        """Noise of variance 1 that changes within some seconds."""
        reach = int(2 * seconds * FPS)
        time = torch.arange(-reach, reach + 1) / (seconds * FPS)
        kernel = torch.exp(-(time**2) / 2)
        noise = torch.randn(people * joints * 3, 1, frames + 2 * reach, generator=generator)
        noise = torch.nn.functional.conv1d(noise, (kernel / kernel.norm())[None, None])
        return noise.reshape(people, joints, 3, frames).permute(0, 3, 1, 2)

    root = 0.5 * smooth(1, 1.5) + torch.tensor([0.0, 0.0, 5.0])
    pose = 0.25 * smooth(JOINTS, 0.5)
    visibility = 0.8 + 0.1 * torch.rand(people, frames, generator=generator)
    for person in range(people):
        for start in range(60, frames - 60, 120):
            begin = start + int(torch.randint(40, (), generator=generator))
            length = int(torch.randint(FPS, 2 * FPS, (), generator=generator))
            low = 0.05 + 0.2 * torch.rand((), generator=generator)
            visibility[person, begin : begin + length] = low
    hidden = (visibility < 0.5)[..., None, None]
    wrong = error * torch.tensor([0.4, 0.4, 1.0]) * smooth(1, 0.3)
    pose = pose + (0.01 + 0.08 * hidden) * smooth(JOINTS, 0.1)
    pose[:, :, 0] = 0
    return root + hidden * wrong + pose, visibility


def hard_tracks(people: int, seed: int = 0):
    """As ``tracks``, with white noise in all coordinates of all joints where hidden."""
    positions, visibility = tracks(people, HARD_FRAMES, 0.0, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    visibility[:] = 0.85
    every = HARD_FRAMES // GAPS
    for begin in range((every - GAP) // 2, HARD_FRAMES - GAP, every):
        gap = positions[:, begin : begin + GAP]
        gap += NOISE * torch.randn(gap.shape, generator=generator)
        visibility[:, begin : begin + GAP] = 0.1
    return positions, visibility
