"""Step times on ranks, and beside other packages."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from efficient_ai.jigsaw import costs, peers
from efficient_ai.jigsaw._config import MixerConfig
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._reader import SampleFile
from efficient_ai.jigsaw.experiments import _on_ranks
from efficient_ai.jigsaw.profiles import Profile
from efficient_ai.ledger import Experiment, Measured


@dataclass(frozen=True)
class Reading:
    """What rank 0 reads of one sample, by layout of its file and number of ranks.

    Args:
        rows: columns of a table.
        megabytes: of the sample.
    """

    rows: dict[str, list]
    megabytes: float


def read_blocks(size: Profile, cluster) -> Reading:
    """Write a sample of the paper's size in two layouts and let 1, 2 and 4 ranks read their blocks."""
    rows: dict[str, list] = {"file": [], "ranks": [], "block (MB)": [], "pages (MB)": [], "seconds": []}
    with tempfile.TemporaryDirectory(prefix="jigsaw-") as folder:
        for layout, tiles in (("row by row", 1), ("longitude halves apart", 2)):
            file = SampleFile(Path(folder) / "sample.f32", size.sample, tiles)
            file.create()
            for n in (1, 2, 4):
                call = (_on_ranks.shared_read, file.path, size.sample, n, tiles)
                one = cluster.run(*call, timeout=size.patience)[0]
                line = (layout, n, one["bytes"] / 1e6, one["page bytes"] / 1e6, one["seconds"])
                for column, value in zip(rows.values(), line, strict=True):
                    column.append(value)
    return Reading(rows, file.bytes / 1e6)


def _step_seconds(
    cluster, size: Profile, n: int, config: MixerConfig, path: Path, rate: float | None
) -> list:
    return cluster.run(
        _on_ranks.step_seconds, n, config, path, steps=size.timed_steps, bytes_per_second=rate,
        repeats=size.repeats, timeout=size.patience,
    )[0]  # fmt: skip


def _run_weak(size: Profile, cluster) -> dict[str, dict[int, list[float]]]:
    """Seconds per step by kind of reading and number of ranks, the work per rank kept."""
    models = {n: costs.scaled(size.io, n, Grid.ways(n)) for n in (1, 2, 4)}
    times: dict[str, dict[int, list[float]]] = {"throttled disk": {}, "data in memory": {}}
    with tempfile.TemporaryDirectory(prefix="jigsaw-") as folder:
        file = SampleFile(Path(folder) / "io.f32", (2 * size.io.inputs, size.io.lat, size.io.lon))
        file.create()
        for n, config in models.items():
            for kind, rate in (("throttled disk", size.rate), ("data in memory", None)):
                times[kind][n] = _step_seconds(cluster, size, n, config, file.path, rate)
    return times


@dataclass(frozen=True)
class Strong:
    """Seconds per step of the same models on one rank and on two.

    Args:
        times: by model and number of ranks, one per repeat.
        machine: rate of products, latency and bandwidth between two ranks.
        load: average of the machine afterwards.
    """

    times: dict[str, dict[int, list[float]]]
    machine: dict[str, float]
    load: float


def _run_strong(size: Profile, cluster) -> Strong:
    machine = cluster.run(_on_ranks.calibrate, timeout=size.patience)[0]
    with tempfile.TemporaryDirectory(prefix="jigsaw-") as folder:
        file = SampleFile(Path(folder) / "any.f32", (2, 2, 2))
        file.create()
        times = {
            name: {n: _step_seconds(cluster, size, n, config, file.path, None) for n in (1, 2)}
            for name, config in size.strong.items()
        }
    return Strong(times, machine, os.getloadavg()[0])


def _speedups(times: dict[int, list[float]], baseline: str) -> Measured:
    ratios = [one / two for one, two in zip(times[1], times[2], strict=True)]
    return Measured(ratios, range(len(ratios)), baseline)


def _block(side: str):
    def read(record: peers.Record) -> Measured:
        ratios = record.slower_by(side, 2)
        return Measured(ratios, range(len(ratios)), side, record.origin)

    return read


def _strongest(record: peers.Record) -> Measured:
    others = [side for side in peers.SIDES if side not in ("Jigsaw", "DDP")]
    side = min(others, key=lambda name: record.seconds(name, 2))
    ratios = record.slower_by(side, 2)
    return Measured(ratios, range(len(ratios)), f"{side}, the quickest that cuts the model", record.origin)


WEAK = Experiment(
    "weak scaling with and without a disk",
    _run_weak,
    {
        "C4": lambda t: _speedups(t["throttled disk"], "one rank, throttled disk"),
        "C4b": lambda t: _speedups(t["data in memory"], "one rank, data in memory"),
    },
    ranks=4,
)
STRONG = Experiment(
    "strong scaling",
    _run_strong,
    {
        "C5": lambda s: _speedups(
            list(s.times.values())[-1],
            f"the serial model in plain torch, one core; load average {s.load:.1f}",
        )
    },
    ranks=4,
)
PEERS = Experiment(
    "beside other ways to share a block",
    lambda size: peers.Record.load(),
    {
        "C5c": _strongest,
        "P1": lambda r: Measured(r.memory_ratios(), [2, 4], "the least of the others", r.origin),
        "P2": _block("FSDP2"),
        "P3": _block("DTensor"),
    },
)
