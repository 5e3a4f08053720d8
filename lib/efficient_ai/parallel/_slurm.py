"""Engines as a Slurm job: the batch script, its submission, what the queue says."""

import os
import shlex
import subprocess
from pathlib import Path

from ._errors import ClusterError
from ._mpi import tail

# MPICH speaks PMI-2 to srun. Without --mpi=pmi2 every engine would be a world of size one, without any message.
TEMPLATE = """#!/bin/sh
#SBATCH --job-name={name}
#SBATCH --ntasks={n}
#SBATCH --output={log}
exec srun --mpi=pmi2 --kill-on-bad-exit=1 {command}
"""


def write_script(folder: Path, name: str, n: int, command: list[str], template: str | Path | None) -> Path:
    """The batch script in ``folder``, from ``template`` (text or a file; placeholders name, n, log, command)."""
    text = TEMPLATE if template is None else str(template)
    if template is not None and "\n" not in text:
        text = Path(template).read_text()
    try:
        filled = text.format(name=name, n=n, log=folder / "engines.log", command=shlex.join(command))
    except (KeyError, ValueError, IndexError) as error:
        raise ClusterError(
            f"the Slurm template has an unknown placeholder or a bare brace: {error!r}"
        ) from error
    if shlex.join(command) not in filled:
        raise ClusterError("the Slurm template does not contain {command}, so it would start no engine")
    script = folder / "engines.sbatch"
    script.write_text(filled)
    return script


def job_state(name: str) -> str:
    """State and reason of our job as the queue shows it: ``PENDING (Resources)``; empty when it is not queued."""
    answer = _slurm(["squeue", "--noheader", f"--name={name}", "--format=%T (%r)"])
    return answer.splitlines()[0] if answer else ""


def left_in_queue(name: str) -> bool:
    """Whether any job of that name is still queued, running or completing."""
    return bool(
        _slurm(["squeue", "--noheader", f"--name={name}", "--states=all", "--format=%T"])
        .replace("CANCELLED", "")
        .strip()
    )


def cancel_command(name: str) -> list[str]:
    """The command that takes our job out of the queue."""
    return ["scancel", f"--name={name}"]


def explain(name: str, folder: Path) -> str:
    """Why engines of a job do not come up: the queue's word, else the job's own output."""
    state = job_state(name)
    if state.startswith("PENDING"):
        return f"the job still waits in the queue: {state}"
    return f"job state: {state or 'no longer in the queue'}; it said:\n{tail(folder / 'engines.log')}\n{tail(folder / 'submit.log')}"


def _slurm(command: list[str]) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=10, env=os.environ
        ).stdout.strip()
    except (subprocess.TimeoutExpired, OSError):
        return ""
