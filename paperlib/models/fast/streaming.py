"""The temporal model of pavllo2019 as an online predictor: one frame in, one pose out.

A causal model needs no future frames (pavllo2019, section 6.1), yet run on the last receptive field
of a video, as it was trained, it computes for each new frame what it mostly computed for the one
before. Here every layer keeps those columns of its input that its kernel will meet again, and a new
frame costs one column of every layer: each weight is used once, whatever the receptive field.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.arrays import as_tensor
from paperlib.models.fast.folding import fold, is_folded
from paperlib.models.temporal import Layer, TemporalModel


class Streaming:
    """Runs a :class:`TemporalModel` frame by frame, to the poses that a whole sequence gives.

    The sequence that the poses are equal to is padded as in testing, by repeating its first frame
    (and its last, where the model looks ahead). A causal model gives the pose of each frame at
    once; a symmetric one sees :attr:`delay` frames ahead, and its poses come so many frames late::

        stream = Streaming(model.eval())
        for keypoints in video:  # (J_in, F), in screen coordinates
            pose = stream.step(keypoints)  # (J_out, 3), or None in the first `delay` frames
        last = stream.finish()  # a list of the last `delay` poses: none, if causal

    Several people, cameras or mirror images go side by side, as ``(P, J_in, F)``.

    The weights are those of :func:`fold`, a copy: what becomes of the model afterwards changes
    nothing here. Streams of a model that is folded already share its weights, and compute in its
    precision. There are no gradients.
    """

    def __init__(self, model: TemporalModel):
        if not isinstance(model, TemporalModel):
            raise ValueError(
                f"only a TemporalModel can be streamed, got a {type(model).__name__}: a model "
                "that takes each frame alone needs no memory of the others"
            )
        if model.training:
            raise ValueError(
                "the model is in training mode, where a pose depends on its batch: call "
                "model.eval() before streaming it"
            )
        #: how many frames after its own a pose comes: 0 for a causal model
        self.delay = 0 if model.causal else model.receptive_field // 2
        self._shape = (model.config["num_joints_in"], model.config["in_features"])
        self._model = model if is_folded(model) else fold(model)
        # a look-up is quicker than a call of a layer, and a frame of a small model is quick too
        self._weights = {x: (x.conv.weight, x.conv.bias) for x in self._model.layers}
        self._memory: dict[Layer, Tensor] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the sequence: the next frame is the first of a new one, of any number of people.

        For a model with a delay, :meth:`finish` first, or its last poses are lost.
        """
        self._frame = 0
        self._newest: Tensor | None = None

    @torch.no_grad()
    def step(self, keypoints: Tensor) -> Tensor | None:
        """The next frame, ``(J_in, F)`` or ``(P, J_in, F)``, in screen coordinates, for the pose
        ``(J_out, 3)`` or ``(P, J_out, 3)`` of the frame :attr:`delay` frames before it.

        ``None`` where that would be before the sequence began. Raises ``ValueError`` for another
        shape, for another ``P`` than the first frame's, and for keypoints that are not finite;
        a frame that is refused leaves no trace.
        """
        keypoints = as_tensor(keypoints)
        self._check(keypoints)
        self._newest = keypoints.to(self._model.expand.conv.weight, copy=True)
        return self._advance()

    @torch.no_grad()
    def finish(self) -> list[Tensor]:
        """End the sequence: the poses of its last :attr:`delay` frames (of all, if it has fewer),
        with its last frame repeated for the future that they lack. Then as after :meth:`reset`."""
        poses = [self._advance() for _ in range(self.delay if self._frame else 0)]
        self.reset()
        # one that is shorter than the delay had first to come to the pose of its first frame
        return [pose for pose in poses if pose is not None]

    def _advance(self) -> Tensor | None:
        """One column of every layer, for the newest frame."""
        shape = self._newest.shape
        x = self._model.activations(self._newest.reshape(-1, shape[-2] * shape[-1]), self._column)
        self._frame += 1
        if self._frame <= self.delay:
            return None
        return self._model.shrink(x.float()).view(*shape[:-2], -1, 3)

    def _column(self, layer: Layer, column: Tensor) -> tuple[Tensor, Tensor]:
        """One column ``(P, C_in)`` through a layer, and the column that the output belongs to.

        Frames that meet under the kernel are ``dilation`` apart, so frame ``t`` goes to row
        ``t % dilation`` of the memory. A column is written to two slots of its row, ``width``
        apart: then those under the kernel always lie in one piece, oldest first, and nothing is
        ever moved.
        """
        width, dilation, frame = layer.width, layer.dilation, self._frame
        weight, bias = self._weights[layer]
        if width == 1:
            return F.relu(F.linear(column, weight, bias)), column
        if frame == 0:  # as if the first frame had been there forever
            slots = (dilation, len(column), 2 * width, column.shape[1])
            self._memory[layer] = column[:, None].expand(slots).clone()
        row, slot = self._memory[layer][frame % dilation], frame // dilation % width
        row[:, slot] = row[:, slot + width] = column
        kernel = row[:, slot + 1 : slot + 1 + width]
        return F.relu(F.linear(kernel.flatten(1), weight, bias)), kernel[:, layer.tap]

    def _check(self, keypoints: Tensor) -> None:
        joints, features = self._shape
        shape = tuple(keypoints.shape)
        if len(shape) not in (2, 3) or shape[-2:] != self._shape or 0 in shape:
            raise ValueError(
                f"expected one frame of keypoints, ({joints}, {features}) or (P, {joints}, "
                f"{features}), got {shape}"
            )
        if self._newest is not None and shape != tuple(self._newest.shape):
            raise ValueError(
                f"this sequence began with frames of {tuple(self._newest.shape)}, got {shape}: "
                "people cannot come or go within one; reset() begins another"
            )
        if not torch.isfinite(keypoints).all():
            raise ValueError(
                "keypoints hold NaN or infinite values, which would stay for a whole receptive "
                "field: repeat the last frame, or fill in what is missing"
            )
