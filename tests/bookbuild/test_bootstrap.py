"""The bootstrap says what is missing, survives kills, and does nothing when there is nothing to do."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKE = shutil.which("make")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with nothing but the bootstrap, in a folder whose name holds a space."""
    root = tmp_path / "a checkout"
    (root / "lib" / "bookbuild").mkdir(parents=True)
    shutil.copy(ROOT / "lib" / "bookbuild" / "bootstrap.py", root / "lib" / "bookbuild")
    shutil.copy(ROOT / "Makefile", root)
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        (root / name).write_text("")
    return root


@pytest.fixture
def tools(tmp_path):
    """A folder to be the whole PATH; ``tools(git="exit 0")`` writes a command into it."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def write(**commands):
        for name, script in commands.items():
            path = folder / name.replace("_", ".")
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        return str(folder)

    return write


def setup(checkout, path=None):
    """Call the bootstrap as make does."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHON", "VENV", "MAKEFLAGS", "MAKELEVEL")
    }
    command = [sys.executable, str(checkout / "lib" / "bookbuild" / "bootstrap.py")]
    return subprocess.run(
        command,
        env=environment | ({"PATH": path} if path else {}),
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_says_that_git_is_missing(checkout, tools):
    done = setup(checkout, tools())
    assert done.returncode == 1
    assert "git was not found" in done.stderr and "apt-get install git" in done.stderr


@pytest.mark.parametrize(
    "python, told",
    [
        ({}, "no Python 3.11, 3.12 or 3.13 was found."),
        ({"python3": """echo '[[3, 9, 2], "/x", true]'"""}, "python3 is 3.9.2"),
        ({"python3": "echo 'pyenv: not installed' >&2; exit 127"}, "apt-get install python3 python3-venv"),
        ({"python3_11": """echo '[[3, 11, 2], "/x", false]'"""}, "apt-get install python3.11-venv"),
    ],
)
def test_says_which_python_is_missing(checkout, tools, python, told):
    done = setup(checkout, tools(git="exit 0", **python))
    assert done.returncode == 1
    assert told in done.stderr
    assert not (checkout / ".venv").exists()


def test_make_without_any_python_says_what_to_install(checkout, tools):
    done = subprocess.run(
        [MAKE, "setup"], cwd=checkout, env={"PATH": tools()}, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "no Python starts here" in done.stdout and "python3-venv" in done.stdout


def test_leaves_an_environment_of_somebody_else_alone(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "precious").write_text("mine")
    done = setup(checkout)
    assert done.returncode == 1 and "was not made by `make setup`" in done.stderr
    assert [path.name for path in (checkout / ".venv").iterdir()] == ["precious"]


def test_set_up_killed_failed_mended_and_unchanged(checkout):
    venv, log = checkout / ".venv", checkout / "build" / "logs" / "setup.log"
    process = subprocess.Popen(
        [sys.executable, str(checkout / "lib" / "bookbuild" / "bootstrap.py")], start_new_session=True
    )
    limit = time.monotonic() + 120
    while not (venv / "bin" / "python").exists():  # in the middle of creating the environment
        assert time.monotonic() < limit and process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    (checkout / "requirements.txt").write_text("./nowhere-to-be-found\n")
    failed = setup(checkout)
    assert failed.returncode == 1
    assert "new environment" in failed.stdout, "what a kill left is not trusted"
    assert "nowhere-to-be-found" in failed.stderr and str(log) in failed.stderr

    (checkout / "requirements.txt").write_text("")
    mended = setup(checkout)
    assert mended.returncode == 0, mended.stderr
    assert "new environment" not in mended.stdout, "after an ordinary failure the environment is kept"
    written = log.stat().st_mtime_ns

    again = setup(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert log.stat().st_mtime_ns == written

    (checkout / "pyproject.toml").write_text("# changed\n")
    assert setup(checkout).returncode == 0
    assert log.stat().st_mtime_ns != written
