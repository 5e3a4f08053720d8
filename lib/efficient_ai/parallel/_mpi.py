"""Which mpiexec to use, and the environment in which ranks are started."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ._errors import ClusterError

GUARD = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_guard.py"))]

# One thread per rank: there are usually more ranks than cores. The rest lets Open MPI run as root and with more
# ranks than cores; MPICH needs no such thing and ignores it.
_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}
# Left by a launcher around us (an engine, an srun step): a new world must not believe it is part of that one.
_FOREIGN = ("PMI_", "PMIX_", "PMI2_", "OMPI_COMM_WORLD_", "MPI_LOCAL", "HYDI_")


def find_mpiexec() -> str:
    """Absolute path of the mpiexec of this environment, else the first on PATH.

    The one beside ``sys.executable`` comes first: a foreign mpiexec on PATH starts worlds of size one, without any
    message. Raises ClusterError if there is none at all.
    """
    beside = Path(sys.executable).parent / "mpiexec"
    if os.access(beside, os.X_OK):
        return str(beside)
    found = shutil.which("mpiexec")
    if found is None:
        raise ClusterError(
            f"no mpiexec: neither {beside} nor one on PATH. Install the package 'mpich' or load an MPI module."
        )
    return found


def without_world() -> dict[str, str]:
    """Our environment without traces of a world around us: MPI started with it is a world of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def rank_environment(local: bool = True, **more: str) -> dict[str, str]:
    """The environment for new ranks: ours, without traces of a world around us, one thread per rank.

    ``local``: all ranks run on this node. MPICH's mpiexec then forks them. Inside a Slurm job it would otherwise ask
    srun for a job step, and wait for ever if this process is itself a step that holds the job's cores.
    """
    reach = {"HYDRA_LAUNCHER": "fork", "HYDRA_RMK": "user"} if local else {"SLURM_OVERLAP": "1"}
    return without_world() | _SETTINGS | reach | more


def start_guarded(
    command: list[str], folder: Path, log: str, env: dict[str, str], after: list[str] | None = None
) -> subprocess.Popen:
    """Start ``command`` below a guard that ends it with this process; output goes to the file ``log`` in ``folder``.

    ``after`` is run by the guard at the end in any case. The folder is removed if this process dies before.
    """
    spec = {"owner": os.getpid(), "command": command, "after": after, "folder": str(folder)}
    with open(folder / log, "ab") as file:
        return subprocess.Popen(
            [*GUARD, json.dumps(spec)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=env,
            start_new_session=True,
        )


def end_guarded(process: subprocess.Popen) -> None:
    """End the guard and with it everything it started; returns when all of it is gone."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(log: Path, lines: int = 30) -> str:
    """The last lines of a log, for an error message."""
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(no output)"


def reason(log: Path) -> str:
    """Why a process failed, from its log: the last line that names an error, then the end of the log."""
    text = tail(log)
    named = [
        line
        for line in text.splitlines()
        if re.match(r"\w*(Error|Exception|Exit)\b|.*(not found|cannot|No such)", line)
    ]
    return (named[-1] + "\n" if named else "") + text
