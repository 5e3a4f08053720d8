"""What sampling does to an energy: the same trace read as a counter, and as power by three rules."""

import math
from collections.abc import Sequence

import numpy as np

from efficient_ai.metering import Series, Trace, Window
from efficient_ai.metering._integrate import cumulative

RULES = ("counter", "trapezoid", "left rule", "counter as power, first doubled")
"""The last one is how perun 1.0.0 integrates a counter: power of each interval, the first value doubled, trapezoid."""


def stamps(trace: Trace, step: float, phase: float = 0.0) -> np.ndarray:
    """Times at which the trace is read: its start and end, and every ``step`` seconds in between, shifted by ``phase``."""
    start, end = trace.edges[0], trace.edges[-1]
    inner = np.arange(start + (phase % step or step), end, step)
    return np.concatenate([[start], inner[inner < end - 1e-9], [end]])


def integrate(trace: Trace, times: Sequence[float], rule: str) -> float:
    """Joules of the trace between the first and the last of ``times`` by one of :data:`RULES`."""
    times = [float(t) for t in times]
    if rule == "counter":
        return trace.counter(times[-1]) - trace.counter(times[0])
    if rule == "counter as power, first doubled":
        return doubled_first(times, [trace.counter(t) for t in times])
    watts = [trace.power(t) for t in times[:-1]] + [trace.watts[-1]]
    if rule == "trapezoid":
        return cumulative(times, watts)[-1]
    if rule == "left rule":
        return math.fsum(w * (b - a) for w, a, b in zip(watts, times, times[1:], strict=False))
    raise ValueError(f"no rule {rule!r}; there are {', '.join(RULES)}")


def doubled_first(times: Sequence[float], joules: Sequence[float]) -> float:
    """The energy that perun 1.0.0 makes of the readings of a counter.

    For equal steps it is off by -(step / 2) (P_last - P_first), with the powers of the last and the first interval.
    """
    watts = [(b - a) / (t - s) for a, b, s, t in zip(joules, joules[1:], times, times[1:], strict=False)]
    return cumulative(times, [watts[0], *watts])[-1]


def counted(trace: Trace, times: Sequence[float], update: float, phase: float = 0.0) -> Window:
    """What the instrument makes of a counter that is renewed every ``update`` seconds and read at ``times``.

    Args:
        phase: of the updates, in seconds.
    """
    series = Series(counter=True, limit=1.01 * max(trace.watts), update=update)
    for t in times:
        renewed = math.floor((t - phase) / update) * update + phase
        series.add(float(t), trace.counter(renewed))
    return series.energy(float(times[0]), float(times[-1]))


def square(
    period: float, seconds: float = 60.0, low: float = 50.0, high: float = 250.0, shift: float = 0.0
) -> Trace:
    """A load that switches between two powers every half period, shifted by a part of it (0 to 1)."""
    edges = np.arange(-1, 2 * seconds / period + 2) * period / 2 - shift * period
    inner = edges[(edges > 1e-9) & (edges < seconds - 1e-9)]
    marks = np.concatenate([[0.0], inner, [seconds]])
    middle = (marks[:-1] + marks[1:]) / 2
    watts = np.where(np.floor((middle + shift * period) / (period / 2)) % 2 == 0, high, low)
    return Trace(f"square {period:g} s", marks.tolist(), watts.tolist())


def ramp(seconds: float = 10.0, low: float = 40.0, high: float = 240.0, steps: int = 1000) -> Trace:
    """Power that rises in ``steps`` small steps."""
    middle = (np.arange(steps) + 0.5) / steps
    return Trace("ramp", np.linspace(0, seconds, steps + 1).tolist(), (low + (high - low) * middle).tolist())


def training_day() -> Trace:
    """An invented minute: idle, a training whose power drops between batches and at each validation, idle again.

    Invented with a fixed generator, in steps of a quarter of a second; the label of anything made of it says replayed.
    """
    rng = np.random.default_rng(3)
    watts = []
    for i in range(240):
        t = i / 4
        if t < 8 or t >= 52:
            level = 62.0
        else:
            in_epoch = (t - 8) % 11
            level = 120.0 if in_epoch > 9.5 else 235.0 if int(t * 2) % 4 else 150.0
        watts.append(round(level + float(rng.normal(0, 4)), 1))
    return Trace("training", [i / 4 for i in range(241)], watts)


def relative_error(trace: Trace, times: Sequence[float], rule: str) -> float:
    """Error of a rule over the true energy of the same window."""
    true = trace.energy(float(times[0]), float(times[-1]))
    return integrate(trace, times, rule) / true - 1


def aliasing(period: float, step: float, phases: int = 200, seconds: float = 60.0) -> np.ndarray:
    """Relative errors of the trapezoid on the square wave, one for each of ``phases`` shifts of the load."""
    errors = []
    for k in range(phases):
        wave = square(period, seconds, shift=(k + 0.5) / phases)
        times = np.arange(0, seconds + step / 2, step)
        watts = [wave.power(t) for t in times]
        errors.append(cumulative(times.tolist(), watts)[-1] / wave.energy(0, float(times[-1])) - 1)
    return np.asarray(errors)


def with_jitter(period: float, step: float, seed: int, seconds: float = 60.0) -> float:
    """Relative error if every sample is taken at a random moment of its step: the mean over steps has no bias."""
    rng = np.random.default_rng(seed)
    wave = square(period, seconds, shift=rng.random())
    starts = np.arange(0, seconds - step / 2, step)
    times = starts + rng.random(len(starts)) * step
    return math.fsum(wave.power(t) * step for t in times) / wave.energy(0, seconds) - 1
