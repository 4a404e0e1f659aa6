"""The energy of a trajectory: close to what was predicted where the person was seen, smooth where
not (veges2020, 3.2).

    E = sum_t v_t sum_k min((p_tk - p̂_tk)^2, cap)
      + w1 sum_t |r_{t+short} - r_t|^2 + w2 sum_t (1 - v_{t+long}) |r_{t+long} - r_t|^2
      + w3 sum_t |q_{t+short} - q_t|^2 + w4 sum_t (1 - v_{t+long}) |q_{t+long} - q_t|^2

r is the root in camera space, q the other joints relative to it, p both of them with all their
coordinates k, p̂ the prediction and v the visibility score. Formula and weights are those of its
published implementation and of a published configuration. The short step counts everywhere, so
that even a person seen throughout is smoothed a little.

No coordinate depends on another one. Here each is a row of M, one after the other for each person:
the root's three, then those of the other joints.
"""

from typing import NamedTuple

import torch

from paperlib.arrays import Array, Visibility, as_positions, as_tensor
from paperlib.refinement.settings import PAPER, Settings

TERMS = ("data_root", "root_short", "root_long", "data_pose", "pose_short", "pose_long")


class Rows(NamedTuple):
    """What the energy of each coordinate is made of."""

    target: torch.Tensor  # (M, T) metres, the prediction; 0 where it is not known
    weight: torch.Tensor  # (M, T) of the prediction: the score, 0 where it is not known
    known: torch.Tensor  # (M, T)
    gate: torch.Tensor  # (M, T) of the long step that ends in a frame
    short: torch.Tensor  # (M,) weight of the short step
    long: torch.Tensor  # (M,) weight of the long step
    track: torch.Tensor  # (M,) the same number where gate and weights of the steps are the same

    def at(self, chosen: torch.Tensor | slice) -> "Rows":
        return Rows(*(part[chosen] for part in self))

    def frames(self, row: torch.Tensor, frames: torch.Tensor) -> "Rows":
        """Stretches of some rows ``(W, 1)``: their frames ``(W, L)``."""
        of_frames = (part[row, frames] for part in self[:4])
        return Rows(*of_frames, *(part[row[:, 0]] for part in self[4:]))

    def energy(self, values: torch.Tensor, settings: Settings) -> torch.Tensor:
        """``(3, M)``: data, short and long term of coordinates ``(M, T)``, weighted."""
        error = (values - self.target).square().clamp(max=settings.cap)
        data = (self.weight * error).sum(dim=-1)
        near = _moved(values, settings.short_step).sum(dim=-1)
        far = self.gate[:, settings.long_step :] * _moved(values, settings.long_step)
        return torch.stack([data, self.short * near, self.long * far.sum(dim=-1)])


def _moved(values: torch.Tensor, step: int) -> torch.Tensor:
    return (values[:, step:] - values[:, :-step]).square()


def energy(
    positions: Array,
    initial: Array,
    visibility: Visibility = None,
    settings: Settings = PAPER,
    root: int = 0,
) -> torch.Tensor:
    """The energy ``(P,)`` of trajectories ``(P, T, J, 3)``, or one number of ``(T, J, 3)``
    (veges2020, 3.2, equation 1). They are absolute metres in camera space.

    ``initial`` is the prediction, of the same shape, with NaN where there is none: its data term is
    left out there. ``visibility`` is as :func:`visibility_score` takes it. Differentiable in
    ``positions``, and in their precision. ``root`` is the number of the root joint.
    """
    return sum(energy_terms(positions, initial, visibility, settings, root).values())


def energy_terms(
    positions: Array,
    initial: Array,
    visibility: Visibility = None,
    settings: Settings = PAPER,
    root: int = 0,
) -> dict[str, torch.Tensor]:
    """The parts of :func:`energy` by name (``TERMS``), weighted: they add up to it."""
    as_positions(positions, gaps=False)
    if positions.shape != initial.shape:
        raise ValueError(
            f"positions {tuple(positions.shape)} and the initial ones {tuple(initial.shape)} "
            "must have the same shape"
        )
    order = root_first(root, positions.shape[-2])
    positions = as_tensor(positions)[..., order, :]
    initial = as_positions(initial).to(positions)[..., order, :]
    rows = rows_of(initial, visibility, settings)
    parts = rows.energy(coordinates(positions), settings)
    parts = parts.unflatten(1, (-1, 3 * positions.shape[-2]))  # (3, P, K)
    parts = torch.cat([parts[..., :3].sum(dim=-1), parts[..., 3:].sum(dim=-1)])
    return dict(zip(TERMS, parts.reshape(-1, *positions.shape[:-3]), strict=True))


def visibility_score(
    confidence: Visibility, positions: Array, settings: Settings = PAPER
) -> torch.Tensor:
    """How visible the people of ``positions`` ``(P, T, J, 3)`` or ``(T, J, 3)`` are in each frame:
    ``(P, T)`` or ``(T,)``, from 0, hidden, to 1 (veges2020, 3.2).

    ``confidence`` is what the 2D detector says: a score for each person and frame, of that shape,
    or one for each of any K keypoints, ``(P, T, K)`` or ``(T, K)``, which are averaged; ``None``
    stands for 1. A frame in which no position is known scores 0. The scores are then
    median-filtered over time, mirrored at the ends of the track, which end twice, as SciPy's
    ``median_filter`` does and with it the authors' code (the paper does not say). After the last
    known frame, where a track has ended or was padded, they stay what they are in that frame.
    """
    tensor = as_positions(positions)
    people = _checked(tensor)
    known = ~people[..., 0, :].isnan().all(dim=-1)  # without its root, no joint is
    score = _score(confidence, tensor)
    score = torch.where(known, score.reshape(known.shape), 0)
    half, last = settings.median // 2, _last(known)
    frames = torch.arange(-half, known.shape[-1] + half, device=known.device)
    mirrored = frames.remainder(2 * last + 2)  # there and back; again and again for short tracks
    padded = score.gather(-1, torch.minimum(mirrored, 2 * last + 1 - mirrored))
    filtered = padded.unfold(-1, settings.median, 1).median(dim=-1).values
    ended = torch.minimum(_frames(known), last)
    return filtered.gather(-1, ended).reshape(tensor.shape[:-2])


