"""The bootstrap says what is missing, survives kills, and does nothing when there is nothing to do."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib import util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKE = shutil.which("make")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with nothing but the bootstrap, in a folder whose name holds a space."""
    root = tmp_path / "a checkout"
    (root / "lib" / "bookbuild").mkdir(parents=True)
    for name in ("bootstrap.py", "_packages.py"):
        shutil.copy(ROOT / "lib" / "bookbuild" / name, root / "lib" / "bookbuild")
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


def setup(checkout, *arguments, path=None, **variables):
    """Call the bootstrap as make does."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHON", "VENV", "MAKEFLAGS", "MAKELEVEL")
    }
    command = [sys.executable, str(checkout / "lib" / "bookbuild" / "bootstrap.py"), *arguments]
    return subprocess.run(
        command,
        env=environment | ({"PATH": path} if path else {}) | variables,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_says_that_git_is_missing(checkout, tools):
    done = setup(checkout, path=tools())
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
    done = setup(checkout, path=tools(git="exit 0", **python))
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


def test_a_python_that_does_not_start_is_named(checkout):
    done = setup(checkout, PYTHON="/no/such")
    assert done.returncode == 1 and "PYTHON=/no/such does not start" in done.stderr


def test_a_file_in_the_place_of_the_environment_is_left_alone(checkout):
    (checkout / ".venv").write_text("precious")
    done = setup(checkout)
    assert done.returncode == 1 and ".venv is not a folder" in done.stderr and "Traceback" not in done.stderr
    assert (checkout / ".venv").read_text() == "precious"


def test_an_environment_that_serves_another_checkout_is_left_alone(checkout, tmp_path):
    shared, other = tmp_path / "shared", tmp_path / "another"
    assert setup(checkout, "--venv", str(shared)).returncode == 0
    shutil.copytree(checkout, other)
    stamp = (shared / ".setup-complete").read_text()
    done = setup(other, "--venv", str(shared))
    assert done.returncode == 1 and f"the environment of the checkout in {checkout}" in done.stderr
    assert (shared / ".setup-complete").read_text() == stamp
    shutil.rmtree(checkout)  # moved away: nobody else uses it
    assert setup(other, "--venv", str(shared)).returncode == 0
    assert str(other) in (shared / ".setup-complete").read_text()


def test_a_full_disk_is_one_sentence_and_the_environment_stays(checkout):
    assert setup(checkout).returncode == 0
    kept = checkout / ".venv" / "kept"
    kept.touch()
    pip = checkout / ".venv" / "bin" / "python"
    real = pip.resolve()
    pip.unlink()
    pip.write_text("#!/bin/sh\necho 'ERROR: Could not install: [Errno 28] No space left on device'\nexit 1\n")
    pip.chmod(0o755)
    (checkout / "pyproject.toml").write_text("# changed\n")
    full = setup(checkout)
    assert full.returncode == 1 and full.stderr.startswith("setup: the disk is full")
    assert len(full.stderr.strip().splitlines()) == 1
    pip.unlink()
    pip.symlink_to(real)
    again = setup(checkout)
    assert again.returncode == 0 and "new environment" not in again.stdout and kept.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
def test_a_checkout_that_cannot_be_written_is_one_sentence(checkout):
    for folder in [checkout, *checkout.parents]:
        if (
            Path(tempfile.gettempdir()) in folder.parents
        ):  # pytest's own folders: only their owner may look inside
            folder.chmod(0o755)
    nobody = subprocess.run(
        [shutil.which("python3", path="/usr/bin") or sys.executable, str(checkout / "lib/bookbuild/bootstrap.py")],
        user=65534, group=65534, extra_groups=[], capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert nobody.returncode == 1 and len(nobody.stderr.strip().splitlines()) == 1
    assert f"{checkout}/.venv cannot be written" in nobody.stderr


def test_a_second_make_waits_until_the_first_has_set_up(checkout):
    (checkout / ".venv").mkdir()
    with open(checkout / ".venv" / ".made-by-make-setup", "a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, str(checkout / "lib" / "bookbuild" / "bootstrap.py")],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert second.stdout.readline().startswith("setup: another make is setting up the environment")
            assert [path.name for path in (checkout / ".venv").iterdir()] == [".made-by-make-setup"]
        finally:
            fcntl.flock(first, fcntl.LOCK_UN)
            said = second.communicate(timeout=240)[0]
    assert second.returncode == 0 and "new environment" in said
    assert (checkout / ".venv" / ".setup-complete").exists()


def test_uv_is_told_what_pip_s_settings_say(monkeypatch):
    spec = util.spec_from_file_location("_packages", ROOT / "lib" / "bookbuild" / "_packages.py")
    packages = util.module_from_spec(spec)
    spec.loader.exec_module(packages)
    assert packages.uv_requirement(ROOT).startswith("uv==")
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_", "SSL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", "/a /b")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///c file:///d")
    monkeypatch.setenv("UV_INDEX_STRATEGY", "first-index")
    assert packages.uv_settings(sys.executable) == {
        "UV_FIND_LINKS": "/a,/b",
        "UV_INDEX": "file:///c file:///d",
    }, "and what is set for uv stays"


def test_where_uv_cannot_pip_installs(checkout):
    (checkout / "requirements.txt").write_text("uv==0.0.0.dev0\n")
    failed = setup(checkout)
    assert failed.returncode == 1 and "uv could not install the packages" in failed.stdout
    assert "pip could not install requirements.txt" in failed.stderr


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
