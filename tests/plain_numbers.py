"""Watches for tensors that are made of plain numbers: on a GPU a step is recorded, and such tensors
would be copied there meanwhile."""

from torch.overrides import TorchFunctionMode

_MAKERS = ("tensor", "as_tensor", "new_tensor", "from_numpy")


class PlainNumbers(TorchFunctionMode):
    """While it is entered, whatever makes such a tensor is ``found``, with the index, if any."""

    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, object]] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        index = args[1] if name == "__getitem__" else ()
        parts = index if isinstance(index, tuple) else (index,)
        if name in _MAKERS or any(isinstance(part, list) for part in parts):
            self.found.append((name, index))
        return function(*args, **(kwargs or {}))
