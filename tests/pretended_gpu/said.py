"""What is said in Python: the devices that are asked for, and those that are told."""

import torch
from torch.overrides import TorchFunctionMode

from pretended_gpu.tensors import BOUND, GPU, HOST, Bring, Fetch, OnGPU, device_of, is_gpu

_MOVES = (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda)
_OF_VALUES = (torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor)
_TOLD = {"device": GPU, "is_cuda": True, "is_cpu": False}


class Said(TorchFunctionMode):
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
        if mine is not None:
            if name == "__get__":
                asked = getattr(getattr(function, "__self__", None), "__name__", "")
                return _TOLD[asked] if asked in _TOLD else function(*args, **kwargs)
            if name in ("numpy", "__array__"):
                raise TypeError("can't convert cuda:0 device type tensor to numpy; use cpu() first")
            if name in _ASKED:
                return _ASKED[name](self, mine)
            if name.startswith("new_"):
                kwargs.setdefault("device", GPU)
        if is_gpu(kwargs.get("device")):
            if kwargs.get("generator") is not None:
                raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
            kwargs["device"] = BOUND
        return function(*args, **kwargs)

    def _of_values(self, function, args, kwargs):
        """Tensors of Python's numbers are made by the host."""
        if function is torch.Tensor.new_tensor:
            like, *args = args
            function = torch.tensor
            kwargs = {"dtype": like.dtype, "device": device_of(like), **kwargs}
        where = kwargs.pop("device", None)
        a_leaf = kwargs.pop("requires_grad", False)
        made = function(*args, **kwargs)
        if where is not None:
            made = self._moved(torch.Tensor.to, (made, where), {})
        return made.requires_grad_() if a_leaf else made

    def _moved(self, function, args, kwargs):
        """``to``, ``cpu`` and ``cuda``."""
        tensor, *args = args
        where = {"cpu": HOST, "cuda": GPU}.get(function.__name__)
        if where is not None:
            args, kwargs = [], {}
        kinds = []
        for value in args:
            if isinstance(value, torch.Tensor):
                where = device_of(value)
                kinds.append(value.dtype)
            elif isinstance(value, str | torch.device):
                where = torch.device(value)
            elif isinstance(value, torch.dtype):
                kinds.append(value)
        where = kwargs.pop("device", None) or where
        kwargs.pop("non_blocking", None)
        found = torch.Tensor.to(tensor, *kinds, **kwargs) if kinds or kwargs else tensor
        if where is None or is_gpu(where) == isinstance(found, OnGPU):
            return found
        if is_gpu(where):
            self.gpu.bring("a copy from the host")
            return Bring.apply(found)
        return self._fetched(found)

    def _fetched(self, tensor: OnGPU) -> torch.Tensor:
        self.gpu.wait("a copy to the host")
        return Fetch.apply(tensor)


_ASKED = {
    "tolist": lambda said, tensor: said._fetched(tensor.detach()).tolist(),
    "data_ptr": lambda said, tensor: tensor.inner.data_ptr(),
    "get_device": lambda said, tensor: GPU.index,
    "__repr__": lambda said, tensor: f"{tensor.inner!r} on {GPU}",
}
