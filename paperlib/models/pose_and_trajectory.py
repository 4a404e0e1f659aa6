"""Pose and trajectory, for semi-supervised training (pavllo2019, section 4, figure 3): by the
paper's two networks, or by one."""

from torch import Tensor, nn

from paperlib.models.arguments import checked
from paperlib.models.temporal import TemporalModel


class PoseAndTrajectory(nn.Module):
    """A :class:`TemporalModel` for the pose, relative to the root, and a second one of the same
    shape for where the root is in camera space.

    The two share no weights: trained as one network they were found to harm each other. Called,
    it gives the poses alone, ``(B, T, J_in, F)`` -> ``(B, T - R + 1, J_out, 3)``, and is tested
    like any other model; :attr:`trajectory` gives ``(B, T - R + 1, 1, 3)``, absolute metres.
    ``options`` are those of :class:`TemporalModel`.
    """

    def __init__(self, num_joints_in: int, in_features: int, num_joints_out: int, **options):
        super().__init__()
        self.pose = TemporalModel(num_joints_in, in_features, num_joints_out, **options)
        self.trajectory = TemporalModel(num_joints_in, in_features, 1, **options)
        self.config = self.pose.config
        self.causal, self.receptive_field = self.pose.causal, self.pose.receptive_field

    def forward(self, keypoints: Tensor) -> Tensor:
        return self.pose(keypoints)

    def both(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Poses ``(B, T - R + 1, J_out, 3)`` and trajectory ``(B, T - R + 1, 1, 3)``, metres, of
        the same keypoints ``(B, T, J_in, F)``."""
        return self.pose(keypoints), self.trajectory(keypoints)


class SharedPoseAndTrajectory(nn.Module):
    """What :class:`PoseAndTrajectory` gives, from **one** :class:`TemporalModel` whose last layer
    has a joint more: the root in camera space. Both tasks share all weights but those of that
    layer. Called, it gives the poses alone, and :attr:`trajectory` the root, in the shapes of
    :class:`PoseAndTrajectory`. The paper (pavllo2019, section 4) found this worse, and prints no
    number for it. ``options`` are those of :class:`TemporalModel`.
    """

    def __init__(self, num_joints_in: int, in_features: int, num_joints_out: int, **options):
        super().__init__()
        own = checked({"num_joints_out": num_joints_out})
        self.network = TemporalModel(num_joints_in, in_features, num_joints_out + 1, **options)
        self.config = self.network.config | own
        self.causal, self.receptive_field = self.network.causal, self.network.receptive_field

    def both(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`PoseAndTrajectory.both`, by one pass through the network."""
        found = self.network(keypoints)
        return found[:, :, :-1], found[:, :, -1:]

    def forward(self, keypoints: Tensor) -> Tensor:
        return self.both(keypoints)[0]

    def trajectory(self, keypoints: Tensor) -> Tensor:
        """Where the root is: ``(B, T - R + 1, 1, 3)``, metres, in camera space."""
        return self.both(keypoints)[1]
