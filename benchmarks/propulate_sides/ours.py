"""Our side: ``efficient_ai.propulate`` on MPI ranks."""

import tempfile
import time

from propulate_sides import common


def run_all(comm, jobs: list[dict]) -> list[dict | None]:
    """Run one job after the other."""
    return [run(comm, job) for job in jobs]


def run(comm, job: dict) -> dict | None:
    """Run one job on every rank; the record on rank 0. Timed from the common start until the last rank returns."""
    from efficient_ai.propulate import Float, Space, default_propagator, evolve

    evaluate, names, low, high, stamps = common.problem_on_ranks(job)
    space = Space({name: Float(low, high) for name in names})
    propagator = default_propagator(space, 2 * comm.size)
    with tempfile.TemporaryDirectory() as folder:
        options = {"checkpoint": comm.bcast(folder) + "/run"} if job["side"] == "ours-checkpoint" else {}
        comm.Barrier()
        begin, cpu = time.monotonic(), time.process_time()
        found = evolve(
            comm,
            space,
            evaluate,
            propagator,
            evaluations=job["evaluations"],
            seed=job["repeat"],
            **options,
        )
        end, cpu = time.monotonic(), time.process_time() - cpu
        comm.Barrier()
    begin, end, cpu = (min(comm.allgather(begin)), max(comm.allgather(end)), sum(comm.allgather(cpu)))
    spent = [[stamp - of_rank[0] for stamp in of_rank] for of_rank in comm.allgather(stamps)]
    if comm.rank == 0:
        events = [
            (ind.finished, ind.loss, ind.rank, spent[ind.rank][ind.generation]) for ind in found.individuals
        ]
        return common.record(events, end - begin, cpu)
