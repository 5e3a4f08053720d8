"""Samplers of a powercap tree that count twice, fall silent, or take a failure for a number."""

from mutants import Mutant

_TREE = """
def tree_joules(root, looks):
    zones = []
    for package in sorted(Path(root).glob("intel-rapl:*")):
        if package.name.count(":") > 1 or not (package / "name").read_text().startswith({wanted}):
            continue
        zones.append(package)
        zones += [child for child in package.glob("intel-rapl:*") if (child / "name").read_text().strip() in {inner}]
    {cut}
    if not zones:
        {empty}
    spans = [int((zone / "max_energy_range_uj").read_text()) for zone in zones]

    def read(zone):
        {opened}
        if not text:
            {failed}
        return int(text)

    last, total = [read(zone) for zone in zones], 0
    for _ in looks:
        for i, zone in enumerate(zones):
            now = read(zone)
            if now is None:
                continue
            if last[i] is not None:
                total += now - last[i] if now >= last[i] else {wrapped}
            last[i] = now
    return total / 1e6
"""

_RIGHT = dict(
    wanted='"package"',
    inner='("dram",)',
    wrapped="now + spans[i] - last[i]",
    cut="",
    empty='raise FileNotFoundError("no package")',
    opened='text = (zone / "energy_uj").read_text().strip()',
    failed="return None",
)

_SKIPS_WHAT_IS_FORBIDDEN = """try:
            text = (zone / "energy_uj").read_text().strip()
        except PermissionError:
            return None"""


def _wrong(name: str, fails: str, says: str, hidden: bool = True, **changes: str) -> Mutant:
    return Mutant(name, "tree", _TREE.format(**(_RIGHT | changes)), f"tree-{fails}-test", says, hidden)


_SLOW = """
def slow_joules(times, values):
    changes = [i for i in range(1, len(values)) if values[i] != values[i - 1]]
    if len(changes) < {least}:
        return {nothing}
    first, last = {first}, {last}
    power = (values[last] - values[first]) / max(times[last] - times[first], 1)
    return power * {length}
"""

_SLOW_RIGHT = dict(
    least=2, nothing=None, first="changes[0]", last="changes[-1]", length="(times[-1] - times[0])"
)


def _slow(name: str, says: str, hidden: bool = True, **changes) -> Mutant:
    return Mutant(name, "slow", _SLOW.format(**(_SLOW_RIGHT | changes)), "slow-test", says, hidden)


MUTANTS = [
    _wrong("adds the cores", "core", "one package: joules", inner='("dram", "core")'),
    _wrong("leaves out the memory", "memory", "memory: joules", inner='("no such zone",)'),
    _wrong("takes the first package", "packages", "two packages: joules", cut="zones = zones[:1]"),
    _wrong("adds psys", "psys", "psys and a twin: joules", wanted='("package", "psys")'),
    _wrong("clamps a wrap to 0", "wrap", "a wrap: joules", wrapped="0"),
    _wrong(
        "gives up at an empty file",
        "failing",
        "a reading that fails: the error",
        hidden=False,
        failed='raise OSError("empty")',
    ),
    _wrong("takes an empty file for 0", "failing", "a reading that fails: joules", failed="return 0"),
    _wrong(
        "leaves out what it may not read",
        "permission",
        "no permission: the error",
        opened=_SKIPS_WHAT_IS_FORBIDDEN,
    ),
    _wrong("no package, no joules", "nothing", "an empty folder: the error", empty="return 0.0"),
    _slow(
        "last reading minus first",
        "590 s at 600 W",
        hidden=False,
        first="0",
        last="-1",
        length="(times[-1] - times[0])",
    ),
    _slow("no change, no joules", "without a change", nothing="0.0 if not changes else None"),
    _slow("one change is enough", "with one change", least=1),
    _slow("time since 0", "begins at 100 s", length="times[-1]"),
]
