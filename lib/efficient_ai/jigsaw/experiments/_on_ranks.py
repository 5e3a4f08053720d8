"""What the chapter runs on its ranks. Every function takes the communicator first and is called on all ranks."""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from efficient_ai.jigsaw import costs, forecast
from efficient_ai.jigsaw._config import MixerConfig, vectors, weights
from efficient_ai.jigsaw._execute import multiply, transpose
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._memory import Watch, held_bytes, kept_bytes
from efficient_ai.jigsaw._model import WeatherMixer
from efficient_ai.jigsaw._ops import Serial, Sharded
from efficient_ai.jigsaw._reader import Prefetcher, SampleFile, Throttle
from efficient_ai.jigsaw._traffic import step_elements
from efficient_ai.jigsaw._training import adam, latitude_weights, train_step, weighted_loss
from efficient_ai.transport import MPITransport

SMALL = MixerConfig(
    lat=8, lon=32, inputs=8, outputs=8, patch=4, width=24, token_fraction=0.5, channel_fraction=2.0, blocks=2,
    dropout=0.1, shared_bias=False,
)  # fmt: skip
"""A mixer small enough that every rank can also run the serial model and compare."""


def first_ranks(comm: Any, n: int, counted: bool = False) -> Any:
    """A communicator of the first ``n`` ranks, counting if asked for; ``None`` on the others. Collective."""
    from mpi4py import MPI

    from efficient_ai.parallel import CountingComm

    part = comm.Split(0 if comm.rank < n else MPI.UNDEFINED, comm.rank)
    if part == MPI.COMM_NULL:
        return None
    return CountingComm(part) if counted else part


def block(matrix: torch.Tensor, grid: Grid, rank: int) -> torch.Tensor:
    """The block of ``rank`` of a whole matrix ``[..., rows, cols]``; for tests, where a whole one exists."""
    i, j = grid.place(rank)
    rows, cols = matrix.shape[-2] // grid.rows, matrix.shape[-1] // grid.cols
    return matrix[..., i * rows : (i + 1) * rows, j * cols : (j + 1) * cols].contiguous()


def field_block(x: torch.Tensor, grid: Grid, rank: int) -> torch.Tensor:
    """The part of ``rank`` of whole fields ``[..., channels, lat, lon]``: its channels and its longitudes."""
    i, j = grid.place(rank)
    c, lon = x.shape[-3] // grid.cols, x.shape[-1] // grid.rows
    return x[..., j * c : (j + 1) * c, :, i * lon : (i + 1) * lon].contiguous()


def product_errors(comm: Any, grid: Grid, seed: int) -> dict[str, float]:
    """Relative error of XW, XWT, XTW and T against one process, float64, random shapes; the largest of all ranks."""
    part = first_ranks(comm, grid.size)
    if part is None:
        return {}
    rng, transport = np.random.default_rng(seed), MPITransport(part)
    gen = torch.Generator().manual_seed(seed)
    m, k, n = (grid.units * int(size) for size in rng.integers(1, 9, 3))
    shapes = {"XW": ((m, k), (k, n)), "XWT": ((m, k), (n, k)), "XTW": ((k, m), (k, n))}
    found = {}
    for op, (a, b) in shapes.items():
        x = torch.randn(*a, generator=gen, dtype=torch.float64)
        w = torch.randn(*b, generator=gen, dtype=torch.float64)
        whole = {"XW": lambda x, w: x @ w, "XWT": lambda x, w: x @ w.T, "XTW": lambda x, w: x.T @ w}[op](x, w)
        mine = multiply(op, block(x, grid, part.rank), block(w, grid, part.rank), grid, transport)
        found[op] = part.allreduce(_off(mine, block(whole, grid, part.rank), whole), max_op())
    mine = transpose(block(x, grid, part.rank), grid, transport)
    found["T"] = part.allreduce(_off(mine, block(x.T.contiguous(), grid, part.rank), x), max_op())
    return found


def max_op():
    """MPI's MAX; mpi4py is imported only on ranks."""
    from mpi4py import MPI

    return MPI.MAX


def _off(found: torch.Tensor, expected: torch.Tensor, whole: torch.Tensor) -> float:
    return float((found - expected).norm() / whole.norm())


@dataclass(frozen=True)
class Equality:
    """Largest relative difference between sharded and serial: norm of the difference over norm of the whole tensor."""

    forward: float
    gradients: float
    weights: float


