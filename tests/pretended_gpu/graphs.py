"""Work that is recorded instead of done."""

from dataclasses import dataclass, field

import torch
from torch.utils._pytree import tree_leaves, tree_map

# these write their running statistics, and do not say so
_BATCH_NORM = ("aten::native_batch_norm", "aten::_batch_norm_with_update")


@dataclass
class Graph:
    """Operations, to be done again with the same tensors as often as one likes."""

    gpu: object
    ready: bool = False
    tape: list[tuple] = field(default_factory=list)
    overwritten: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    made: dict[int, torch.Tensor] = field(default_factory=dict)

    def record(self, operation, args: tuple, kwargs: dict, hosts: list[torch.Tensor]):
        """What the operation gives; numbers of the host are kept as they are now."""

        def now(value):
            return value.clone() if any(value is host for host in hosts) else value

        args, kwargs = tree_map(now, (args, kwargs))
        for tensor in tree_leaves(_written(operation, args, kwargs)):
            if isinstance(tensor, torch.Tensor):
                self.overwritten.append((tensor, tensor.clone()))
        found = self.gpu.do(operation, args, kwargs)
        self.tape.append((operation, args, kwargs, found))
        known = {_memory(t) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        for tensor in tree_leaves(found):
            if isinstance(tensor, torch.Tensor) and _memory(tensor) not in known:
                self.made[_memory(tensor)] = tensor
        return found

    def undo(self) -> None:
        """Recording does no work: what was there is as it was, and what was made holds nothing."""
        for tensor, before in reversed(self.overwritten):
            tensor.copy_(before)
        for tensor in self.made.values():
            if tensor.is_floating_point():
                tensor.fill_(float("nan"))
        self.overwritten.clear()

    def replay(self) -> None:
        if not self.ready:
            raise RuntimeError("a graph that was not recorded to its end cannot be replayed")
        for operation, args, kwargs, then in self.tape:
            now = self.gpu.do(operation, args, kwargs)
            for old, new in zip(tree_leaves(then), tree_leaves(now), strict=True):
                if isinstance(old, torch.Tensor) and old is not new:
                    old.copy_(new)


def _written(operation, args: tuple, kwargs: dict) -> list:
    """The arguments that an operation writes into."""
    if operation._schema.name in _BATCH_NORM:
        return list(args[3:5])
    found = []
    for place, argument in enumerate(operation._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found.append(args[place] if place < len(args) else kwargs.get(argument.name))
    return found


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
