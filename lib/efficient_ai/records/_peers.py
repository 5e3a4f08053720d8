"""The packages that a benchmark compares with, in an environment of their own: they need other versions than the book."""

import fcntl
import json
import subprocess
import sys
from pathlib import Path

from efficient_ai._files import write_atomic
from efficient_ai._paths import build_dir, project_root


class Peers:
    """The environment for ``benchmarks/<name>-requirements.txt``, in ``build/peers/<name>``.

    It is made on first use and again when the requirements or this interpreter change. An interrupted installation
    is started over; two processes that want it at once wait for each other.
    """

    def __init__(self, name: str, requirements: Path | None = None):
        root = project_root() or Path.cwd()
        self.requirements = requirements or root / "benchmarks" / f"{name}-requirements.txt"
        self.folder = build_dir() / "peers" / name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        wanted = f"{sys.version}\n{self.requirements.read_text()}"
        python, noted = self.folder / "bin" / "python", self.folder / "made-from.txt"
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(self.folder.with_name(f".{self.folder.name}.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not noted.exists() or noted.read_text() != wanted or not python.exists():
                print(f"making the environment of the peers in {self.folder}", flush=True)
                subprocess.run([sys.executable, "-m", "venv", "--clear", self.folder], check=True)
                pip = [python, "-m", "pip", "install", "--quiet", "-r", self.requirements]
                subprocess.run(pip, check=True)
                write_atomic(noted, wanted.encode())
        return python

    def versions(self, *packages: str) -> dict[str, str]:
        """Versions of packages in that environment."""
        ask = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
        asked = subprocess.run(
            [self.python, "-c", ask, *packages], capture_output=True, text=True, check=True, timeout=120
        )
        return json.loads(asked.stdout)
