"""The three ways of running with Slurm, against a real one: a job of its own, inside an allocation, a batch job."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from efficient_ai import metering
from efficient_ai.parallel import ClusterError, start_cluster
from efficient_ai.parallel._place import choose, slurm_cpus

HPC = Path(__file__).parents[2] / "hpc"
CPUS, REASON = slurm_cpus() if shutil.which("sbatch") else (0, "the package slurm-wlm is not installed")

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.mpi,
    pytest.mark.skipif(
        not CPUS,
        reason=f"no Slurm answers ({REASON}); as root: apt-get install slurm-wlm munge, then hpc/slurm/start.sh",
    ),
]

# A notebook in small: a cluster, what its ranks see, and one-shot ranks beside it.
SCRIPT = """
import json, os, sys
from efficient_ai.parallel import run_ranks, start_cluster
with start_cluster(3, timeout=60) as cluster:
    seen = cluster.run(lambda comm: (comm.rank, comm.size, comm.allreduce(1), os.environ.get("SLURM_JOB_ID")))
    told = {"kind": cluster.place.kind, "cores": cluster.place.cores, "ids": cluster.client.ids, "seen": seen}
told["one shot"] = run_ranks(lambda comm: comm.size, 2)
print("TOLD", json.dumps(told))
"""


@pytest.fixture(autouse=True)
def outside_of_any_job(monkeypatch, tmp_path):
    monkeypatch.setenv("EFFICIENT_AI_BUILD", str(tmp_path / "build"))
    monkeypatch.delenv("EFFICIENT_AI_WHERE", raising=False)


def queue():
    """Names of the jobs that are waiting or running."""
    command = ["squeue", "--noheader", "--states=PENDING,RUNNING", "--format=%j"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.split()


def wait_until(condition, limit=20.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"did not come true in {limit} s"
        time.sleep(0.1)


def rank_and_size():
    from mpi4py import MPI

    return MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size


def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def told(output):
    line = next(line for line in output.splitlines() if line.startswith("TOLD "))
    return json.loads(line.removeprefix("TOLD "))


def test_engines_as_a_job_of_their_own():
    assert choose("auto").kind == "slurm"
    with start_cluster(4, template=HPC / "slurm" / "engines.sbatch") as cluster:
        assert "as a Slurm job of their own" in str(cluster)
        name = cluster.folder.name.rpartition("-")[0]
        assert name in queue()
        assert cluster.client.ids == [0, 1, 2, 3]
        assert cluster.client[:].apply_sync(rank_and_size) == [(rank, 4) for rank in range(4)]
        jobs = set(cluster.run(lambda comm: (comm.allreduce(1), os.environ["SLURM_JOB_ID"])))
        assert len(jobs) == 1 and jobs.pop()[0] == 4
        with metering.measure("engines", source=metering.cpu_time().source, period=None) as m:
            cluster.run(lambda comm: comm.rank)
        assert any("4 engines run in a Slurm job of their own" in note for note in m.notes)
        folder = cluster.folder
        link = json.loads((folder / "security" / "ipcontroller-client.json").read_text())
        assert link["curve_serverkey"], "what leaves the machine is encrypted"
    wait_until(lambda: name not in queue())
    assert not folder.exists()


def test_inside_an_allocation():
    salloc = ["salloc", "--ntasks=4", "--quiet", "srun", "--ntasks=1", sys.executable, "-c", SCRIPT]
    done = subprocess.run(salloc, capture_output=True, text=True, timeout=90, env=environment())
    assert done.returncode == 0, done.stderr
    answer = told(done.stdout)
    job = answer["seen"][0][3]
    assert job and answer["kind"] == "allocation" and answer["cores"] == 4
    assert "3 MPI ranks inside Slurm job " + job in done.stdout
    assert answer["ids"] == [0, 1, 2]
    assert answer["seen"] == [[rank, 3, 3, job] for rank in range(3)]
    assert answer["one shot"] == [2, 2]


def test_the_book_as_a_batch_job(tmp_path):
    script = tmp_path / "notebook.py"
    script.write_text(SCRIPT)
    log = tmp_path / "log"
    template = HPC / "slurm" / "book.sbatch"
    submit = ["sbatch", "--job-name=batch", "--ntasks=2", f"--output={log}", template, sys.executable, script]
    subprocess.run(submit, check=True, capture_output=True, timeout=20, env=environment())
    wait_until(lambda: "batch" not in queue(), limit=60)
    assert "TOLD" in log.read_text(), log.read_text()
    answer = told(log.read_text())
    assert answer["kind"] == "allocation" and answer["ids"] == [0, 1, 2]
    assert "more ranks than cores" in log.read_text(), "three ranks in an allocation of two"


def test_more_ranks_than_the_cluster_has_cpus_are_refused_at_once():
    with pytest.raises(ClusterError, match=rf"asked for {CPUS + 1} ranks.*have {CPUS} CPUs"):
        start_cluster(CPUS + 1, where="slurm")


def test_a_job_that_slurm_refuses_says_why():
    with pytest.raises(ClusterError, match=r"(?s)did not come up.*invalid partition"):
        start_cluster(
            2,
            where="slurm",
            template="#!/bin/sh\n#SBATCH --partition=nowhere --job-name={name}\nsrun {command}\n",
        )


def test_a_job_that_waits_says_what_for():
    held = (
        "#!/bin/sh\n#SBATCH --hold --job-name={name} --ntasks={n} --output={log}\nsrun --mpi=pmi2 {command}\n"
    )
    before = queue()
    with pytest.raises(ClusterError, match=r"still waits in the queue, PENDING \(JobHeldUser\)"):
        start_cluster(2, where="slurm", template=held, timeout=4)
    wait_until(lambda: queue() == before)


def test_srun_without_pmi2_makes_worlds_of_one_and_is_refused():
    bare = "#!/bin/sh\n#SBATCH --job-name={name} --ntasks={n} --output={log}\nsrun --mpi=none {command}\n"
    with pytest.raises(
        ClusterError, match=r"asked for 2 ranks in one world, but each saw a world of size 1\. srun"
    ):
        start_cluster(2, where="slurm", template=bare)


def test_the_job_leaves_the_queue_when_its_owner_is_killed(tmp_path):
    code = (
        "import pathlib, sys, time\nfrom efficient_ai.parallel import start_cluster\n"
        "cluster = start_cluster(2, where='slurm')\npathlib.Path(sys.argv[1]).write_text(cluster.folder.name)\ntime.sleep(100)\n"
    )
    ready = tmp_path / "ready"
    owner = subprocess.Popen([sys.executable, "-c", code, ready], env=environment())
    try:
        wait_until(lambda: ready.exists() and ready.read_text(), limit=40)
        name = ready.read_text().rpartition("-")[0]
        assert name in queue()
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
    wait_until(lambda: name not in queue())
    wait_until(lambda: not list((tmp_path / "build" / "parallel").glob("engines-*")))
