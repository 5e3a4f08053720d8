"""The training script of PETNet as a user calls it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from efficient_ai.parallel._place import slurm_cpus

CPUS, REASON = slurm_cpus() if shutil.which("sbatch") else (0, "the package slurm-wlm is not installed")
HPC = Path(__file__).parents[2] / "hpc"
SMALL = ["--updates", "2", "--batch", "4", "--hidden", "8", "--tests", "1", "--samples", "20", "--seeds", "0"]


def train(*arguments, folder):
    call = [sys.executable, HPC / "petnet" / "train.py", *SMALL, *arguments]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=120)


def test_records_add_up_and_say_what_was_judged(tmp_path):
    for arguments in (["--rates", "1e-3", "1e-2"], ["--valid", "--parts", "2"]):
        done = train("--record", "record.json", *arguments, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    first, second = json.loads((tmp_path / "record.json").read_text())["records"]
    assert [t["recipe"]["rate"] for t in first["trainings"]] == [1e-3, 1e-2] and len(second["trainings"]) == 1
    assert first["judged on"] == "20 samples of the test set"
    assert second["judged on"] == "20 samples of the validation set"
    training = first["trainings"][0]
    assert training["updates"] == [2] and len(training["loss"]) == 2 and training["energy"]["source"]


def test_what_cannot_ship_is_refused(tmp_path):
    done = train("--ship", "--valid", folder=tmp_path)
    assert done.returncode == 2 and "--ship takes one rate" in done.stderr


@pytest.mark.slurm
@pytest.mark.skipif(not CPUS, reason=f"no Slurm answers ({REASON}); as root: hpc/slurm/start.sh")
def test_a_job_array_trains_one_seed_per_task(tmp_path):
    script = HPC / "petnet" / "train.sbatch"
    environment = f"ALL,BOOK_ENVIRONMENT={Path(sys.prefix)},PETNET_SCRIPT={HPC / 'petnet' / 'train.py'}"
    call = ["sbatch", "--wait", "--array=3-4", f"--export={environment}", script, *SMALL[:-2]]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    logs = "\n".join(log.read_text() for log in tmp_path.glob("*.log"))
    assert done.returncode == 0, done.stderr + logs
    for seed in (3, 4):
        (record,) = json.loads((tmp_path / f"petnet-{seed}.json").read_text())["records"]
        assert record["trainings"][0]["seed"] == seed
