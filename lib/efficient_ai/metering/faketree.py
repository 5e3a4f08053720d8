"""A powercap tree made of plain files, whose true energy is known: for tests, exercises and the comparison of tools."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

SPAN_UJ = 262_143_328_850  # the range of a counter of 32 bits in units of 2^-14 J


class PowercapTree:
    """Folders and files as the kernel shows them, with links from the flat folder to the children.

    Args:
        root: an empty folder, made if it is not there.
        packages: how many.
        children: sub-zones of each package, names as in the kernel.
        psys, twin: also a zone of the whole platform, and an ``intel-rapl-mmio`` copy of package 0.
        span_uj: range of every counter in microjoules.
    """

    def __init__(
        self,
        root: Path,
        packages: int = 1,
        children: tuple[str, ...] = ("core", "dram"),
        psys: bool = False,
        twin: bool = False,
        span_uj: int = SPAN_UJ,
    ):
        self.root, self.span_uj = Path(root), span_uj
        self.root.mkdir(parents=True, exist_ok=True)
        self.zones: dict[str, Path] = {}
        self.true_joules: dict[str, float] = {}
        for number in range(packages):
            self._zone(f"package-{number}", self.root / f"intel-rapl:{number}")
            for place, child in enumerate(children):
                name = f"intel-rapl:{number}:{place}"
                self._zone(f"package-{number} {child}", self.root / f"intel-rapl:{number}" / name, child)
                (self.root / name).symlink_to(Path(f"intel-rapl:{number}") / name)
        control = self.root / "intel-rapl"  # the kernel lists the packages here once more
        control.mkdir()
        for number in range(packages):
            (control / f"intel-rapl:{number}").symlink_to(Path("..") / f"intel-rapl:{number}")
        if psys:
            self._zone("psys", self.root / f"intel-rapl:{packages}")
        if twin:
            self._zone("twin", self.root / "intel-rapl-mmio:0", "package-0")

    def _zone(self, key: str, folder: Path, name: str | None = None) -> None:
        folder.mkdir()
        (folder / "name").write_text(f"{name or key}\n")
        (folder / "energy_uj").write_bytes(b"")
        (folder / "max_energy_range_uj").write_text(f"{self.span_uj}\n")
        self.zones[key] = folder
        self.set(key, 0.0)

    def set(self, zone: str, joules: float) -> None:
        """The zone has used ``joules`` since the beginning; the file shows them modulo the range."""
        self.true_joules[zone] = joules
        text = str(round(joules * 1e6) % self.span_uj)
        # In place and of one length, as a file of the kernel: a reader that keeps it open sees the new value, and none
        # finds it empty.
        with open(self.zones[zone] / "energy_uj", "r+b", buffering=0) as file:
            file.write(f"{text:<20}\n".encode())

    def advance(self, watts: Mapping[str, float], seconds: float) -> None:
        """All named zones draw their power for a while."""
        for zone, power in watts.items():
            self.set(zone, self.true_joules[zone] + power * seconds)

    def drive(self, joules: Mapping[str, Callable[[float], float]], every: float = 0.002) -> "Driver":
        """Let the counters follow ``joules(t)``, with ``t`` in seconds from now, until the driver is stopped.

        Args:
            joules: for each zone its energy in joules since the start as a function of time, rising.
        """
        return Driver(self, joules, every)


class Driver:
    """A thread that keeps the counters of a fake tree at the truth; a context manager."""

    def __init__(self, tree: PowercapTree, joules: Mapping[str, Callable[[float], float]], every: float):
        self.tree, self.joules, self.every = tree, joules, every
        self.zero = time.perf_counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(self.every):
            self.write()

    def write(self) -> float:
        """Write all counters now; the time since the start."""
        now = time.perf_counter() - self.zero
        for zone, joules in self.joules.items():
            self.tree.set(zone, joules(now))
        return now

    def __enter__(self) -> "Driver":
        self.zero = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
