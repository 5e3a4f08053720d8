"""The measurement of a GPU board, with a driver of our making and the processor in the place of the GPU."""

import time

import numpy as np
import pytest

from efficient_ai import metering
from efficient_ai.energy import board, measure_board


class Driver:
    """One board at 100 W, whose counter runs with the clock."""

    class NVMLError(Exception):
        pass

    def nvmlInit(self):
        pass

    def nvmlDeviceGetCount(self):
        return 1

    def nvmlDeviceGetHandleByIndex(self, i):
        return i

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):
        return 1e3 * 100 * time.perf_counter()

    def nvmlDeviceGetPowerUsage(self, handle):
        return 100_000


def test_everything_is_measured_and_read_again():
    report = measure_board.record(1, 0.05, device="cpu", size=32, library=Driver())
    made = board.Board(report)
    assert made.label == "measured:nvml" and made.batches == list(measure_board.BATCHES)
    assert set(made.kernels) == {"waiting", "copying memory", "product, float32", "product, bfloat16"}
    watts = [w for several in made.kernels.values() for w in several] + made.idle_watts()
    np.testing.assert_allclose(watts, 100, rtol=0.3)  # of a clock that a busy machine shifts
    for network in made.networks:
        for mode in ("training", "inference"):
            for batch in made.batches:
                (joules,), (seconds,) = (f(network, mode, batch) for f in (made.joules, made.core_seconds))
                assert joules > 0 and seconds > 0
    assert [name for name, *_ in made.phases].count("idle") == 3
    counted, summed = made.energy(made.phases[0][1] + 0.02, made.phases[-1][2] - 0.02)
    assert counted == pytest.approx(summed, rel=0.3)


def test_without_a_board_it_says_where_to_go():
    driver = Driver()
    driver.nvmlDeviceGetCount = lambda: 0
    with pytest.raises(metering.EnergyError, match="a machine with an NVIDIA GPU"):
        measure_board.record(1, 0.01, library=driver)
