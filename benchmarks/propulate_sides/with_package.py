"""The package ``propulate`` with its default propagator: ``mpiexec -n W python with_package.py JOBS OUT``.

The search loop is timed, not the imports and not ``summarize``. Side ``propulate-nodump`` leaves its checkpoints out.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path

import common
from mpi4py import MPI
from propulate import Propulator
from propulate.utils import get_default_propagator


class Undumped(Propulator):
    """Writes no checkpoint. Then no token goes round either."""

    def _dump_checkpoint(self):
        pass

    def _dump_final_checkpoint(self):
        pass


def run(comm, job: dict) -> dict | None:
    """Run one job on every rank; the record on rank 0."""
    evaluate, names, low, high, stamps = common.problem_on_ranks(job)
    limits = {name: (float(low), float(high)) for name in names}
    rng = random.Random(job["repeat"] * 1000 + comm.rank)
    kind = Undumped if job["side"] == "propulate-nodump" else Propulator
    with tempfile.TemporaryDirectory() as folder:
        search = kind(
            loss_fn=lambda ind: evaluate({name: ind[name] for name in names}),
            propagator=get_default_propagator(2 * comm.size, limits, rng=rng),
            rng=rng,
            generations=job["evaluations"] // comm.size,
            checkpoint_path=comm.bcast(folder),
        )
        comm.Barrier()
        # Its individuals carry the time of day, so the loop is timed with that clock.
        begin, cpu = time.time(), time.process_time()
        search.propulate()
        end, cpu = time.time(), time.process_time() - cpu
        comm.Barrier()
    begin, end, cpu = (min(comm.allgather(begin)), max(comm.allgather(end)), sum(comm.allgather(cpu)))
    spent = [[stamp - of_rank[0] for stamp in of_rank] for of_rank in comm.allgather(stamps)]
    if comm.rank == 0:
        told = [(ind.evaltime - begin, ind.loss, ind.rank, ind.generation) for ind in search.population]
        events = [(when, loss, rank, spent[rank][own]) for when, loss, rank, own in told]
        return common.record(events, end - begin, cpu)


if __name__ == "__main__":
    answers = [run(MPI.COMM_WORLD, job) for job in json.loads(sys.argv[1])]
    if MPI.COMM_WORLD.rank == 0:
        Path(sys.argv[2]).write_text(json.dumps(answers))
