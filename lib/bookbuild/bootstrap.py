"""Create or refresh the book's environment. Standard library only: it runs before anything is installed.

Written for Python 3.6 and newer, so that an old Python can still say what is missing. The rules:

* A stamp in the environment is written last. No stamp means that an earlier call was killed: start from nothing.
* A lock keeps two calls apart; the system frees it when its holder dies, however it dies.
* An environment that this script did not make, or that serves another checkout, is never touched.
* What fails for a reason that a reader can mend (no network, a full disk) leaves the environment as it is.
"""

# ruff: noqa: UP031, RUF005, B904   (kept in the Python of 2016, see above)
import argparse
import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _packages import Problem, install

SUPPORTED = ((3, 11), (3, 12), (3, 13))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OWNER = ".made-by-make-setup"  # also the lock
STAMP = ".setup-complete"
INSTALLING = (
    ".setup-installing"  # in the stamp's place while packages change; renamed where pip undid what it began
)
APT_PYTHON = "apt-get install python3 python3-venv"
PROBE = (
    "import sys, json\n"
    "try:\n    import venv, ensurepip, ssl; usable = True\nexcept ImportError: usable = False\n"
    "executable = getattr(sys, '_base_executable', sys.executable)  # not one inside the environment to be made\n"
    "print(json.dumps([list(sys.version_info[:3]), executable, usable]))"
)


def what_the_disk_says(error):
    """One sentence for what a reader can mend about a disk, or None where the error is another."""
    place = error.filename or ROOT
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "the disk is full (%s): free some 2 GB and call make again; an environment that was there stays"
            % place
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return (
            "%s cannot be written: give yourself the right to write there, or work in a copy of the checkout"
            % place
        )
    return None


