"""Three ways to spend the same time: wait, move memory, multiply matrices."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from efficient_ai.metering import Measurement, Source, measure

NAMES = ("sleep", "copy, 1 thread", "product, 1 thread", "product, all threads")


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Torch works with ``n`` threads inside, and as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def kernel(name: str, device: str = "cpu") -> tuple[Callable[[], object], int]:
    """One short piece of a kernel, and the threads it is to use (0: all).

    Raises:
        ValueError: an unknown name.
    """
    if name == "sleep":
        return lambda: time.sleep(0.01), 1
    if name == "copy, 1 thread":
        source = torch.zeros(8_000_000, device=device)
        target = torch.empty_like(source)
        return lambda: target.copy_(source), 1
    if name in ("product, 1 thread", "product, all threads"):
        a = torch.randn(512, 512, device=device, generator=torch.Generator(device).manual_seed(0))
        out = torch.empty_like(a)
        return lambda: torch.mm(a, a, out=out), 1 if "1 thread" in name else 0
    raise ValueError(f"no kernel {name!r}; there are {', '.join(NAMES)}")


def run(
    name: str, seconds: float, source: Source | None = None, cores: float = 2, device: str = "cpu"
) -> Measurement:
    """Repeat a kernel for ``seconds`` of wall time, after a warm-up, and measure it."""
    piece, wanted = kernel(name, device)
    with threads(wanted or max(1, int(cores))):
        piece()
        with measure(name, source=source, period=1.0) as meter:
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                piece()
    return meter.measurement
