"""What everything is measured against: the model written the usual way.

``Conv1d`` modules over ``(B, C, T)``, one class for training (strided) and one for whole sequences
(dilated), float32, batches put together sample by sample in NumPy, and the loss read back after
every step. So the public implementations do it; the design is theirs, the text is ours.
"""

import numpy as np
import torch
from torch import Tensor, nn

from paperlib.models import TemporalModel


class Reference(nn.Module):
    """``(B, T, J_in, F)`` -> ``(B, T', J_out, 3)``, by strided or by dilated convolutions."""

    def __init__(self, joints, features, joints_out, widths, channels, dropout, strided):
        super().__init__()
        self.joints_out, self.widths, self.strided = joints_out, widths, strided
        first = {"stride": widths[0]} if strided else {}
        self.expand_conv = nn.Conv1d(joints * features, channels, widths[0], bias=False, **first)
        self.expand_bn = nn.BatchNorm1d(channels)
        self.drop, self.relu = nn.Dropout(dropout), nn.ReLU(inplace=True)
        convs, norms, reach = [], [], widths[0]
        for width in widths[1:]:
            step = {"stride": width} if strided else {"dilation": reach}
            convs += [
                nn.Conv1d(channels, channels, width, bias=False, **step),
                nn.Conv1d(channels, channels, 1, bias=False),
            ]
            norms += [nn.BatchNorm1d(channels), nn.BatchNorm1d(channels)]
            reach *= width
        self.convs, self.norms = nn.ModuleList(convs), nn.ModuleList(norms)
        self.shrink = nn.Conv1d(channels, joints_out * 3, 1)

    def forward(self, keypoints: Tensor) -> Tensor:
        x = keypoints.flatten(2).permute(0, 2, 1)
        x = self.drop(self.relu(self.expand_bn(self.expand_conv(x))))
        reach = self.widths[0]
        for i, width in enumerate(self.widths[1:]):
            if self.strided:
                kept = x[:, :, width // 2 :: width]
            else:
                cut = (width - 1) * reach // 2
                kept = x[:, :, cut : x.shape[2] - cut]
            for layer in (2 * i, 2 * i + 1):
                x = self.drop(self.relu(self.norms[layer](self.convs[layer](x))))
            x = kept + x
            reach *= width
        return self.shrink(x).permute(0, 2, 1).unflatten(2, (self.joints_out, 3))

    @classmethod
    def of(cls, model: TemporalModel, strided: bool) -> "Reference":
        """The same network with the same weights."""
        c = model.config
        twin = cls(
            c["num_joints_in"],
            c["in_features"],
            c["num_joints_out"],
            c["filter_widths"],
            c["channels"],
            c["dropout"],
            strided,
        )
        convs, norms = [twin.expand_conv, *twin.convs], [twin.expand_bn, *twin.norms]
        with torch.no_grad():
            for layer, twin_conv, twin_norm in zip(model.layers, convs, norms, strict=True):
                weight = layer.conv.weight.unflatten(1, (layer.width, -1))
                twin_conv.weight.copy_(weight.permute(0, 2, 1))
                twin_norm.load_state_dict(layer.norm.state_dict())
            twin.shrink.weight.copy_(model.shrink.weight[:, :, None])
            twin.shrink.bias.copy_(model.shrink.bias)
        return twin.to(model.shrink.weight.device)


class Batches:
    """Windows of NumPy sequences, cut and padded one sample after the other."""

    def __init__(self, keypoints: list, poses: list, receptive_field: int, mirrored, seed: int = 0):
        self.keypoints, self.poses, self.mirrored = keypoints, poses, mirrored
        self.pad = (receptive_field - 1) // 2
        self.random = np.random.RandomState(seed)
        self.pairs = [
            (s, t, flip)
            for s, poses_ in enumerate(poses)
            for t in range(len(poses_))
            for flip in (False, True)
        ]

    def batches(self, size: int):
        for _ in range(0, len(self.pairs), size):
            # drawn as needed, so that a short measurement does not shuffle millions
            chosen = self.random.randint(len(self.pairs), size=size)
            yield self._batch([self.pairs[i] for i in chosen])

    def _batch(self, pairs):
        length, joints, features = 2 * self.pad + 1, *self.keypoints[0].shape[1:]
        inputs = np.empty((len(pairs), length, joints, features), np.float32)
        poses = np.empty((len(pairs), 1, *self.poses[0].shape[1:]), np.float32)
        for i, (s, t, flip) in enumerate(pairs):
            sequence = self.keypoints[s]
            low, high = t - self.pad, t + self.pad + 1
            left, right = max(low, 0), min(high, len(sequence))
            window = sequence[left:right]
            if left > low or right < high:
                ends = ((left - low, high - right), (0, 0), (0, 0))
                window = np.pad(window, ends, "edge")
            inputs[i], poses[i, 0] = window, self.poses[s][t]
            if flip:
                inputs[i] = inputs[i][:, self.mirrored]
                inputs[i, :, :, 0] *= -1
                poses[i] = poses[i][:, self.mirrored]
                poses[i, :, :, 0] *= -1
        return torch.from_numpy(inputs), torch.from_numpy(poses)


def train_step(model: Reference, optimizer, inputs: Tensor, poses: Tensor) -> float:
    device = model.shrink.weight.device
    inputs, poses = inputs.to(device), poses.to(device)
    poses[:, :, 0] = 0
    optimizer.zero_grad()
    loss = torch.mean(torch.norm(model(inputs) - poses, dim=-1))
    value = loss.item() * len(inputs)
    loss.backward()
    optimizer.step()
    return value
