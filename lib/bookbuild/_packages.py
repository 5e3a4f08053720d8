"""Install the packages: with uv, which needs a quarter of the time, or with pip where uv cannot.

As ``bootstrap``, which imports it: the standard library only, in the Python of 2016.
"""

# ruff: noqa: UP031, RUF005
import ast
import collections
import errno
import os
import re
import subprocess
import sys
import time

# What uv is told in the words of pip's settings: a reader's index, proxy certificate or folder of files holds for both.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


class Problem(Exception):
    """Something the reader has to mend; the message says what and how."""


class Progress:
    """One line that changes on a terminal; elsewhere a line now and then."""

    def __init__(self):
        self.start = self.shown = time.time()
        self.count = 0
        self.terminal = sys.stdout.isatty()

    def say(self, text, always=False):
        now = time.time()
        if self.terminal:
            sys.stdout.write("\r\033[Ksetup: %s (%d s)" % (text[:70], now - self.start))
        elif always or now - self.shown > 20:
            sys.stdout.write("setup: %s (%d s)\n" % (text[:70], now - self.start))
        else:
            return
        self.shown = now
        sys.stdout.flush()

    def line(self, text):
        """Turn a line of an installer's output into what is shown."""
        if re.match(r"(?:Resolved|Prepared|Downloading|Building|Uninstalled|Installed) ", text):
            return self.say(text.strip())
        match = re.match(
            r"\s*(?:Collecting|Downloading|Processing|Requirement already satisfied:) ?([^\s;<>=]*)", text
        )
        if match:
            self.count += text.startswith("Collecting")
            self.say("%d packages found, now %s" % (self.count, os.path.basename(match.group(1))))
        elif text.startswith("Installing collected packages"):
            self.say("installing %d packages, a few minutes" % (text.count(",") + 1), always=True)

    def end(self):
        if self.terminal:
            sys.stdout.write("\r\033[K")


def install(root, venv, everything):
    """Bring `venv` to what requirements.txt says, with all output in build/logs/setup.log.

    `everything`: install again also what seems to be there, for an earlier call may have left it half.
    """
    log_path = os.path.join(root, "build", "logs", "setup.log")
    os.makedirs(os.path.dirname(log_path), exist_ok=True)
    python = os.path.join(venv, "bin", "python")
    pip = [python, "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check",
           "--require-virtualenv"]  # fmt: skip
    print(
        "setup: installing requirements.txt; a few minutes the first time, log in %s" % log_path, flush=True
    )
    started, uv = time.time(), uv_requirement(root)
    with open(log_path, "w") as log:
        if uv:
            command = [
                os.path.join(venv, "bin", "uv"),
                "pip",
                "install",
                "--python",
                python,
                "-r",
                "requirements.txt",
            ]
            if (
                run(root, pip + [uv], {}, log)[0] == 0
                and run(root, command + ["--reinstall"] * everything, uv_settings(python), log)[0] == 0
            ):
                print("setup: environment ready in %d s" % (time.time() - started), flush=True)
                return
            print("setup: uv could not install the packages (see the log); pip tries", flush=True)
        code, told = run(root, pip + ["-r", "requirements.txt"], {}, log)
    if code:
        raise Problem(
            "pip could not install requirements.txt. The end of %s:\n\n%s\n"
            "Is a package index reachable (pip config list, PIP_INDEX_URL)? Then call make again."
            % (log_path, told)
        )
    print("setup: environment ready in %d s" % (time.time() - started), flush=True)


def uv_requirement(root):
    """The pinned line ``uv==...`` of requirements.txt, or None: then pip does it all."""
    with open(os.path.join(root, "requirements.txt")) as file:
        found = re.search(r"^uv==\S+", file.read(), re.MULTILINE)
    return found.group() if found else None


def uv_settings(python):
    """pip's settings (files and PIP_... variables) as uv's variables; what the reader set for uv itself stays."""
    listed = subprocess.run([python, "-m", "pip", "config", "list"], stdout=subprocess.PIPE).stdout.decode()
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # as pip: the best file of all indexes
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        name = name.rpartition(".")[2]
        if name in SETTINGS and re.match(r"(:env:|global|install)\.", line):
            value = " ".join(ast.literal_eval(value).split())
            settings[SETTINGS[name]] = value.replace(" ", ",") if name == "find-links" else value
    return {name: value for name, value in settings.items() if name not in os.environ}


def run(root, command, settings, log):
    """(exit code, last lines) of an installer. A full disk is raised as such: another installer would not help."""
    progress, tail = Progress(), collections.deque(maxlen=25)
    environment = dict(os.environ, PYTHONUNBUFFERED="1", **settings)
    environment.pop("PYTHONPATH", None)
    try:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:  # a uv that does not start here
        return 1, str(error)
    for raw in process.stdout:
        text = raw.decode(errors="replace")
        tail.append(text)
        try:
            log.write(text)
            log.flush()
        except (
            OSError
        ):  # a full disk: the installer will say so itself, and must not be cut off in the middle
            pass
        progress.line(text)
    process.wait()
    progress.end()
    told = "".join(tail)
    if process.returncode and os.strerror(errno.ENOSPC) in told:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return process.returncode, told
