"""Tensors in a pretended GPU's memory."""

import torch

GPU = torch.device("cuda", 0)
HOST = torch.device("cpu")
# What stands for the GPU below Python, where PyTorch was built without one. To the C++ half of
# PyTorch the tensors themselves are the host's
BOUND = torch.device("meta")


class OnGPU(torch.Tensor):
    """A tensor in the GPU's memory; what it holds is ``inner``."""

    inner: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: torch.Tensor):
        place = {"strides": inner.stride(), "storage_offset": inner.storage_offset()}
        make = torch.Tensor._make_wrapper_subclass
        tensor = make(cls, inner.shape, dtype=inner.dtype, **place)
        tensor.inner = inner
        return tensor

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        raise RuntimeError(f"{operation} of a tensor whose pretended GPU was left, or elsewhere")


class Fetch(torch.autograd.Function):
    """From the GPU to the host; the gradient goes the other way."""

    @staticmethod
    def forward(ctx, tensor: OnGPU, gpu) -> torch.Tensor:
        ctx.gpu = gpu
        gpu.wait("a copy to the host")
        return tensor.inner.clone()

    @staticmethod
    def backward(ctx, gradient):
        return Bring.apply(gradient, ctx.gpu), None


class Bring(torch.autograd.Function):
    """From the host to the GPU; the gradient goes the other way."""

    @staticmethod
    def forward(ctx, tensor: torch.Tensor, gpu) -> OnGPU:
        ctx.gpu = gpu
        gpu.bring("a copy from the host")
        return OnGPU(tensor.clone())

    @staticmethod
    def backward(ctx, gradient):
        return Fetch.apply(gradient, ctx.gpu), None


def device_of(tensor: torch.Tensor) -> torch.device:
    return GPU if isinstance(tensor, OnGPU) else HOST


def is_gpu(device) -> bool:
    """Whether a device, or the name or number of one, or None, is the GPU."""
    if device is None:
        return False
    device = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
    if device.type == GPU.type and device.index:
        raise RuntimeError(f"CUDA error: invalid device ordinal: {device}")
    return device.type in (GPU.type, BOUND.type)


def inner(value):
    return value.inner if isinstance(value, OnGPU) else value


def outer(value, known: dict[int, OnGPU]):
    """What an operation gave, on the GPU; ``known`` are its own tensors by what they hold."""
    if not isinstance(value, torch.Tensor):
        return value
    return known[id(value)] if id(value) in known else OnGPU(value)
