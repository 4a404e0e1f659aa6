"""Work that is recorded instead of done."""

from dataclasses import dataclass, field

import torch
from torch.utils._pytree import tree_leaves, tree_map


@dataclass
class Graph:
    """Operations, to be done again with the same tensors as often as one likes."""

    tape: list[tuple] = field(default_factory=list)
    overwritten: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)

    def record(self, operation, args: tuple, kwargs: dict, hosts: list[torch.Tensor]):
        """What the operation gives; numbers of the host are kept as they are now."""

        def now(value):
            return value.clone() if any(value is host for host in hosts) else value

        args, kwargs = tree_map(now, (args, kwargs))
        for argument in operation._schema.arguments:
            if argument.alias_info is not None and argument.alias_info.is_write:
                place = operation._schema.arguments.index(argument)
                given = args[place] if place < len(args) else kwargs.get(argument.name)
                for tensor in tree_leaves(given):
                    if isinstance(tensor, torch.Tensor):
                        self.overwritten.append((tensor, tensor.clone()))
        found = operation(*args, **kwargs)
        self.tape.append((operation, args, kwargs, found))
        return found

    def restore(self) -> None:
        """Recording does no work: all is as it was before."""
        for tensor, before in reversed(self.overwritten):
            tensor.copy_(before)
        self.overwritten.clear()

    def replay(self) -> None:
        for operation, args, kwargs, then in self.tape:
            now = operation(*args, **kwargs)
            for old, new in zip(tree_leaves(then), tree_leaves(now), strict=True):
                if isinstance(old, torch.Tensor) and old is not new:
                    old.copy_(new)
