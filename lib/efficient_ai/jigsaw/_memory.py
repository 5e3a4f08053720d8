"""What a rank really holds: sizes of tensors, taken from the tensors themselves."""

from collections.abc import Callable

import torch

from efficient_ai.jigsaw._model import WeatherMixer


def held_bytes(model: WeatherMixer, optimiser: torch.optim.Optimizer) -> dict[str, int]:
    """Bytes of weights, gradients and Adam moments of this rank, after a step."""
    moments = [t for state in optimiser.state.values() for name, t in state.items() if name != "step"]
    return {
        "weights": _size(model.parameters()),
        "gradients": _size(p.grad for p in model.parameters() if p.grad is not None),
        "Adam moments": _size(moments),
    }


def kept_bytes(model: WeatherMixer, run: Callable[[], torch.Tensor]) -> tuple[int, int]:
    """(bytes, elements of the largest tensor) kept for the backward pass of ``run``; parameters do not count, memory once."""
    parameters = {p.data_ptr() for p in model.parameters()}
    seen: dict[int, int] = {}
    largest = 0

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal largest
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            seen[storage.data_ptr()] = storage.nbytes()
            largest = max(largest, tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()  # held until the end, so that no memory is used twice
    assert result is not None
    return sum(seen.values()), largest


class Watch(torch.overrides.TorchFunctionMode):
    """Remembers the number of elements of the largest tensor that any torch function gives: proof that none is whole."""

    def __init__(self):
        super().__init__()
        self.largest, self.shape = 0, ()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor) and tensor.numel() > self.largest:
                self.largest, self.shape = tensor.numel(), tuple(tensor.shape)
        return result


def _size(tensors) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)
