"""Training by several processes, one to a GPU, as ``torchrun`` starts them.

Every process holds the data and takes its share of each batch; batch norm and gradients are those
of the whole batch, so that the number of processes changes nothing but the time. Without
``torchrun`` all of this does nothing.
"""

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn


@contextmanager
def joined(device: str = "auto") -> Iterator[None]:
    """Join the processes that ``torchrun`` started beside this one; leave them at the end."""
    if "WORLD_SIZE" not in os.environ or distributed.is_initialized():
        yield
        return
    # Imported for the first time by processes that have joined (PyTorch's optimisers do so), this
    # module keeps the group in its default arguments. Its threads then outlive the leaving, and a
    # thread that lets go of a tensor while Python ends takes the process down with it.
    importlib.import_module("torch.distributed.nn")
    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def count() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def share(examples: Tensor) -> Tensor:
    """This process's part of a batch."""
    return examples[rank() :: count()]


def sum_(values: Tensor) -> Tensor:
    """The sum over all processes, in place."""
    if count() > 1:
        distributed.all_reduce(values)
    return values


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Add up each parameter's gradients, all in one message."""
    if count() > 1:
        gradients = [p.grad for p in parameters if p.grad is not None]
        whole = sum_(torch.cat([g.flatten() for g in gradients]))
        parts = whole.split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether the flag is up in any process; all must ask at the same time."""
    return sum_(torch.tensor(float(flag), device=device)).item() > 0 if count() > 1 else flag


def all_wait() -> None:
    """Until every process is here."""
    if count() > 1:
        distributed.barrier()
