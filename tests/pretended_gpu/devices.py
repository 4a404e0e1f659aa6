"""Devices as Python code names them: those that it asks for, and those that it reads."""

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from pretended_gpu.tensors import BOUND, GPU, HOST, Bring, Fetch, OnGPU, device_of, is_gpu

_MOVES = (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda, torch.Tensor.type_as)
_OF_VALUES = (torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor)
_DEVICE_FIELDS = {"device": GPU, "is_cuda": True, "is_cpu": False}


class NamedDevices(TorchFunctionMode):
    def __init__(self, gpu):
        self.gpu = gpu

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        mine = args[0] if args and isinstance(args[0], OnGPU) else None
        name = getattr(function, "__name__", "")
        if function in _MOVES:
            return self._moved(function, args, kwargs)
        if function in _OF_VALUES:
            return self._of_values(function, args, kwargs)
        if name == "__set__":
            return self._set(function, args)
        if mine is not None:
            if name == "__get__":
                asked = getattr(getattr(function, "__self__", None), "__name__", "")
                if asked in _DEVICE_FIELDS:
                    return _DEVICE_FIELDS[asked]
                return function(*args, **kwargs)
            if name in _REFUSED and not kwargs.get("force"):
                raise TypeError("can't convert cuda:0 device type tensor to numpy; use cpu() first")
            if name in _ASKED:
                return _ASKED[name](self, mine, *args[1:])
        if mine is not None and (name.startswith("new_") or name.endswith("_like")):
            where = kwargs.get("device", GPU)
            if not is_gpu(where):
                return function(mine.inner, *args[1:], **kwargs)
            kwargs["device"] = where
        if is_gpu(kwargs.get("device")):
            kwargs["device"] = BOUND
        return function(*args, **kwargs)

    def _set(self, function, args):
        """``tensor.grad = …`` and ``tensor.data = …``."""
        name = getattr(getattr(function, "__self__", None), "__name__", "")
        tensor, value = args
        if isinstance(value, torch.Tensor) and device_of(tensor) != device_of(value):
            raise RuntimeError(
                f"attempting to assign {name} with device type '{device_of(value).type}' to a "
                f"tensor with device type '{device_of(tensor).type}'"
            )
        found = function(*args)
        if name == "data" and isinstance(tensor, OnGPU):
            tensor.inner = value.inner
        return found

    def _of_values(self, function, args, kwargs):
        """Tensors of Python's numbers are made by the host."""
        if function is torch.Tensor.new_tensor:
            like, *args = args
            function = torch.tensor
            kwargs = {"dtype": like.dtype, "device": device_of(like), **kwargs}
        elif isinstance(args[0], OnGPU):
            kwargs.setdefault("device", GPU)
        args = tree_map(lambda x: self.fetched(x) if isinstance(x, OnGPU) else x, tuple(args))
        where = kwargs.pop("device", None)
        a_leaf = kwargs.pop("requires_grad", False)
        made = function(*args, **kwargs)
        if where is not None:
            made = self._moved(torch.Tensor.to, (made, where), {})
        return made.requires_grad_() if a_leaf else made

    def _moved(self, function, args, kwargs):
        """``to``, ``cpu``, ``cuda`` and ``type_as``."""
        tensor, *args = args
        where = {"cpu": HOST, "cuda": GPU}.get(function.__name__)
        if where is not None:
            args, kwargs = [], {}
        if "other" in kwargs:
            args.append(kwargs.pop("other"))
        kinds = []
        for value in args:
            if isinstance(value, torch.Tensor):
                where = device_of(value)
                kinds.append(value.dtype)
            elif isinstance(value, str | torch.device | int) and not isinstance(value, bool):
                where = value
            elif isinstance(value, torch.dtype):
                kinds.append(value)
        where = kwargs.pop("device", None) or where
        kwargs.pop("non_blocking", None)
        found = torch.Tensor.to(tensor, *kinds, **kwargs) if kinds or kwargs else tensor
        if where is None or is_gpu(where) == isinstance(found, OnGPU):
            return found
        return Bring.apply(found, self.gpu) if is_gpu(where) else self.fetched(found)

    def fetched(self, tensor: OnGPU) -> torch.Tensor:
        return Fetch.apply(tensor, self.gpu)


_REFUSED = ("numpy", "__array__", "__dlpack__")
_ASKED = {
    "numpy": lambda mode, tensor, *_: mode.fetched(tensor.detach()).numpy(),
    "tolist": lambda mode, tensor: mode.fetched(tensor.detach()).tolist(),
    "data_ptr": lambda mode, tensor: tensor.inner.data_ptr(),
    "get_device": lambda mode, tensor: GPU.index,
    "share_memory_": lambda mode, tensor: tensor,
    "__format__": lambda mode, tensor, how: format(mode.fetched(tensor.detach()), how),
    "__repr__": lambda mode, tensor, *_: f"{mode.fetched(tensor.detach())!r} on {GPU}",
}
