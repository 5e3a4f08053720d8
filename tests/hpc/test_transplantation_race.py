"""The script of hpc/transplantation: races are dealt among tasks, kept line by line, and never run twice."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from efficient_ai.parallel._place import slurm_cpus

CPUS, REASON = slurm_cpus() if shutil.which("sbatch") else (0, "the package slurm-wlm is not installed")
HPC = Path(__file__).parents[2] / "hpc" / "transplantation"
SMALL = [
    "--images",
    "64",
    "--epochs",
    "1",
    "--tune",
    "1",
    "--checked",
    "20",
    "--seeds",
    "0",
    "--widths",
    "4",
    "6",
]


def race(record, *arguments, **environment):
    call = [sys.executable, HPC / "race.py", "--record", record, *SMALL, *arguments]
    return subprocess.run(call, capture_output=True, text=True, timeout=240, env=os.environ | environment)


def test_tasks_share_races_and_the_same_command_goes_on(tmp_path):
    record = tmp_path / "races.jsonl"
    first = race(record, SLURM_PROCID="1", SLURM_NTASKS="2")
    assert first.returncode == 0, first.stderr
    (row,) = [json.loads(line) for line in record.read_text().splitlines()]
    assert row["races"][0]["width"] == 6 and {"NT", "zipped", "interpolated"} <= set(
        row["races"][0]["curves"]
    )
    record.write_text(record.read_text() + '\n{"job": "cut o')
    again = race(record)
    assert again.returncode == 0 and again.stdout.count("of 2") == 1, again.stderr
    assert sorted(r["races"][0]["width"] for r in map(json.loads, [line for line in record.read_text().splitlines() if "cut o" not in line])) == [4, 6]  # fmt: skip
    shown = race(record, "--show")
    assert shown.stdout.count("ensemble") == 2


def test_grids_without_sense_are_refused(tmp_path):
    done = race(tmp_path / "races.jsonl", "--members", "1")
    assert done.returncode == 2 and "at least two members" in done.stderr


@pytest.mark.slurm
@pytest.mark.skipif(not CPUS, reason=f"no Slurm answers ({REASON}); as root: hpc/slurm/start.sh")
def test_a_batch_job_runs_the_grid(tmp_path):
    environment = f"ALL,BOOK_ENVIRONMENT={Path(sys.prefix)},TRANSPLANTATION_SCRIPT={HPC / 'race.py'}"
    call = [
        "sbatch",
        "--wait",
        f"--export={environment}",
        HPC / "race.sbatch",
        "--record",
        "races.jsonl",
        *SMALL,
    ]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    logs = "\n".join(log.read_text() for log in tmp_path.glob("*.log"))
    assert done.returncode == 0, done.stderr + logs
    assert len((tmp_path / "races.jsonl").read_text().splitlines()) == 2
