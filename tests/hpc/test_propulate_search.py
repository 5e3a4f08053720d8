"""The search script of hpc/propulate: on ranks of this machine and, where a Slurm answers, as a batch job."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from efficient_ai.parallel._mpi import find_mpiexec, rank_environment
from efficient_ai.parallel._place import slurm_cpus

FOLDER = Path(__file__).parents[2] / "hpc" / "propulate"
CPUS, REASON = slurm_cpus() if shutil.which("sbatch") else (0, "the package slurm-wlm is not installed")

pytestmark = pytest.mark.mpi


def search(ranks, *options):
    command = [find_mpiexec(), "-n", str(ranks), sys.executable, FOLDER / "search.py", *map(str, options)]
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        command, capture_output=True, text=True, timeout=90, env=rank_environment(PYTHONPATH=path)
    )


def test_a_search_ends_goes_on_and_is_never_resumed_by_accident(tmp_path):
    run = tmp_path / "run"
    first = search(3, "--evaluations", 60, "--checkpoint", run, "--islands", 2, "--time-limit", 20)
    assert first.returncode == 0, first.stderr
    result = json.loads((run / "result.json").read_text())
    assert json.loads(first.stdout) == result
    assert result["evaluations"] >= 60 and result["ended by"] == "evaluations" and result["failed"] == 0
    assert set(result["best"]) == {"learning rate", "layers", "dropout", "activation"}

    accident = search(2, "--evaluations", 90, "--checkpoint", run, "--islands", 2)
    assert accident.returncode != 0 and "holds a run: resume=True goes on with it" in accident.stderr
    assert json.loads((run / "result.json").read_text()) == result, "nothing was touched"

    more = search(4, "--evaluations", 100, "--checkpoint", run, "--islands", 2, "--resume")
    assert more.returncode == 0, more.stderr
    longer = json.loads((run / "result.json").read_text())
    assert longer["evaluations"] >= 100 and longer["loss"] <= result["loss"] and longer["ranks"] == 4


def test_a_search_with_workers_of_two_ranks(tmp_path):
    done = search(4, "--evaluations", 20, "--checkpoint", tmp_path / "run", "--ranks-per-worker", 2)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["failed"] == 0 and result["evaluations"] >= 20


def wait_for_job(number, limit=60.0):
    """Until it has left the queue."""
    end = time.monotonic() + limit
    queue = ["squeue", "--noheader", "--states=PENDING,RUNNING,COMPLETING", "--format=%i"]
    while (
        number in subprocess.run(queue, capture_output=True, text=True, timeout=20, check=True).stdout.split()
    ):
        assert time.monotonic() < end, f"job {number} is still there after {limit} s"
        time.sleep(0.1)


@pytest.mark.slurm
@pytest.mark.skipif(not CPUS, reason=f"no Slurm answers ({REASON})")
def test_a_search_as_a_batch_job_and_a_second_one_that_goes_on(tmp_path):
    log, run = tmp_path / "log", tmp_path / "run"
    submit = ["sbatch", "--parsable", f"--output={log}", FOLDER / "search.sbatch", FOLDER / "search.py"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "BOOK_ENVIRONMENT": str(Path(sys.executable).parent.parent),
    }
    for ranks, *more in ((3, "--evaluations=30"), (2, "--evaluations=60", "--resume")):
        command = [*submit[:1], f"--ntasks={ranks}", *submit[1:], f"--checkpoint={run}", *more]
        job = subprocess.run(command, timeout=20, env=environment, capture_output=True, text=True, check=True)
        wait_for_job(job.stdout.strip())
        result = json.loads((run / "result.json").read_text())
        assert result["ranks"] == ranks, log.read_text()
    births = [
        line for path in run.glob("rank-*") for line in path.read_text().splitlines() if '"birth"' in line
    ]
    assert len(births) == result["evaluations"] >= 60
