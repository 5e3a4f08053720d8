"""The job's energy from the batch system: the node's own sensor, as in the paper (``ConsumedEnergy``)."""

import os
import subprocess
from collections.abc import Callable, Mapping

from efficient_ai.metering._sensors import Sensor, Source, Status

_NO_VALUE = {
    2**bits - less for bits in (32, 64) for less in (1, 2)
}  # Slurm's marks; numbers between them are joules
_SPECIAL_STEPS = 2**32 - 16  # from here on a step's number means the batch script and the like
UPDATE, GAIN = 30.0, 0.05  # the plug-in asks the node every few seconds to half a minute
PACE = 5.0  # sstat asks every node of the step: not once a second
NODE_W = 5000.0

Run = Callable[[list[str]], str]


def run_tool(command: list[str]) -> str:
    """What ``command`` prints.

    Raises:
        OSError: it is not there, fails, or takes longer than ten seconds.
    """
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except subprocess.SubprocessError as error:
        raise OSError(str(error)) from error


def slurm(environment: Mapping[str, str] | None = None, run: Run = run_tool) -> Status:
    """``ConsumedEnergy`` of the running job, or the reason why it is not used.

    The sensor sees the whole node, so a job that shares its nodes would be charged for its neighbours: refused.
    """
    environment = os.environ if environment is None else environment
    job = environment.get("SLURM_JOB_ID")
    if not job:
        return Status("slurm", "missing", "this process is not part of a Slurm job")
    if any(environment.get(rank, "0") != "0" for rank in ("SLURM_PROCID", "PMI_RANK")):
        return Status("slurm", "off", "the job's energy is read by its first rank alone")
    try:
        sharing = run(["squeue", "--noheader", "--jobs", job, "--format=%h"]).strip()
    except OSError as error:
        return Status("slurm", "missing", f"squeue: {error}")
    if sharing != "NO":
        return Status("slurm", "shared", f"job {job} is not alone on its nodes; ask for --exclusive")

    nodes, step = environment.get("SLURM_JOB_NUM_NODES", "1"), environment.get("SLURM_STEP_ID", "")
    if step.isdigit() and int(step) < _SPECIAL_STEPS:
        nodes = environment.get("SLURM_STEP_NUM_NODES", nodes)
    elif nodes != "1":
        return Status(
            "slurm", "off", f"a batch script sees the first of its {nodes} nodes alone; start with srun"
        )
    else:
        step = "batch"

    def read() -> float | None:
        try:
            return consumed(run(command))
        except OSError:
            return None

    command = ["sstat", "--jobs", f"{job}.{step}", "--format=ConsumedEnergy", "--noconvert", "-nP"]
    if read() is None:
        return Status(
            "slurm", "off", f"ConsumedEnergy of job {job} has no value: AcctGatherEnergyType is off here"
        )
    limit = NODE_W * int(nodes)
    sensor = Sensor(f"job {job}", read, update=UPDATE, gain=GAIN, limit=limit, scope="job", pace=PACE)
    return Status("slurm", "ok", f"job {job}", Source("measured:slurm", [sensor], f"{nodes} whole node(s)"))


def consumed(text: str) -> float | None:
    """Joules from what ``sstat`` prints; ``None`` for nothing, for 0, and for Slurm's marks of "no value"."""
    try:
        joules = float(text.split()[0])
    except (IndexError, ValueError):
        return None
    return joules if 0 < joules < 2.0**63 and joules not in _NO_VALUE else None
