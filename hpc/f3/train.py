"""Train blocks with F³ on any number of ranks; a rank holds some of them and never waits for a backward pass.

    mpiexec -n 4 python hpc/f3/train.py --task digits --hidden 7 --width 256 --epochs 20
    sbatch --ntasks=16 hpc/f3/train.sbatch --task Fashion-MNIST --hidden 15 --width 1024 --rule F3-2
    mpiexec -n 2 python hpc/f3/train.py --resume f3.pt --checkpoint f3.pt --epochs 5

Rules: ``F3`` (yesterday's error), ``F3-2`` (that of two days ago: no wait at the border of epochs), ``DRTP``, ``Mono-Forward``, and ``BP`` as GPipe
for comparison. With ``--checkpoint`` rank 0 writes the whole state after each epoch; it can be resumed on any number of ranks. With ``--device cuda`` each rank takes
a GPU, which needs a CUDA-aware MPI. The last line of the output is JSON.
"""

import argparse
import json
import time

import torch
from mpi4py import MPI

from efficient_ai import f3

RULES = {"F3": f3.F3(), "F3-2": f3.F3(delay=2), "DRTP": f3.DRTP, "Mono-Forward": f3.MonoForward(), "BP": None}


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=sorted(f3.TASKS), default="digits")
    parser.add_argument("--rule", choices=sorted(RULES), default="F3")
    parser.add_argument("--hidden", type=int, default=7, help="hidden blocks")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--rate", type=float, default=1e-3, help="of Adam")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--micro-batches", type=int, default=4, help="for BP")
    parser.add_argument(
        "--store", choices=f3.STORES, default="full", help="how the error table keeps its rows"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--checkpoint", help="file to write after each epoch")
    parser.add_argument("--resume", help="file to go on from")
    return parser.parse_args()


def device_of(name: str, comm: MPI.Comm) -> torch.device:
    """The rank's own GPU, counted among the ranks of its node."""
    if name == "cpu":
        return torch.device("cpu")
    local = comm.Split_type(MPI.COMM_TYPE_SHARED).rank
    return torch.device(name, local % max(1, torch.cuda.device_count()))


def main() -> None:
    """Train, and say on the last rank how it went."""
    given, comm = options(), MPI.COMM_WORLD
    torch.set_num_threads(1)
    device, task = device_of(given.device, comm), f3.load_task(given.task)
    x, y = (part.to(device) for part in task.train)
    sizes = [x.shape[1]] + [given.width] * given.hidden + [y.shape[1]]
    blocks = [block.to(device) for block in f3.mlp(sizes, output=task.ending, seed=given.seed)]
    common = dict(sample=x[:2], samples=len(x), batch_size=given.batch, seed=given.seed)

    def adam(parameters):
        return torch.optim.Adam(parameters, given.rate)

    if given.rule == "BP":
        line = f3.GPipe(comm, blocks, task.loss, adam, micro_batches=given.micro_batches, **common)
        how = {}
    else:
        rule = RULES[given.rule]
        if isinstance(rule, f3.F3) and rule.uses_table:
            rule = f3.F3(delay=rule.delay, store=given.store)
        line = f3.Pipeline(comm, blocks, rule, task.loss, adam, **common)
        how = {"checkpoint": given.checkpoint}
        if given.resume:
            line.load_state_dict(torch.load(given.resume, weights_only=True, map_location=device))
    began = time.perf_counter()
    losses = line.fit(
        x if comm.rank == 0 else None, y if comm.rank == comm.size - 1 else None, given.epochs, **how
    )
    seconds = time.perf_counter() - began
    work = sum(end - start for kind, _, _, start, end in line.line.log if kind == "work")
    shares = comm.gather(round(work / seconds, 3), root=comm.size - 1)
    if line.is_last:
        report = {
            "ranks": comm.size,
            "rule": given.rule,
            "cuts": line.cuts,
            "epochs": line.epochs,
            "loss": losses,
        }
        print(json.dumps(report | {"seconds": round(seconds, 3), "share of work": shares}), flush=True)


if __name__ == "__main__":
    main()