def probe(command):
    """(version, executable, usable) of a Python, or None where it does not start (a pyenv shim, say)."""
    try:
        done = subprocess.run(
            [command, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
        version, executable, usable = json.loads(done.stdout.decode())
        return tuple(version), executable, usable
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def find_python():
    """The Python to build the environment from: ``$PYTHON``, then the supported names on PATH."""
    chosen = os.environ.get("PYTHON")
    names = [chosen] if chosen else ["python%d.%d" % version for version in SUPPORTED] + ["python3"]
    without_venv, others = [], []
    for name in names:
        found = probe(name)
        if found is None and chosen:
            raise Problem(
                "PYTHON=%s does not start: leave it out, or name a Python 3.11, 3.12 or 3.13" % chosen
            )
        if found is None:
            continue
        version, executable, usable = found
        if version[:2] not in SUPPORTED:
            others.append("%s is %d.%d.%d" % ((name,) + version))
        elif not usable:
            without_venv.append((name, version))
        else:
            return version, executable
    if without_venv:
        name, version = without_venv[0]
        raise Problem(
            "%s is there, but its modules venv and ensurepip are not.\n"
            "On Debian or Ubuntu: apt-get install python%d.%d-venv   (or python3-venv)"
            % (name, version[0], version[1])
        )
    raise Problem(
        "no Python 3.11, 3.12 or 3.13 was found%s.\n"
        "On Debian 12, Ubuntu 24.04 or newer: %s\n"
        "Elsewhere: install one of the three and call  make PYTHON=/path/to/python3.11"
        % (" (%s)" % "; ".join(others) if others else "", APT_PYTHON)
    )


def check_git():
    """The build writes the commit of each run into its record, so git has to be there."""
    try:
        subprocess.run(["git", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise Problem("git was not found. On Debian or Ubuntu: apt-get install git")


def wanted(version):
    """What the environment depends on. Equal to the stamp: nothing to do."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read() + b"\0")
    return {"python": list(version), "root": ROOT, "requirements": digest.hexdigest()}


def read_stamp(venv):
    try:
        with open(os.path.join(venv, STAMP)) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def write_stamp(venv, content, name=STAMP):
    path = os.path.join(venv, name)
    with open(path + ".new", "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def claim(venv):
    """Mark `venv` as ours and lock it until this process ends (the mark is the lock file, never deleted)."""
    import fcntl

    mark = os.path.join(venv, OWNER)
    if os.path.lexists(venv) and not os.path.isdir(venv):
        raise Problem("%s is not a folder: name one for the environment, make VENV=/some/where" % venv)
    if os.path.isdir(venv) and os.listdir(venv) and not os.path.exists(mark):
        raise Problem(
            "%s exists and was not made by `make setup`; it is left alone.\n"
            "Remove it, or choose another place: make VENV=/some/where" % venv
        )
    refuse_another_checkout(venv, mark)
    os.makedirs(venv, exist_ok=True)
    handle = open(mark, "a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("setup: another make is setting up the environment; waiting for it", flush=True)
        fcntl.flock(handle, fcntl.LOCK_EX)
        refuse_another_checkout(venv, mark)
    handle.truncate(0)
    handle.write(ROOT)
    handle.flush()
    return handle


def refuse_another_checkout(venv, mark):
    """The library is installed from one checkout: a second one would take the environment from the first."""
    try:
        with open(mark) as file:
            owner = file.read().strip()
    except OSError:
        return
    owner = owner or (read_stamp(venv) or {}).get("root", "")
    inside = os.path.realpath(venv).startswith(
        os.path.realpath(ROOT) + os.sep
    )  # copied along with its checkout
    alive = os.path.exists(os.path.join(owner, "lib", "bookbuild", "bootstrap.py"))
    if owner and owner != ROOT and alive and not inside:
        raise Problem(
            "%s is the environment of the checkout in %s; a checkout needs one of its own: make VENV=/some/where"
            % (venv, owner)
        )


def create(venv, executable):
    """An empty environment in `venv`, whatever a killed call left there."""
    for name in os.listdir(venv):
        if name != OWNER:
            path = os.path.join(venv, name)
            (shutil.rmtree if os.path.isdir(path) and not os.path.islink(path) else os.remove)(path)
    print("setup: new environment in %s" % venv, flush=True)
    done = subprocess.run([executable, "-m", "venv", venv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Problem(
            "the environment could not be created:\n%s" % done.stdout.decode(errors="replace").strip()
        )


def up_to_date(venv):
    """Quick answer without starting another Python: the stamp holds the version it was made from."""
    stamp = read_stamp(venv)
    if not stamp or not os.access(os.path.join(venv, "bin", "python"), os.X_OK):
        return False
    return stamp == wanted(stamp["python"])


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Create or refresh the book's environment.")
    parser.add_argument("--venv", default=".venv", help="folder of the environment, relative to the checkout")
    venv = os.path.join(ROOT, parser.parse_args(arguments).venv)
    if up_to_date(venv) and not os.environ.get("PYTHON"):
        return 0
    try:
        if os.name != "posix":
            raise Problem("the book is built on Linux or macOS; on Windows use the Linux subsystem (WSL)")
        check_git()
        version, executable = find_python()
        lock = claim(venv)
        goal, stamp = wanted(version), read_stamp(venv)
        if stamp != goal:
            if not stamp or (stamp["python"], stamp["root"]) != (goal["python"], ROOT):
                create(venv, executable)
            write_stamp(venv, dict(goal, requirements="incomplete"), INSTALLING)
            if os.path.exists(os.path.join(venv, STAMP)):
                os.remove(os.path.join(venv, STAMP))
            try:
                install(ROOT, venv, everything=bool(stamp and stamp["requirements"] == "incomplete"))
                write_stamp(venv, goal)
            except (Problem, OSError):  # pip undid what it began: the environment is sound, only not complete
                os.replace(os.path.join(venv, INSTALLING), os.path.join(venv, STAMP))  # needs no space
                raise
            os.remove(os.path.join(venv, INSTALLING))
        lock.close()
    except Problem as problem:
        print("setup: %s" % problem, file=sys.stderr)
        return 1
    except OSError as error:
        told = what_the_disk_says(error)
        if told is None:
            raise
        print("setup: %s" % told, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsetup: stopped; the next make starts again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