def _checked(positions: torch.Tensor) -> torch.Tensor:
    """As ``(P, T, J, 3)``."""
    if positions.ndim not in (3, 4):
        raise ValueError(
            f"positions have shape {tuple(positions.shape)}, expected (T, J, 3) of one person or "
            "(P, T, J, 3) of several"
        )
    return positions.reshape(-1, *positions.shape[-3:])


def _score(confidence: Visibility, positions: torch.Tensor) -> torch.Tensor:
    """A score for each person and frame, the mean of those of its keypoints."""
    frames = positions.shape[:-2]
    if confidence is None:
        return positions.new_ones(frames)
    score = as_tensor(confidence).detach().to(positions)
    if score.shape[: len(frames)] != frames or score.ndim > len(frames) + 1 or not score.numel():
        raise ValueError(
            f"visibility has shape {tuple(score.shape)}, expected a score for each frame, "
            f"{tuple(frames)}, or for each of K keypoints, ({', '.join(map(str, frames))}, K)"
        )
    if not ((score >= 0) & (score <= 1)).all():
        raise ValueError(
            f"visibility goes from {score.min():.3g} to {score.max():.3g}, expected scores from 0, "
            "hidden, to 1 without NaN: clamp them, and give 0 where nothing was detected"
        )
    return score.mean(dim=-1) if score.ndim > len(frames) else score


def _frames(known: torch.Tensor) -> torch.Tensor:
    return torch.arange(known.shape[-1], device=known.device).expand_as(known)


def _last(known: torch.Tensor) -> torch.Tensor:
    """``(P, 1)``: the last known frame of each person."""
    return torch.where(known, _frames(known), 0).amax(dim=-1, keepdim=True)


def rows_of(positions: torch.Tensor, visibility: Visibility, settings: Settings) -> Rows:
    """The coordinates of predicted ``positions`` ``(P, T, J, 3)`` or ``(T, J, 3)``, in their
    precision."""
    people, frames, joints, _ = _checked(positions).shape
    score, gate = (track[:, None] for track in weights_of(positions, visibility, settings))
    target = coordinates(positions)
    known = ~target.isnan()
    if not known.any(dim=-1).all():
        raise unknown(*divmod((~known.any(dim=-1)).nonzero()[0].item(), 3 * joints))
    each = (people, 3 * joints, frames)
    root = torch.arange(people * 3 * joints, device=target.device) % (3 * joints) < 3
    person = torch.arange(people, device=target.device).repeat_interleave(3 * joints)
    return Rows(
        target=torch.where(known, target, 0),
        weight=torch.where(known, score.expand(each).reshape(-1, frames), 0),
        known=known,
        gate=gate.expand(each).reshape(-1, frames),
        short=_choose(root, settings.root_short, settings.pose_short, target),
        long=_choose(root, settings.root_long, settings.pose_long, target),
        track=2 * person + ~root,
    )


def weights_of(
    positions: torch.Tensor, visibility: Visibility, settings: Settings
) -> tuple[torch.Tensor, torch.Tensor]:
    """What weighs the data term, and what the long step that ends there, in each frame of each
    person of ``positions`` ``(P, T, J, 3)`` or ``(T, J, 3)``: ``(P, T)`` both. The long step ends
    with the last known frame: what pads a short track follows it and does not pull at it."""
    roots = _checked(positions)[..., 0, :]
    score = visibility_score(visibility, positions, settings).reshape(roots.shape[:-1])
    known = ~roots.isnan().all(dim=-1)
    return score, torch.where(_frames(known) <= _last(known), 1 - score, 0)


def unknown(person: int, coordinate: int) -> ValueError:
    """What to say of a person's coordinate, counted over joints, that is known in no frame."""
    return ValueError(
        f"joint {coordinate // 3} of person {person} is not known in any frame (with the root in "
        "the same frame): there is nothing to refine; leave it out"
    )


def _choose(root: torch.Tensor, here: float, elsewhere: float, like: torch.Tensor) -> torch.Tensor:
    return torch.where(root, like.new_tensor(here), like.new_tensor(elsewhere))


def root_first(root: int, joints: int) -> list[int]:
    """The joints in an order in which the root is the first."""
    if not 0 <= root < joints:
        raise ValueError(f"the root must be one of {joints} joints, got {root}")
    return [root, *(j for j in range(joints) if j != root)]


def coordinates(positions: torch.Tensor) -> torch.Tensor:
    """``(..., T, J, 3)`` as rows ``(M, T)``: root, then the other joints relative to it."""
    root = positions[..., :1, :]
    values = torch.cat([root, positions[..., 1:, :] - root], dim=-2).flatten(-2)
    return values.transpose(-1, -2).reshape(-1, positions.shape[-3])


def positions_of(values: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Rows ``(M, T)`` as positions of a shape ``(..., T, J, 3)`` again."""
    *people, frames, joints, _ = shape
    values = values.reshape(*people, 3 * joints, frames).transpose(-1, -2)
    positions = values.unflatten(-1, (joints, 3))
    root = positions[..., :1, :]
    return torch.cat([root, positions[..., 1:, :] + root], dim=-2)
