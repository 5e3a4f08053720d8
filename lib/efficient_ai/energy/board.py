"""What the counter of a GPU board said, on a machine that has one.

:mod:`efficient_ai.energy.measure_board` measures; ``benchmarks/energy_gpu.py`` wrote what it found on a machine with a GPU to
``results/benchmarks/energy-gpu.json``, which the chapter reads where there is no board. The joules are those of
the board, measured. The processor beside it had no readable counter: of it only seconds are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from efficient_ai import records


@dataclass(frozen=True)
class Board(records.Record):
    """A report of :func:`efficient_ai.energy.measure_board.record`.

    Args:
        report: the report.
        recorded: it was read from a file, and not made in this run.
    """

    recorded: bool = False

    NAME = "energy-gpu"
    MADE_BY = "python benchmarks/energy_gpu.py  on a machine with an NVIDIA board"

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The record of this checkout, or of another file; errors as :func:`efficient_ai.records.read`."""
        return cls(records.read(cls.NAME, cls.MADE_BY, path), recorded=True)

    @property
    def label(self) -> str:
        """Where the joules come from: ``measured:nvml``, or ``recorded:nvml`` for those of another day."""
        return (
            self.report["label"].replace("measured:", "recorded:") if self.recorded else self.report["label"]
        )

    @property
    def seconds(self) -> float:
        """Length of the trace."""
        return self.phases[-1][2]

    @cached_property
    def kernels(self) -> dict[str, list[float]]:
        """Mean watts of the board in each repeat of each kernel, the kernel with the least power first."""
        found: dict[str, list[float]] = {}
        for row in sorted(self.report["kernels"], key=lambda row: row["repeat"]):
            found.setdefault(row["kernel"], []).append(row["watts"])
        return dict(sorted(found.items(), key=lambda item: np.median(item[1])))

    def costs(self, device: str, network: str, mode: str, batch: int) -> list[Mapping[str, Any]]:
        """All repeats of one measurement: ``board joules``, ``seconds``, ``processor seconds``, ``samples``."""
        return [
            row
            for row in self.report["costs"]
            if (row["device"], row["network"], row["mode"], row["batch"]) == (device, network, mode, batch)
        ]

    @property
    def networks(self) -> list[str]:
        return list(dict.fromkeys(row["network"] for row in self.report["costs"]))

    @property
    def batches(self) -> list[int]:
        return sorted({row["batch"] for row in self.report["costs"]})

    def joules(self, network: str, mode: str, batch: int) -> list[float]:
        """Joules of the board per sample on the GPU, idle power included, one number per repeat."""
        return [row["board joules"] / row["samples"] for row in self.costs("cuda", network, mode, batch)]

    def core_seconds(self, network: str, mode: str, batch: int) -> list[float]:
        """Processor seconds per sample on one core of the same machine, one number per repeat."""
        return [row["processor seconds"] / row["samples"] for row in self.costs("cpu", network, mode, batch)]

    def idle_watts(self) -> list[float]:
        """Power of the board while the processor works, one number per repeat: mean over both networks and all sizes."""
        by_repeat: dict[int, list[float]] = {}
        for row in self.report["costs"]:
            if row["device"] == "cpu":
                by_repeat.setdefault(row["repeat"], []).append(row["board joules"] / row["seconds"])
        return [float(np.mean(watts)) for _, watts in sorted(by_repeat.items())]

    def break_even_watts(self, network: str, mode: str, batch: int) -> list[float]:
        """The power of a core at which a sample costs as much on it as on the board, one number per repeat."""
        pairs = zip(self.joules(network, mode, batch), self.core_seconds(network, mode, batch), strict=True)
        return [joules / seconds for joules, seconds in pairs]

    def step_seconds(self, device: str, network: str, mode: str, batch: int) -> float:
        """Wall time of one step, mean over repeats: what one waits for an answer."""
        rows = self.costs(device, network, mode, batch)
        return float(np.mean([row["seconds"] * batch / row["samples"] for row in rows]))

    def equal_batch(self) -> dict[tuple[str, int], list[float]]:
        """By network and batch size, and for each repeat: how much more the board gains in training than in inference.

        The gain is the board's over a core's energy per sample, so the power of the core, which nobody knows, cancels: it is the
        power at which both cost the same in inference, over that in training. Above 1 the board gains more in training.
        """
        return {
            (network, batch): [
                inference / train
                for inference, train in zip(
                    self.break_even_watts(network, "inference", batch),
                    self.break_even_watts(network, "training", batch),
                    strict=True,
                )
            ]
            for network in self.networks
            for batch in self.batches
        }

    def equal_latency(self, budgets: Sequence[float]) -> dict[tuple[str, float], list[float]]:
        """The same, each device with the largest batch whose step takes no longer than a budget in seconds.

        A network and a budget that some device and mode cannot keep with any batch are left out.
        """
        found = {}
        for network in self.networks:
            for budget in budgets:
                fits = {
                    (device, mode): max(
                        (b for b in self.batches if self.step_seconds(device, network, mode, b) <= budget),
                        default=None,
                    )
                    for device in ("cuda", "cpu")
                    for mode in ("inference", "training")
                }
                if None in fits.values():
                    continue
                gains = {}
                for mode in ("inference", "training"):
                    joules = self.joules(network, mode, fits["cuda", mode])
                    seconds = self.core_seconds(network, mode, fits["cpu", mode])
                    gains[mode] = [j / s for j, s in zip(joules, seconds, strict=True)]
                found[network, budget] = [
                    a / b for a, b in zip(gains["inference"], gains["training"], strict=True)
                ]
        return found

    def trace(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Times in seconds, and joules since the first reading (``"counter"``) or watts (``"power"``); no failed readings."""
        part = self.report["trace"][kind]
        values = np.array([np.nan if v is None else v for v in part["values"]])
        good = np.isfinite(values)
        return np.array(part["times"])[good], values[good]

    @property
    def phases(self) -> list[tuple[str, float, float]]:
        """What the board did in the trace: name, begin and end in seconds."""
        return [tuple(phase) for phase in self.report["trace"]["phases"]]

    def energy(self, begin: float, end: float) -> tuple[float, float]:
        """Joules of the trace between two moments: by the counter, and by the trapezoid of the power readings."""
        times, joules = self.trace("counter")
        counted = float(np.diff(np.interp([begin, end], times, joules))[0])
        times, watts = self.trace("power")
        inside = (times > begin) & (times < end)
        moments = np.concatenate([[begin], times[inside], [end]])
        return counted, float(np.trapezoid(np.interp(moments, times, watts), moments))
