"""What measuring costs: the processor time of a sampler, beside a process that otherwise sleeps."""

import time

from efficient_ai.metering import Source, measure


def share(source: Source, hertz: float | None, seconds: float) -> float:
    """Processor time of this process per second of wall time while it sleeps and a sampler reads ``hertz`` times a second.

    Args:
        hertz: ``None`` for no sampler at all: what the process uses anyway.
    """
    if hertz is None:
        before = time.process_time()
        time.sleep(seconds)
        return (time.process_time() - before) / seconds
    with measure("overhead", source=source, period=1 / hertz):
        before = time.process_time()
        time.sleep(seconds)
        used = time.process_time() - before
    return used / seconds


def paired(source: Source, hertz: float, work, repeats: int) -> list[float]:
    """Processor time of ``work()`` with the sampler over that without, minus one, one value per pair in turn."""
    ratios = []
    for _ in range(repeats):
        before = time.process_time()
        work()
        alone = time.process_time() - before
        with measure("overhead", source=source, period=1 / hertz):
            before = time.process_time()
            work()
            beside = time.process_time() - before
        ratios.append(beside / alone - 1)
    return ratios
