"""The guard ends a whole process tree: with its command, with its owner, and when it is asked or killed itself."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from efficient_ai.parallel._mpi import GUARD

pytestmark = pytest.mark.mpi

# A command with a helper that leaves for a session of its own and ignores SIGTERM, as a stubborn engine would.
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(100)"
TREE = f"""
import subprocess, sys, time
helper = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True, stdout=subprocess.PIPE)
helper.stdout.readline()
open(sys.argv[1], "w").write(str(helper.pid))
time.sleep(float(sys.argv[2]))
"""


def guard(table, command, after=None, folder=None):
    spec = {"owner": os.getpid(), "command": command, "after": after, "folder": folder}
    return subprocess.Popen([*GUARD, json.dumps(spec)], env=table.env)


def tree(tmp_path, seconds):
    return [sys.executable, "-c", TREE, str(tmp_path / "ready"), str(seconds)]


def wait_until_ready(tmp_path, wait_for):
    wait_for(lambda: (tmp_path / "ready").exists() and (tmp_path / "ready").read_text())
    return psutil.Process(int((tmp_path / "ready").read_text()))


def test_helpers_end_with_the_command_even_in_a_session_of_their_own(process_table, tmp_path, wait_for):
    process = guard(process_table, tree(tmp_path, 0.1))
    assert wait_until_ready(tmp_path, wait_for).is_running()
    assert process.wait(20) == 0
    assert process_table.alive() == []


def test_asked_to_end_it_ends_all_and_runs_what_comes_after(process_table, tmp_path, wait_for):
    done = tmp_path / "done"
    process = guard(process_table, tree(tmp_path, 100), after=["touch", str(done)], folder=str(tmp_path))
    wait_until_ready(tmp_path, wait_for)
    process.terminate()
    assert process.wait(20) == 128 + signal.SIGTERM
    assert process_table.alive() == []
    assert done.exists(), "and the folder is the owner's to remove, who is still there"


def test_killed_itself_its_command_gets_a_signal(process_table, wait_for):
    process = guard(process_table, [sys.executable, "-c", "import time; time.sleep(100)"])
    wait_for(lambda: len(process_table.alive()) == 2)
    process.kill()
    process.wait(10)
    process_table.wait_until_empty()


def test_without_its_owner_it_ends_all_and_removes_the_folder(process_table, tmp_path, wait_for):
    folder = tmp_path / "folder"
    folder.mkdir()
    spec = {"owner": 0, "command": tree(tmp_path, 100), "after": None, "folder": str(folder)}
    owner = "import json, os, subprocess, sys, time; spec = json.loads(sys.argv[1]); spec['owner'] = os.getpid(); "
    owner += "subprocess.Popen([*sys.argv[2:], json.dumps(spec)]); time.sleep(100)"
    process = subprocess.Popen([sys.executable, "-c", owner, json.dumps(spec), *GUARD], env=process_table.env)
    wait_until_ready(tmp_path, wait_for)
    process.kill()
    process.wait(10)
    process_table.wait_until_empty()
    wait_for(lambda: not folder.exists())


@pytest.mark.parametrize("status", [0, 3])
def test_it_hands_on_the_exit_status(process_table, status):
    command = [sys.executable, "-c", f"import sys; sys.exit({status})"]
    assert guard(process_table, command).wait(20) == status
