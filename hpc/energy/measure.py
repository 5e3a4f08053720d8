"""What a job on many ranks costs: every host read once, the batch system's own number where the job is alone on its nodes.

Started by measure.sbatch on all ranks. Replace ``work`` by yours. Rank 0 writes ``energy-<job>.json``.
"""

import json
import os
import sys
import time
from pathlib import Path

from mpi4py import MPI

from efficient_ai import metering

# An intensity has a place and a date: put in yours.
HERE = metering.GERMANY


def work(comm: MPI.Comm, seconds: float) -> None:
    """Keep every rank busy for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(i * i for i in range(10_000))
    comm.barrier()


def main() -> None:
    """Measure ``work`` and write what it took."""
    comm = MPI.COMM_WORLD
    with metering.measure_job(comm, "work", intensity=HERE) as job:
        work(comm, float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
    if comm.rank == 0:
        print(job.measurement)
        for note in job.notes:
            print(f"  {note}")
        name = f"energy-{os.environ.get('SLURM_JOB_ID', 'here')}.json"
        Path(name).write_text(json.dumps(job.measurement.as_dict(), indent=1) + "\n")


if __name__ == "__main__":
    main()
