"""A board whose power sensor looks a quarter of the time, on a simulated clock."""

from collections.abc import Sequence

from efficient_ai.metering import Trace

PERIOD, WINDOW = 0.1, 0.025


class LazySensor:
    """Every 100 ms the sensor shows the mean power of the last 25 ms, and keeps showing it until the next update.

    Args:
        shape: power of one kernel, ``(seconds, watts)`` pairs one after the other.
        idle: watts between kernels.
        offset: when the first update falls.
    """

    def __init__(self, shape: tuple[tuple[float, float], ...], idle: float = 60.0, offset: float = 0.03):
        self.shape, self.idle, self.offset = shape, idle, offset
        self.now, self.kernels = 0.0, 0
        self._edges, self._watts = [-1.0, 0.0], [idle]
        self.length = sum(seconds for seconds, _ in shape)

    @property
    def true_joules(self) -> float:
        """Energy of one kernel: what is to be found. For the tests."""
        return sum(seconds * watts for seconds, watts in self.shape)

    def run(self) -> None:
        """Run the kernel once; the clock moves by its length."""
        for seconds, watts in self.shape:
            self._pass(seconds, watts)
        self.kernels += 1

    def wait(self, seconds: float) -> None:
        """Let the board idle."""
        if seconds > 0:
            self._pass(seconds, self.idle)

    def power(self) -> float:
        """What the sensor shows now, in watts."""
        update = ((self.now - self.offset) // PERIOD) * PERIOD + self.offset
        recent = Trace("x", self._edges[-400:], self._watts[-399:])
        return recent.energy(update - WINDOW, update) / WINDOW

    def _pass(self, seconds: float, watts: float) -> None:
        self.now += seconds
        self._edges.append(self.now)
        self._watts.append(watts)


def renewed(watts: float, every: float, phase: float, times: Sequence[float]) -> list[float]:
    """Readings in joules at ``times`` of a counter that shows what was used up to its last update, at constant power.

    Args:
        every, phase: seconds between two updates, and when one of them happens.
    """
    return [1e5 + watts * ((t - phase) // every * every + phase) for t in times]
