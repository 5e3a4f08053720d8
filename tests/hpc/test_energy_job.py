"""The job that measures energy, on a real Slurm: its source is the batch system's, or its notes say why not."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from efficient_ai.parallel._place import slurm_cpus

ROOT = Path(__file__).parents[2]
CPUS, REASON = slurm_cpus() if shutil.which("sbatch") else (0, "the package slurm-wlm is not installed")

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.mpi,
    pytest.mark.skipif(not CPUS, reason=f"no Slurm answers ({REASON}); as root: hpc/slurm/start.sh"),
]


def test_a_job_says_where_its_joules_come_from(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_ENVIRONMENT", str(ROOT / ".venv"))
    script, program = ROOT / "hpc" / "energy" / "measure.sbatch", ROOT / "hpc" / "energy" / "measure.py"
    log = tmp_path / "log"
    command = [
        "sbatch",
        "--wait",
        f"--chdir={tmp_path}",
        "--ntasks=2",
        "--time=2",
        f"--output={log}",
        script,
        program,
        "1",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")
    (written,) = tmp_path.glob("energy-*.json")
    said = json.loads(written.read_text())
    assert said["joules"] > 0 and said["seconds"] >= 1 and "1 host(s), 2 rank(s)" in said["covers"]
    assert said["source"] == "measured:slurm" or any(note.startswith("slurm: ") for note in said["notes"])


def test_only_a_job_alone_on_its_nodes_may_use_the_sensor_of_the_node():
    """What `squeue` says of sharing, by the real one."""
    says = {
        how: subprocess.run(
            ["srun", "--ntasks=1", "--time=1", *how, "sh", "-c", 'squeue --noheader --jobs "$SLURM_JOB_ID" --format=%h'],
            capture_output=True, text=True, timeout=100, check=True,
        ).stdout.strip()
        for how in (("--exclusive",), ())
    }  # fmt: skip
    assert says[("--exclusive",)] == "NO" and says[()] != "NO"
