"""What is done: every operation, with the devices of its tensors."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from pretended_gpu.tensors import HOST, OnGPU, device_of, inner, is_gpu, outer

aten = torch.ops.aten
_COPIES = (aten._to_copy.default, aten.copy_.default)
_INDEXED = (aten.index.Tensor, aten._unsafe_index.Tensor)
_INDEX_PUT = (aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
_LOOKS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
# the host looks whether all went well
_CHECKED = ("_linalg_check_errors", "_linalg_eigh", "_linalg_svd")
# besides pointwise operations, these take a single number of the host beside a GPU's tensors, and
# of the pointwise ones these do not
_TAKE_NUMBERS = ("index_put", "_index_put_impl", "fill", "where")
_TAKE_NONE = ("addcmul", "addcdiv")


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
        if any(isinstance(x, torch.Generator) for x in tree_leaves((args, kwargs))):
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        hosts = [t for t in tensors if not isinstance(t, OnGPU)]
        if mine:  # else something is made like the host's
            self._check(operation, args, kwargs, tensors, hosts)
        self.gpu.operations += 1
        args, kwargs = tree_map(inner, (args, kwargs))
        if self.gpu.recording is None:
            found = self.gpu.do(operation, args, kwargs)
        else:
            found = self.gpu.recording.record(operation, args, kwargs, hosts)
        if hosts and found is hosts[0]:
            return found
        return tree_map(lambda value: outer(value, mine), found)

    def _check(self, operation, args, kwargs, tensors, hosts) -> None:
        """Raise where a GPU would, and count where the host waits or sends."""
        if torch.Tag.inplace_view in operation.tags:
            raise NotImplementedError(f"{operation} on a pretended GPU")
        name = _name(operation)
        onto_host = name in ("copy", "fill") and bool(hosts) and tensors[0] is hosts[0]
        if onto_host:
            self.gpu.wait(f"{operation} to the host")
            return
        if operation in _COPIES:
            if hosts:
                self.gpu.bring(f"{operation} from the host")
            return
        if operation in _INDEXED or operation in _INDEX_PUT:
            hosts = self._check_index(operation, args, hosts)
        elif name in _CHECKED or not _LOOKS.isdisjoint(operation.tags):
            if kwargs.get("output_size") is None:
                self.gpu.wait(str(operation))
        single = [t for t in hosts if t.dim() == 0]
        written = operation._schema.is_mutable and any(tensors[0] is t for t in hosts)
        if len(single) < len(hosts) or written or not _takes(operation, single, args):
            kinds = ", ".join(f"{device_of(t)} {tuple(t.shape)}" for t in tensors[:6])
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but {operation} got {kinds}"
            )

    def _check_index(self, operation, args, hosts) -> list[torch.Tensor]:
        """The host may say which rows are meant; gives what else there is of it."""
        chosen = [t for t in tree_leaves(args[1]) if isinstance(t, torch.Tensor)]
        masks = [t for t in chosen if t.dtype in (torch.bool, torch.uint8)]
        if not isinstance(args[0], OnGPU):
            return hosts
        rest = [t for t in hosts if all(t is not c for c in chosen)]
        put = operation in _INDEX_PUT
        accumulates = put and len(args) > 3 and args[3]
        fills = put and len(chosen) == len(masks) == 1 and args[2].numel() == 1
        if fills and not accumulates and isinstance(masks[0], OnGPU):
            return rest  # done without looking what the mask marks
        if masks:
            self.gpu.wait(f"{operation} by a mask")
        if len(rest) < len(hosts) or (put and rest):
            self.gpu.bring(f"{operation} by the host's numbers")
        return rest


def _name(operation) -> str:
    return operation._schema.name.removeprefix("aten::").rstrip("_")


def _takes(operation, single: list[torch.Tensor], args: tuple) -> bool:
    """Whether it takes the host's single numbers, if there are any."""
    name = _name(operation)
    if not single:
        return True
    if name == "masked_fill":
        return args[1] is not single[0]
    pointwise = torch.Tag.pointwise in operation.tags and name not in _TAKE_NONE
    return pointwise or name in _TAKE_NUMBERS
