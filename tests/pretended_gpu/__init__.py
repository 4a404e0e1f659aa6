"""A GPU where there is none: tensors that live in main memory and behave as if they did not.

Code that has only run on a CPU tends to mix devices unnoticed. Under :class:`PretendedGPU` PyTorch
says that there is a GPU, and tensors that are made on it, or brought there, are marked. Much of
what a real GPU would refuse is refused: arithmetic between devices, ``numpy()`` of what was not
fetched, a generator of the wrong device, a host that waits for results while a graph is recorded. A
recorded graph repeats its operations on the tensors it was recorded with, and calls no Python.
Numbers, and the types that mixed precision gives them, are those of the CPU; nothing is said of
kernels, compilers, speed or memory, of second GPUs, or of tensors that change their shape in place.
"""

import contextlib
from collections.abc import Iterator
from unittest import mock

import torch

from pretended_gpu.devices import NamedDevices
from pretended_gpu.graphs import Graph
from pretended_gpu.tensors import OnGPU, device_of
from pretended_gpu.work import Work

__all__ = ["OnGPU", "PretendedGPU"]


class PretendedGPU(contextlib.AbstractContextManager):
    """While it is entered there is a GPU, for the thread that entered it; no other may use PyTorch.

    ``waits`` counts how often the host has waited for results, ``brought`` how often it has sent
    something, ``operations`` what it has asked for one by one; ``graphs`` are those that it has
    recorded.
    """

    def __init__(self):
        self.waits = self.brought = self.operations = 0
        self.graphs: list[Graph] = []
        self.recording: Graph | None = None
        self.random_state = torch.get_rng_state()
        self._stack: contextlib.ExitStack | None = None

    def __enter__(self):
        if self._stack is not None:
            raise RuntimeError("this pretended GPU is there already")
        with contextlib.ExitStack() as stack:
            for name, stand_in in self._of_cuda().items():
                stack.enter_context(mock.patch.object(torch.cuda, name, stand_in))
            for place, name, stand_in in self._asked_by_optimizers():
                stack.enter_context(mock.patch.object(place, name, stand_in))
            stack.enter_context(mock.patch.object(torch.autocast, "__init__", _autocast()))
            name = "_group_tensors_by_device_and_dtype"
            for place in (torch.optim.Optimizer, torch.nn.utils.clip_grad):
                stack.enter_context(mock.patch.object(place, name, _grouped(getattr(place, name))))
            # a module that moves keeps its parameters, as it does on the way to a real GPU
            swaps = torch.__future__.get_swap_module_params_on_conversion()
            stack.callback(torch.__future__.set_swap_module_params_on_conversion, swaps)
            torch.__future__.set_swap_module_params_on_conversion(True)
            # gradients in this thread, whose operations are seen
            stack.enter_context(torch.autograd.set_multithreading_enabled(False))
            stack.enter_context(Work(self))
            stack.enter_context(NamedDevices(self))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        stack, self._stack = self._stack, None
        stack.close()

    def wait(self, why: str) -> None:
        """The host needs a result."""
        self._only_if_working(why)
        self.waits += 1

    def bring(self, why: str) -> None:
        """The host sends numbers."""
        self._only_if_working(why)
        self.brought += 1

    def do(self, operation, args: tuple, kwargs: dict):
        """What an operation gives; random numbers are the GPU's."""
        if torch.Tag.nondeterministic_seeded not in operation.tags:
            return operation(*args, **kwargs)
        of_host = torch.get_rng_state()
        torch.set_rng_state(self.random_state)
        try:
            return operation(*args, **kwargs)
        finally:
            self.random_state = torch.get_rng_state()
            torch.set_rng_state(of_host)

    def _only_if_working(self, why: str) -> None:
        if self.recording is not None:
            raise RuntimeError(f"operation not permitted when stream is capturing: {why}")

    def _of_cuda(self) -> dict[str, object]:
        """What ``torch.cuda`` says and does."""
        stream = self._stream()
        fixed = {"is_available": True, "device_count": 1, "current_device": 0}
        fixed |= {"get_device_capability": (9, 0), "get_device_name": "pretended GPU"}
        fixed |= {"is_bf16_supported": True, "memory_allocated": 0, "max_memory_allocated": 0}
        fixed |= dict.fromkeys(("set_device", "reset_peak_memory_stats", "empty_cache"))
        answers = {name: lambda *_, it=value, **__: it for name, value in fixed.items()}
        return answers | {
            "is_current_stream_capturing": lambda: self.recording is not None,
            "manual_seed": self._seed,
            "manual_seed_all": self._seed,
            "get_rng_state": lambda *_: self.random_state.clone(),
            "set_rng_state": self._set_random_state,
            "synchronize": lambda *_: self.wait("synchronize"),
            "Stream": lambda *_, **__: stream,
            "current_stream": lambda *_: stream,
            "stream": lambda stream: contextlib.nullcontext(),
            "CUDAGraph": lambda: Graph(self),
            "graph": self._record,
        }

    def _stream(self) -> mock.Mock:
        stream = mock.MagicMock()
        stream.synchronize = lambda: self.wait("synchronize")
        stream.is_capturing = lambda: self.recording is not None
        return stream

    def _asked_by_optimizers(self) -> list[tuple]:
        """Of which those that count their steps on the host refuse to be recorded."""
        return [
            (torch.backends.cuda, "is_built", lambda: True),
            (torch.accelerator, "current_accelerator", lambda *_, **__: torch.device("cuda")),
            (torch.accelerator, "current_stream", lambda *_: self._stream()),
        ]

    def _seed(self, seed: int) -> None:
        self.random_state = torch.Generator().manual_seed(seed).get_state()

    def _set_random_state(self, state: torch.Tensor, *_) -> None:
        self.random_state = state.clone()

    @contextlib.contextmanager
    def _record(self, graph: Graph) -> Iterator[None]:
        self.recording = graph
        self.graphs.append(graph)
        random_state = self.random_state
        try:
            yield
            graph.ready = True
        finally:
            self.recording = None
            graph.undo()
            self.random_state = random_state


def _autocast():
    """Mixed precision as it would be on a GPU, where the tensors are said to be."""
    plain = torch.autocast.__init__

    def initialise(this, device_type, *args, **kwargs):
        plain(this, "cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    return initialise


def _grouped(plain):
    """Tensors by the devices that they pretend to be on."""

    def group(tensors, *args, **kwargs):
        found = plain(tensors, *args, **kwargs)
        return {(device_of(kept[0][0][0]), kind): kept for (_, kind), kept in found.items()}

    return staticmethod(group)
