"""Train a WeatherMixer in pieces on any number of ranks; or only say what it would take.

    python hpc/jigsaw/train.py --dry-run --model 4-way --grid 2x2 --gpus 256
    mpiexec -n 4 python hpc/jigsaw/train.py --model tiny --grid 2x2
    torchrun --nproc-per-node=4 hpc/jigsaw/train.py --model tiny --grid 1x2 --transport torch
    sbatch --nodes=64 --ntasks-per-node=4 hpc/jigsaw/train.sbatch --model 4-way --grid 2x2

Ranks [m n, m n + n) are model instance m; instances train on different samples, and their gradients are averaged shard by
shard. Samples are files of float32 ``(2 x channels, lat, lon)``, state and next state, named in ``--data`` (one per line of a
text file); without it each rank draws random numbers of the right shape, which is enough to measure. The last line of the
output is JSON.
"""

import argparse
import json
import os
import time
from math import prod
from pathlib import Path

import torch

from efficient_ai import jigsaw
from efficient_ai.jigsaw import published
from efficient_ai.training import generator

MODELS = {f"{series.ways}-way": series.config.padded() for series in published.SCALING}
MODELS |= {
    f"d{width}": jigsaw.MixerConfig(width=width, token_fraction=f).padded()
    for width, f, *_ in published.LADDER
}
MODELS["1.06b"] = MODELS["1-way"]
MODELS["tiny"] = jigsaw.MixerConfig(
    lat=16, lon=48, inputs=8, outputs=8, patch=6, width=32, token_fraction=0.5, dropout=0.0, shared_bias=False
)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=sorted(MODELS), default="tiny")
    parser.add_argument(
        "--grid", default="1x1", help="rows x columns of ranks of one model instance, such as 2x2"
    )
    parser.add_argument("--schedule", choices=("balanced", "paper"), default="balanced")
    parser.add_argument("--transport", choices=("mpi", "torch"), default="mpi")
    parser.add_argument("--batch", type=int, default=1, help="samples per model instance and step")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--data", type=Path, help="text file with one sample file per line")
    parser.add_argument("--gpus", type=int, help="for the dry run: ranks in all")
    parser.add_argument(
        "--dry-run", action="store_true", help="print memory and traffic per rank; allocate nothing"
    )
    return parser.parse_args()


def dry_run(config: jigsaw.MixerConfig, grid: jigsaw.Grid, batch: int, gpus: int) -> dict:
    """Memory by kind and traffic by purpose of one rank, in bytes; nothing of the model's size is made."""
    config.check(grid)
    instances = gpus // grid.size
    traffic = {name: 4 * max(sent) for name, sent in jigsaw.step_elements(config, grid, batch).items()}
    shard = jigsaw.memory(config, grid, batch)["gradients"]
    traffic["gradient sum between instances"] = round(2 * (instances - 1) / instances * shard)
    held = jigsaw.memory(config, grid, batch)
    return {
        "ranks": gpus,
        "instances": instances,
        "global batch": instances * batch,
        "parameters": jigsaw.parameters(config, grid),
        "TFLOP per step and rank": jigsaw.training_flops(config) * batch / grid.size / 1e12,
        "bytes held per rank": held | {"all": sum(held.values())},
        "bytes sent per rank and step": traffic | {"all": sum(traffic.values())},
        "bytes read per rank and step": held["input and target"],
    }


def connect(kind: str) -> tuple[jigsaw.Transport, torch.device]:
    """The transport of all ranks, and this rank's device."""
    local = int(os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", 0)))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", local % torch.cuda.device_count())
        torch.cuda.set_device(device)
    if kind == "torch":
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return jigsaw.TorchTransport(), device
    from mpi4py import MPI

    return jigsaw.MPITransport(MPI.COMM_WORLD), device


def samples(
    chosen: argparse.Namespace, config: jigsaw.MixerConfig, grid: jigsaw.Grid, rank: int, instance: int
):
    """Blocks ``[batch, 2 channels, lat, lon]`` of this rank, without end."""
    channels, lon = config.inputs // grid.cols, config.lon // grid.rows
    if chosen.data is None:
        rng = generator(instance, rank)
        while True:
            yield torch.randn(chosen.batch, 2 * channels, config.lat, lon, generator=rng)
    # a file has the channels of both states, cut separately: two samples, one behind the other
    shape = config.inputs, config.lat, config.lon
    paths = chosen.data.read_text().split()
    turn = 0
    while True:
        order = torch.randperm(len(paths), generator=generator(turn)).tolist()[instance :: chosen.instances]
        for first in range(0, len(order) - chosen.batch + 1, chosen.batch):
            parts = [_pair(paths[k], shape, grid, rank) for k in order[first : first + chosen.batch]]
            yield torch.stack(parts)
        turn += 1


def _pair(path: str, shape: tuple[int, int, int], grid: jigsaw.Grid, rank: int) -> torch.Tensor:
    """State and next state of this rank, each from its own half of the file: ``[2 channels, lat, lon]``."""
    halves = [
        jigsaw.SampleFile(path, shape, offset=4 * part * prod(shape)).read(grid, rank).block
        for part in (0, 1)
    ]
    return torch.cat([torch.from_numpy(half) for half in halves])


def main() -> None:
    """Train, or say what it takes."""
    chosen = options()
    config = MODELS[chosen.model]
    rows, cols = map(int, chosen.grid.split("x"))
    grid = jigsaw.Grid(rows, cols, chosen.schedule)
    if chosen.dry_run:
        print(json.dumps(dry_run(config, grid, chosen.batch, chosen.gpus or grid.size), indent=1))
        return
    world, device = connect(chosen.transport)
    if world.size % grid.size:
        raise SystemExit(f"{world.size} ranks are no multiple of {grid.rows} x {grid.cols}")
    chosen.instances = world.size // grid.size
    instance, shard = divmod(world.rank, grid.size)
    inside, replicas = world.split(instance), world.split(shard)
    model = jigsaw.WeatherMixer(config, jigsaw.Sharded(grid, inside)).to(device)
    optimiser = jigsaw.adam(model)
    a = jigsaw.latitude_weights(torch.linspace(torch.pi / 2, -torch.pi / 2, config.lat)).to(device)
    v = torch.ones(config.inputs // grid.cols, device=device)
    source, losses, reads, seconds = samples(chosen, config, grid, shard, instance), [], [], []
    for _ in range(chosen.steps):
        begin = time.perf_counter()
        block = next(source)
        read = time.perf_counter()
        x, target = block.to(device).chunk(2, dim=1)
        loss = jigsaw.train_step(model, optimiser, x, target, a, v, replicas=replicas)
        losses.append(float(loss))  # waits for the device
        reads.append(read - begin)
        seconds.append(time.perf_counter() - read)
    if world.rank == 0:
        median = sorted(seconds)[len(seconds) // 2]
        result = {
            "ranks": world.size,
            "instances": chosen.instances,
            "loss": losses,
            "seconds per step": median,
            "seconds per sample read": sorted(reads)[len(reads) // 2],
        }
        if device.type == "cuda":
            result["peak bytes on the device"] = torch.cuda.max_memory_allocated(device)
        result["TFLOP/s per rank"] = jigsaw.training_flops(config) * chosen.batch / grid.size / median / 1e12
        print(json.dumps(result))
    if chosen.transport == "torch":
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