def equality(comm: Any, grid: Grid, seed: int, steps: int = 10, config: MixerConfig = SMALL) -> Equality:
    """Train the sharded and the serial model side by side in float64, dropout included, and compare everything."""
    part = first_ranks(comm, grid.size)
    if part is None:
        return Equality(0, 0, 0)
    ours = WeatherMixer(config, Sharded(grid, MPITransport(part)), seed, torch.float64)
    serial = WeatherMixer(config, Serial(), seed, torch.float64)
    optimisers = adam(ours, 1e-3, 1e-3), adam(serial, 1e-3, 1e-3)
    gen = torch.Generator().manual_seed(seed)
    shape = (2, config.inputs, config.lat, config.lon)
    a = latitude_weights(torch.linspace(1.3, -1.3, config.lat, dtype=torch.float64))
    v = 0.5 + torch.rand(config.inputs, generator=gen, dtype=torch.float64)
    mine = v.chunk(grid.cols)[grid.place(part.rank)[1]]
    worst = [0.0, 0.0, 0.0]
    for step in range(steps):
        x, t = (torch.randn(*shape, generator=gen, dtype=torch.float64) for _ in range(2))
        rollout = 1 + step % 2
        with torch.no_grad():
            y, whole = ours(field_block(x, grid, part.rank), rollout), serial(x, rollout)
        worst[0] = max(worst[0], _off(y, field_block(whole, grid, part.rank), whole))
        xs, ts = field_block(x, grid, part.rank), field_block(t, grid, part.rank)
        train_step(ours, optimisers[0], xs, ts, a, mine, clip=0.5, rollout=rollout)
        train_step(serial, optimisers[1], x, t, a, v, clip=0.5, rollout=rollout)
        worst[1] = max(worst[1], _compare(ours, serial, lambda p: p.grad))
        worst[2] = max(worst[2], _compare(ours, serial, lambda p: p.data))
    return Equality(*(part.allreduce(value, max_op()) for value in worst))


def _compare(ours: WeatherMixer, serial: WeatherMixer, get) -> float:
    """Largest difference of any tensor; against the norm of that tensor, or 1e-6 of the largest where it vanishes."""
    names = [f"{name}.weight" for name in weights(ours.config)] + list(vectors(ours.config))
    least = 1e-6 * max(float(get(serial.get(name)).norm()) for name in names)
    worst = 0.0
    for name in names:
        mine, whole = get(ours.get(name)), get(serial.get(name))
        matrix = name.removesuffix(".weight")
        part = (
            whole[ours.layout.cols(name)]
            if whole.ndim == 1
            else whole[ours.layout.rows(matrix)][:, ours.layout.cols(matrix)]
        )
        worst = max(worst, float((mine - part).norm() / max(float(whole.norm()), least)))
    return worst


