"""What sites copy from hpc/: shell scripts that parse, templates that can be filled, a hub configuration that loads."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from efficient_ai.parallel import _slurm

HPC = Path(__file__).parents[2] / "hpc"
SCRIPTS = sorted([*HPC.rglob("*.sh"), *HPC.rglob("*.sbatch")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_parse(script):
    subprocess.run(["sh", "-n", str(script)], check=True)


def test_the_engine_template_says_the_same_as_the_one_in_the_library(tmp_path):
    ours = _slurm.write_script(tmp_path, "job", 4, ["python", "a file"], None).read_text().splitlines()
    theirs = _slurm.write_script(
        tmp_path, "job", 4, ["python", "a file"], HPC / "slurm" / "engines.sbatch"
    ).read_text()
    assert set(ours) <= set(theirs.splitlines())
    assert "srun --mpi=pmi2 --kill-on-bad-exit=1 python 'a file'" in theirs


def test_the_hub_configuration_loads_and_its_job_script_can_be_filled(monkeypatch):
    traitlets = pytest.importorskip("traitlets.config")
    jinja = pytest.importorskip("jinja2")
    config = traitlets.Config()
    monkeypatch.setitem(sys.modules, "batchspawner", types.ModuleType("batchspawner"))
    source = HPC / "jupyterhub" / "jupyterhub_config.py"
    exec(compile(source.read_text(), str(source), "exec"), {"get_config": lambda: config})
    names = [profile[2] for profile in config.ProfilesSpawner.profiles]
    assert names == ["batchspawner.SlurmSpawner"] * 2
    values = {
        "nprocs": "4",
        "runtime": "02:00:00",
        "homedir": "/home/ada",
        "cmd": "batchspawner-singleuser",
        "partition": "",
    }
    script = jinja.Template(config.SlurmSpawner.batch_script).render(values)
    assert script.startswith("#!/bin/sh\n#SBATCH") and "#SBATCH --ntasks=4\n" in script and "{" not in script
    assert "--partition" not in script
    assert "--partition=gpu" in jinja.Template(config.SlurmSpawner.batch_script).render(
        values | {"partition": "gpu"}
    )
