"""The training script of hpc/jigsaw: dry run, MPI ranks, torch.distributed, samples from files, a batch job."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from efficient_ai.parallel._mpi import find_mpiexec, rank_environment
from efficient_ai.parallel._place import slurm_cpus

FOLDER = Path(__file__).parents[2] / "hpc" / "jigsaw"
CPUS, REASON = slurm_cpus() if shutil.which("sbatch") else (0, "the package slurm-wlm is not installed")
ENVIRONMENT = rank_environment(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), OMP_NUM_THREADS="1")


def run(*command):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=120, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_dry_run_of_the_largest_model_allocates_nothing():
    limited = f"ulimit -v 8000000; exec {sys.executable} {FOLDER / 'train.py'} --dry-run --model 4-way --grid 2x2 --gpus 256"
    found = json.loads(run("sh", "-c", limited))
    assert found["instances"] == found["global batch"] == 64 and found["parameters"] > 2.56e9
    held = found["bytes held per rank"]
    assert held["all"] == sum(value for kind, value in held.items() if kind != "all")
    assert held["weights"] == found["parameters"], "4 bytes each, a quarter of them on each rank"
    assert held["all"] > 10e9, "more than the process was allowed to have"
    assert found["bytes read per rank and step"] == 2 * 4 * 720 * 1440 * 72 // 4


@pytest.mark.mpi
def test_four_ranks_in_one_instance_and_in_two_have_finite_falling_losses():
    one = json.loads(
        run(
            find_mpiexec(), "-n", 4, sys.executable, FOLDER / "train.py", "--grid", "2x2", "--steps", 4
        ).splitlines()[-1]
    )
    assert (
        one["ranks"] == 4
        and one["instances"] == 1
        and len(one["loss"]) == 4
        and np.isfinite(one["loss"]).all()
    )
    assert one["TFLOP/s per rank"] > 0


@pytest.mark.mpi
def test_torchrun_with_gloo_reads_samples_from_files(tmp_path):
    for k in range(4):
        np.random.default_rng(k).standard_normal((16, 16, 48), dtype=np.float32).tofile(tmp_path / f"{k}.f32")
    (tmp_path / "all.txt").write_text("\n".join(str(tmp_path / f"{k}.f32") for k in range(4)))
    arguments = [
        FOLDER / "train.py",
        "--grid",
        "1x2",
        "--transport",
        "torch",
        "--steps",
        3,
        "--data",
        tmp_path / "all.txt",
    ]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=4"]
    found = json.loads(run(*launch, *arguments).splitlines()[-1])
    assert found["instances"] == 2 and len(found["loss"]) == 3 and np.isfinite(found["loss"]).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--grid", "2"], "write rows x columns"), (["--grid", "2xa"], "write rows x columns"),
        (["--steps", "0"], "at least 1"), (["--batch", "-1"], "at least 1"), (["--grid", "0x2"], "write rows x columns"),
        (["--dry-run", "--grid", "2x2", "--gpus", "3"], "no multiple"), (["--transport", "torch"], "torchrun"),
        (["--grid", "5x1"], "cannot be shared by 5 rows"), (["--schedule", "paper", "--grid", "2x1"], "no schedule"),
    ],
)  # fmt: skip
def test_calls_that_cannot_be_carried_out(arguments, said, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("jigsaw_train", FOLDER / "train.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == 2 and said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.mpi
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path):
    script = [sys.executable, FOLDER / "train.py", "--grid"]
    two = [find_mpiexec(), "-n", 2, *script, "1x2", "--steps"]
    whole = json.loads(run(*two, 4, "--keep", tmp_path, "--every", 2).splitlines()[-1])["loss"]
    assert {p.name for p in tmp_path.iterdir()} == {"step-2", "step-4"}
    again = json.loads(run(*two, 2, "--resume", tmp_path / "step-2").splitlines()[-1])["loss"]
    assert again == whole[2:]


@pytest.mark.mpi
def test_a_rank_that_fails_ends_all_with_its_reason(tmp_path):
    """One of two files holds a value that is not a number, in the part of one rank alone."""
    rng = np.random.default_rng(0)
    for k in range(2):
        values = rng.standard_normal((16, 16, 48), dtype=np.float32)
        if k:
            values[0, 0, 0] = np.nan
        values.tofile(tmp_path / f"{k}.f32")
    (tmp_path / "all.txt").write_text("0.f32\n1.f32\n")
    command = [
        find_mpiexec(),
        "-n",
        2,
        sys.executable,
        FOLDER / "train.py",
        "--grid",
        "1x2",
        "--data",
        tmp_path / "all.txt",
    ]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=60, env=ENVIRONMENT
    )
    assert done.returncode != 0 and "1.f32: the state holds values that are not finite" in done.stderr


@pytest.mark.slurm
@pytest.mark.skipif(not CPUS, reason=f"no Slurm answers ({REASON})")
def test_a_batch_job(tmp_path):
    log = tmp_path / "log"
    submit = [
        "sbatch",
        "--wait",
        "--ntasks=2",
        f"--output={log}",
        FOLDER / "train.sbatch",
        "--grid",
        "1x2",
        "--steps",
        2,
    ]
    environment = ENVIRONMENT | {
        "BOOK_ENVIRONMENT": str(Path(sys.executable).parent.parent),
        "JIGSAW_SCRIPT": str(FOLDER / "train.py"),
    }
    subprocess.run(list(map(str, submit)), timeout=120, env=environment, check=True)
    assert json.loads(log.read_text().splitlines()[-1])["ranks"] == 2
