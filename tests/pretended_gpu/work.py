"""What is done: every operation, with the devices of its tensors."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from pretended_gpu.tensors import HOST, OnGPU, device_of, inner, is_gpu, outer

aten = torch.ops.aten
_COPIES = (aten._to_copy.default, aten.copy_.default)
_BY_INDEX = (
    aten.index.Tensor, aten._unsafe_index.Tensor, aten.index_put.default, aten.index_put_.default,
    aten._index_put_impl_.default,
)  # fmt: skip
_LOOKS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
# besides pointwise operations, these take a single number of the host beside a GPU's tensors
_TAKES_NUMBERS = ("index_put", "_index_put_impl", "fill", "where", "masked_fill")


class Work(TorchDispatchMode):
    def __init__(self, gpu):
        super().__init__()
        self.gpu = gpu

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        mine = {id(t.inner): t for t in tensors if isinstance(t, OnGPU)}
        made_there = is_gpu(kwargs.get("device"))
        if not mine and not made_there:
            return operation(*args, **kwargs)
        if made_there:
            kwargs["device"] = HOST
        hosts = [t for t in tensors if not isinstance(t, OnGPU)]
        self._check(operation, args, tensors, hosts)
        self.gpu.operations += 1
        args, kwargs = tree_map(inner, (args, kwargs))
        if self.gpu.recording is None:
            found = operation(*args, **kwargs)
        else:
            found = self.gpu.recording.record(operation, args, kwargs, hosts)
        if operation is aten.copy_.default and hosts and tensors[0] is hosts[0]:
            return found
        return tree_map(lambda value: outer(value, mine), found)

    def _check(self, operation, args, tensors, hosts) -> None:
        """Raise where a GPU would, and count where the host waits or sends."""
        if operation in _COPIES:
            if hosts:
                fetched = operation is aten.copy_.default and tensors[0] is hosts[0]
                (self.gpu.wait if fetched else self.gpu.bring)(f"{operation} between devices")
            return
        if operation in _BY_INDEX:
            chosen = [t for t in tree_leaves(args[1]) if isinstance(t, torch.Tensor)]
            if any(t.dtype in (torch.bool, torch.uint8) for t in chosen):
                self.gpu.wait(f"{operation} by a mask")
            if isinstance(args[0], OnGPU):  # the host may say which rows are meant
                hosts = [t for t in hosts if all(t is not c for c in chosen)]
        elif not _LOOKS.isdisjoint(operation.tags):
            self.gpu.wait(str(operation))
        single = [t for t in hosts if t.dim() == 0]
        written = operation._schema.is_mutable and any(tensors[0] is t for t in hosts)
        if len(single) < len(hosts) or written or (single and not _takes_numbers(operation)):
            kinds = ", ".join(f"{device_of(t)} {tuple(t.shape)}" for t in tensors[:6])
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but {operation} got {kinds}"
            )


def _takes_numbers(operation) -> bool:
    name = operation._schema.name.removeprefix("aten::").rstrip("_")
    return torch.Tag.pointwise in operation.tags or name in _TAKES_NUMBERS
