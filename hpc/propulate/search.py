"""A search on any number of MPI ranks, to be copied: put your own space and your own evaluation in.

    mpiexec -n 4 python hpc/propulate/search.py --evaluations 400          on this machine
    sbatch hpc/propulate/search.sbatch hpc/propulate/search.py             as a Slurm job

Everything that is evaluated is in the folder --checkpoint at once. If the job ends early, for whatever reason, the same
command with --resume goes on, with as many ranks as there are then.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

from mpi4py import MPI

from efficient_ai import propulate

# ---- yours: what is searched, and what a candidate is worth -------------------------------------------------------

SPACE = propulate.Space(
    {
        "learning rate": propulate.LogFloat(1e-5, 1e-1),
        "layers": propulate.Integer(1, 8),
        "dropout": propulate.Float(0.0, 0.6),
        "activation": propulate.Choice("relu", "tanh", "gelu"),
    }
)


def evaluate(genes):
    """A stand-in for a training: takes a little while and has its best value, 0, at one point of the space.

    Import what it needs in here: it runs in a process of its own. With --ranks-per-worker it is called with the
    communicator of the worker's ranks as second argument, see below.
    """
    time.sleep(0.02)
    return (
        (math.log10(genes["learning rate"]) + 3) ** 2
        + (genes["layers"] - 3) ** 2 / 4
        + 4 * (genes["dropout"] - 0.2) ** 2
        + {"relu": 0.1, "tanh": 0.3, "gelu": 0.0}[genes["activation"]]
    )


def evaluate_together(genes, team):
    """The same on all ranks of a worker; a real one would share the work."""
    return max(team.allgather(evaluate(genes)))


# ---- the search ---------------------------------------------------------------------------------------------------


def main() -> None:
    options = arguments()
    comm = MPI.COMM_WORLD
    workers = comm.size // options.ranks_per_worker
    isolated = propulate.Isolated(evaluate, time_limit=options.time_limit)
    run = propulate.evolve(
        comm,
        SPACE,
        isolated if options.ranks_per_worker == 1 else evaluate_together,
        propulate.default_propagator(SPACE, pool_size=max(2 * workers // options.islands, 4)),
        seed=options.seed,
        evaluations=options.evaluations,
        seconds=seconds_left(options),
        target=options.target,
        islands=propulate.Islands(options.islands, pollination=options.pollination),
        ranks_per_worker=options.ranks_per_worker,
        checkpoint=options.checkpoint,
        resume=options.resume,
        patience=options.patience,
    )
    isolated.close()
    # One rank reports: the first that is not lost. Ranks of a worker are lost together.
    lost = {worker * options.ranks_per_worker for worker in run.lost}
    if comm.rank == min(set(range(0, comm.size, options.ranks_per_worker)) - lost):
        report(run, options, comm.size)
    if run.lost:
        # A lost rank never comes to the end of its program: do not let it hold the job until its time is up. What is done is
        # in the checkpoint; the status says that somebody should look.
        comm.Abort(3)


def report(run: propulate.Run, options: argparse.Namespace, ranks: int) -> None:
    everything = propulate.read_checkpoint(options.checkpoint, SPACE)
    result = {
        "best": SPACE.as_dict(run.best.genes),
        "loss": run.best.loss,
        "evaluations": len(everything),
        "failed": sum(bool(individual.error) for individual in everything),
        "ended by": run.reason,
        "lost": run.lost,
        "seconds": round(run.seconds, 3),
        "ranks": ranks,
    }
    Path(options.checkpoint, "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result), flush=True)


def seconds_left(options: argparse.Namespace) -> float | None:
    """As asked for; else, in a Slurm job, until --margin seconds before its end."""
    end = os.environ.get("SLURM_JOB_END_TIME")
    if options.seconds is not None or end is None:
        return options.seconds
    return max(float(end) - time.time() - options.margin, 1.0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--evaluations", type=int, default=400, help="of all ranks together")
    add(
        "--seconds",
        type=float,
        help="no evaluation begins later; default in a Slurm job: its time less the margin",
    )
    add("--margin", type=float, default=120.0, help="seconds; more than one evaluation takes")
    add("--target", type=float, help="stop at this loss")
    add("--islands", type=int, default=1)
    add("--pollination", action="store_true", help="islands exchange copies instead of individuals")
    add("--ranks-per-worker", type=int, default=1)
    add("--time-limit", type=float, help="seconds after which one evaluation is killed; default: none")
    add("--patience", type=float, default=600.0, help="seconds of silence after which a rank counts as lost")
    add("--checkpoint", default="runs/search", help="a folder that all nodes see")
    add("--resume", action="store_true", help="go on with the run in that folder")
    add("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
