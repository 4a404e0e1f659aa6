"""The Temporal PoseNet of veges2020 (3.1, figure 2): where a person is, and in what pose."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paperlib.models.arguments import checked
from paperlib.models.temporal import TemporalModel


def absolute(answer: Tensor, root: int) -> Tensor:
    """Camera-space positions ``(…, J, 3)`` in metres of an answer: joints relative to the root,
    and in the root's row its X, Y and log Z."""
    place = answer[..., root : root + 1, :]
    place = torch.cat([place[..., :2], place[..., 2:].exp()], dim=-1)
    only_root = torch.arange(answer.shape[-2], device=answer.device)[:, None] == root
    return torch.where(only_root, place, answer + place)


class TemporalPoseNet(nn.Module):
    """Features of a track to absolute positions: ``(B, T, J_in, 3)`` -> ``(B, T - R + 1, J_out,
    3)`` in metres, camera space.

    A :class:`TemporalModel` of 81 frames, three residual modules, between standardised inputs
    (:func:`paperlib.windows.track_features`) and standardised answers
    (:func:`paperlib.windows.track_targets`). The means and deviations come from the training data,
    through :meth:`standardised_by`, and are kept with the weights. ``root`` is the row of the root
    among the J_out joints. ``options`` are those of :class:`TemporalModel`.
    """

    causal = False

    def __init__(
        self,
        num_joints_in: int,
        num_joints_out: int,
        filter_widths: Sequence[int] = (3, 3, 3, 3),
        root: int = 0,
        **options,
    ):
        super().__init__()
        self.temporal = TemporalModel(num_joints_in, 3, num_joints_out, filter_widths, **options)
        self.config = checked(self.temporal.config | {"root": root})
        del self.config["in_features"]  # they are always three
        if root >= num_joints_out:
            raise ValueError(f"the root must be one of {num_joints_out} joints, got row {root}")
        self.root, self.receptive_field = root, self.temporal.receptive_field
        shapes = {"input": num_joints_in, "output": num_joints_out}
        for name, joints in shapes.items():
            self.register_buffer(f"{name}_mean", torch.zeros(joints, 3))
            self.register_buffer(f"{name}_std", torch.ones(joints, 3))

    def standardised_by(
        self, input_mean: Tensor, input_std: Tensor, output_mean: Tensor, output_std: Tensor
    ) -> "TemporalPoseNet":
        """This network, with the means and deviations ``(J, 3)`` of its training data."""
        self.input_mean.copy_(input_mean)
        self.input_std.copy_(input_std)
        self.output_mean.copy_(output_mean)
        self.output_std.copy_(output_std)
        return self

    def forward(self, features: Tensor) -> Tensor:
        answer = self.answer(features).float() * self.output_std + self.output_mean
        return absolute(answer, self.root)

    def answer(self, features: Tensor) -> Tensor:
        """What is learnt: the standardised answer, ``(B, T - R + 1, J_out, 3)``."""
        self.temporal.check(features)
        return self.temporal((features - self.input_mean) / self.input_std)

    def standardise(self, answers: Tensor) -> Tensor:
        """Answers ``(…, J_out, 3)`` of :func:`paperlib.windows.track_targets` as :meth:`answer`
        should give them."""
        return (answers - self.output_mean) / self.output_std