def _batch(config: MixerConfig, grid: Grid, rank: int, batch: int, seed: int):
    """Random input and target blocks of this rank, drawn alone."""
    gen = torch.Generator().manual_seed(seed * 1000 + rank)
    shape = (batch, config.inputs // grid.cols, config.lat, config.lon // grid.rows)
    x, t = torch.randn(*shape, generator=gen), torch.randn(*shape, generator=gen)
    a = latitude_weights(torch.linspace(1.3, -1.3, config.lat))
    return x, t, a, torch.ones(shape[1])


def _model(config: MixerConfig, grid: Grid, comm: Any, serial: bool = False) -> WeatherMixer:
    return WeatherMixer(config, Serial() if serial else Sharded(grid, MPITransport(comm)))


def counted_step(comm: Any, grid: Grid, config: MixerConfig, batch: int) -> dict:
    """One training step, counted: the traffic, elements each rank sent, and what the formula says of them."""
    from efficient_ai.parallel import gather_traffic

    part = first_ranks(comm, grid.size, counted=True)
    if part is None:
        return {}
    model = _model(config, grid, part)
    x, t, a, v = _batch(config, grid, part.rank, batch, seed=0)
    weighted_loss(model, model(x), t, a, v).backward()
    model.ops.reduce_replicated(model.replicated())
    traffic = gather_traffic(part)
    expected = [sum(e) for e in zip(*step_elements(config, grid, batch).values(), strict=True)]
    sent = [record.sent_bytes // 4 for record in traffic.records]
    return {"traffic": traffic, "sent": sent, "expected": expected}


def holdings(comm: Any, grid: Grid, config: MixerConfig, batch: int) -> dict:
    """Bytes that this rank holds by kind, and the elements of the largest tensor it ever made, in one training step."""
    part = first_ranks(comm, grid.size)
    if part is None:
        return {}
    model = _model(config, grid, part)
    optimiser = adam(model)
    x, t, a, v = _batch(config, grid, part.rank, batch, seed=0)
    kept, _ = kept_bytes(model, lambda: model(x))
    with Watch() as watch:
        train_step(model, optimiser, x, t, a, v)
    fields = {"input and target": 2 * x.numel() * 4, "activations": kept}
    return fields | held_bytes(model, optimiser) | {"largest": watch.largest, "largest shape": watch.shape}


def step_seconds(
    comm: Any,
    n: int,
    config: MixerConfig,
    path: str,
    *,
    steps: int,
    bytes_per_second: float | None,
    batch: int = 1,
    schedule: str = "balanced",
    repeats: int = 1,
) -> list[float]:
    """Seconds per training step of a model on the first ``n`` ranks that reads its samples from a file, one per repeat.

    Each step needs one sample (input and target: two states). A thread reads the next one meanwhile; with
    ``bytes_per_second`` each rank gets no more than that. One rank runs the serial model in plain torch. The other ranks return
    at once: one that waits for messages would keep a core busy.
    """
    torch.set_num_threads(1)
    grid = Grid.ways(n, schedule if n > 1 else "balanced")
    part = first_ranks(comm, n)
    found = []
    if part is not None:
        model = _model(config, grid, part, serial=n == 1)
        optimiser = adam(model)
        _, t, a, v = _batch(config, grid, part.rank, batch, seed=0)
        file = SampleFile(path, (2 * config.inputs, config.lat, config.lon), tiles=max(grid.rows, 1))
        train_step(model, optimiser, t, t, a, v)
        for _ in range(repeats):
            part.Barrier()
            source = (
                Prefetcher(file, grid, part.rank, Throttle(bytes_per_second)) if bytes_per_second else None
            )
            if source:
                source.next()  # what is timed begins when the first sample is there
            part.Barrier()
            begin = time.perf_counter()
            for step in range(steps):
                x = t
                if source:
                    states = source.next(more=step + 1 < steps)
                    x, t = states.chunk(2, dim=1)
                train_step(model, optimiser, x, t, a, v)
            part.Barrier()
            found.append((time.perf_counter() - begin) / steps)
    return found


def shared_read(comm: Any, path: str, shape: tuple[int, int, int], ways: int, tiles: int) -> dict:
    """Every rank reads its block of a sample; bytes, pages and seconds of this rank."""
    part = first_ranks(comm, ways)
    if part is None:
        return {}
    grid = Grid.ways(ways)
    part.Barrier()
    found = SampleFile(path, shape, tiles).read(grid, part.rank)
    total = float(found.block.sum(dtype=np.float64))
    return {"bytes": found.bytes, "page bytes": found.page_bytes, "seconds": found.seconds, "sum": total}


def calibrate(comm: Any) -> dict[str, float]:
    """This machine: rate of products of one rank, latency and bandwidth between two."""
    torch.set_num_threads(1)
    part = first_ranks(comm, 2)
    if part is None:
        return {}
    latency, bandwidth = costs.measure_messages(MPITransport(part))
    part.Barrier()
    rate = costs.measure_flops()
    return {"flops": rate, "latency": latency, "bandwidth": bandwidth}


def simulate_members(comm: Any, world: dict) -> "forecast.Weather":
    """The simulated weather, its runs shared out over the ranks; whole on rank 0, ``None`` on the others."""
    torch.set_num_threads(1)
    return forecast.simulate(**world, comm=comm)


def learn_many(comm: Any, weather: "forecast.Weather", config: MixerConfig, jobs: list[dict]) -> list[tuple]:
    """Train one network per job (arguments of :func:`forecast.learn`), the jobs shared out over the ranks."""
    from efficient_ai.parallel import publish

    torch.set_num_threads(1)
    found = []
    for index, job in list(enumerate(jobs))[comm.rank :: comm.size]:
        found.append((index, forecast.learn(weather, config, **job, watch=publish)))
    return found


def learn_sharded(
    comm: Any, weather: "forecast.Weather", config: MixerConfig, *, ways: int, job: dict
) -> list:
    """Train one network in pieces on the first ``ways`` ranks; loss of each step, equal to that of the serial training."""
    torch.set_num_threads(1)
    part = first_ranks(comm, ways)
    if part is None:
        return []
    grid = Grid.ways(ways)
    return forecast.losses(weather, config, Sharded(grid, MPITransport(part)), **job)


def with_width(config: MixerConfig, width: int) -> MixerConfig:
    """The same model with another width."""
    return replace(config, width=width)
