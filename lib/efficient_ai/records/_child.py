"""One measurement in a process of its own."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from efficient_ai.processes import end_tree

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""Environment in which numerical libraries use one thread: sides are compared at equal numbers of cores."""


def child(
    command: Sequence[object],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Any:
    """Run ``command`` with one thread and return its last line of output, which is JSON.

    Args:
        command: program and arguments, of any type that ``str`` writes.
        timeout: seconds until the process and all it started are ended.
        env: changes to this process's environment.
        cwd: the folder to run in.

    Raises:
        RuntimeError: it failed, took too long or gave no JSON; with the end of what it printed.
    """
    words = [str(word) for word in command]
    process = subprocess.Popen(
        words,
        env=os.environ | ONE_THREAD | dict(env or {}),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    what = " ".join(words)[:300]
    try:
        out, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{what}\nwas not finished after {timeout:g} s") from None
    finally:
        end_tree(process.pid, waited_for=process.returncode is not None)
        process.wait()
    if process.returncode:
        raise RuntimeError(f"{what}\nended with status {process.returncode}:\n{out[-1000:]}{errors[-3000:]}")
    try:
        return json.loads(out.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise RuntimeError(f"{what}\ngave no JSON in its last line:\n{out[-1000:]}{errors[-3000:]}") from None
