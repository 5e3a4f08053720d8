"""Train a WeatherMixer in pieces on any number of ranks; or only say what it would take.

    python hpc/jigsaw/train.py --dry-run --model 4-way --grid 2x2 --gpus 256
    mpiexec -n 4 python hpc/jigsaw/train.py --model tiny --grid 2x2
    torchrun --nproc-per-node=4 hpc/jigsaw/train.py --model tiny --grid 1x2 --transport torch
    sbatch --nodes=64 --ntasks-per-node=4 hpc/jigsaw/train.sbatch --model 4-way --grid 2x2

Ranks [m n, m n + n) are model instance m; instances train on different samples, and their gradients are averaged shard by
shard. Samples are files of float32 ``(2 x channels, lat, lon)``, state and next state, named in ``--data`` (one per line of a
text file, relative to it); without it each rank draws random numbers of the right shape, which is enough to measure. ``--keep``
writes checkpoints, and ``--resume`` goes on from one, on the same grid to the last bit, or on another. The last line of the output is
JSON. Exit status: 2 if the call cannot be carried out; 1 if training had to end: one rank that fails ends all.
"""

import argparse
import itertools
import json
import math
import os
import sys
import time
import traceback
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
        "--grid", type=shape, default="1x1", help="rows x columns of ranks of one model instance, such as 2x2"
    )
    parser.add_argument("--schedule", choices=("balanced", "paper"), default="balanced")
    parser.add_argument("--transport", choices=("mpi", "torch"), default="mpi")
    parser.add_argument("--batch", type=count, default=1, help="samples per model instance and step")
    parser.add_argument("--steps", type=count, default=10)
    parser.add_argument("--data", type=Path, help="text file with one sample file per line")
    parser.add_argument(
        "--keep", type=Path, help="folder for checkpoints, at the end and every --every steps"
    )
    parser.add_argument("--every", type=count, help="steps between checkpoints")
    parser.add_argument(
        "--resume", type=Path, help="checkpoint of any grid to go on from, such as KEEP/step-100"
    )
    parser.add_argument("--gpus", type=count, help="for the dry run: ranks in all")
    parser.add_argument(
        "--dry-run", action="store_true", help="print memory and traffic per rank; allocate nothing"
    )
    chosen = parser.parse_args()
    try:
        chosen.layout = jigsaw.Grid(*chosen.grid, chosen.schedule)
        MODELS[chosen.model].check(chosen.layout)
    except ValueError as error:
        parser.error(str(error))
    if chosen.gpus and chosen.gpus % chosen.layout.size:
        parser.error(
            f"--gpus {chosen.gpus} is no multiple of the {chosen.layout.size} ranks of one model instance"
        )
    by_torchrun = "TORCHELASTIC_RUN_ID" in os.environ
    if not chosen.dry_run and by_torchrun != (chosen.transport == "torch"):
        other = "add --transport torch" if by_torchrun else "start it with torchrun, or leave --transport out"
        parser.error(f"launcher and transport do not belong together: {other}")
    return chosen


def shape(text: str) -> tuple[int, int]:
    """``2x2`` as two numbers."""
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no grid: write rows x columns, such as 2x2")
    return int(parts[0]), int(parts[1])


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


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


def drawn(chosen: argparse.Namespace, config: jigsaw.MixerConfig, rank: int, instance: int):
    """Random blocks ``[batch, 2 channels, lat, lon]``, without end."""
    channels, lon = config.inputs // chosen.layout.cols, config.lon // chosen.layout.rows
    rng = generator(instance, rank)
    while True:
        yield torch.randn(chosen.batch, 2 * channels, config.lat, lon, generator=rng)


def main() -> None:
    """Train, or say what it takes."""
    chosen = options()
    config = MODELS[chosen.model]
    if chosen.dry_run:
        found = dry_run(config, chosen.layout, chosen.batch, chosen.gpus or chosen.layout.size)
        print(json.dumps(found, indent=1))
        return
    world, device = connect(chosen.transport)
    try:
        train(chosen, config, world, device)
    except BaseException as error:  # the others wait for messages of this rank
        refused = isinstance(error, ValueError)
        print(
            f"rank {world.rank}: {error}" if refused else traceback.format_exc(), file=sys.stderr, flush=True
        )
        end(chosen.transport, 2 if refused else 1)
    if chosen.transport == "torch":
        torch.distributed.destroy_process_group()


def end(transport: str, status: int) -> None:
    """End all ranks."""
    if transport == "mpi":
        from mpi4py import MPI

        MPI.COMM_WORLD.Abort(status)
    os._exit(status)  # torchrun ends the others


def train(
    chosen: argparse.Namespace, config: jigsaw.MixerConfig, world: jigsaw.Transport, device: torch.device
) -> None:
    """Take all steps, and print what they took.

    Raises:
        ValueError: ranks, list or samples that do not fit.
        ArithmeticError: a loss that is not finite.
    """
    grid = chosen.layout
    if world.size % grid.size:
        raise ValueError(f"{world.size} ranks are no multiple of {grid.rows} x {grid.cols}")
    chosen.instances = world.size // grid.size
    instance, shard = divmod(world.rank, grid.size)
    inside, replicas = world.split(instance), world.split(shard)
    model = jigsaw.WeatherMixer(config, jigsaw.Sharded(grid, inside)).to(device)
    optimiser = jigsaw.adam(model)
    if chosen.resume:
        jigsaw.load(chosen.resume, model, optimiser)
    if chosen.data is None:
        source = itertools.islice(drawn(chosen, config, shard, instance), model.step, None)
    else:
        listed = jigsaw.SampleList.from_text(chosen.data, (config.inputs, config.lat, config.lon))
        source = listed.batches(grid, shard, chosen.batch, instance, chosen.instances, skip=model.step)
    a = jigsaw.latitude_weights(torch.linspace(torch.pi / 2, -torch.pi / 2, config.lat)).to(device)
    v = torch.ones(config.inputs // grid.cols, device=device)
    losses, reads, seconds = [], [], []
    for step in range(1, chosen.steps + 1):
        begin = time.perf_counter()
        block = next(source)
        read = time.perf_counter()
        x, target = block.to(device).chunk(2, dim=1)
        loss = jigsaw.train_step(model, optimiser, x, target, a, v, replicas=replicas)
        losses.append(float(loss))  # waits for the device
        if not math.isfinite(losses[-1]):
            raise ArithmeticError(
                f"the loss of step {model.step} is not finite: look at the samples, or train slower"
            )
        due = step == chosen.steps or (chosen.every and step % chosen.every == 0)
        if chosen.keep and due and instance == 0:
            jigsaw.save(chosen.keep / f"step-{model.step}", model, optimiser)
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


if __name__ == "__main__":
    main()
