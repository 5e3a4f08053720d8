"""The training script of hpc/f3: any number of ranks, checkpoints that another number of ranks takes up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from efficient_ai.parallel._mpi import find_mpiexec, rank_environment

SCRIPT = Path(__file__).parents[2] / "hpc" / "f3" / "train.py"
ENVIRONMENT = rank_environment(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), OMP_NUM_THREADS="1")
SMALL = ("--hidden", 3, "--width", 32, "--batch", 200)

pytestmark = pytest.mark.mpi


def run(ranks, *arguments):
    command = [find_mpiexec(), "-n", ranks, sys.executable, SCRIPT, *SMALL, *arguments]
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=120, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_ranks_then_three_give_the_losses_of_one(tmp_path):
    whole = run(1, "--epochs", 3)
    first = run(2, "--epochs", 2, "--checkpoint", tmp_path / "f3.pt")
    second = run(3, "--epochs", 1, "--resume", tmp_path / "f3.pt")
    assert first["loss"] + second["loss"] == pytest.approx(whole["loss"], rel=1e-6)
    assert second["ranks"] == 3 and second["epochs"] == 3 and len(second["share of work"]) == 3
