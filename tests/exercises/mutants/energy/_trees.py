"""Samplers of a powercap tree that count twice, fall silent, or take a failure for a number."""

from mutants import Mutant

_TREE = """
def tree_joules(root, looks):
    zones = []
    for package in sorted(Path(root).glob("intel-rapl:*")):
        if package.name.count(":") > 1 or not (package / "name").read_text().startswith({wanted}):
            continue
        zones.append(package)
        zones += [child for child in package.glob("intel-rapl:*") if (child / "name").read_text().strip() == "dram"]
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
                total += now - last[i] if now >= last[i] else now + spans[i] - last[i]
            last[i] = now
    return total / 1e6
"""

_RIGHT = dict(
    wanted='"package"',
    empty='raise FileNotFoundError("no package")',
    opened='text = (zone / "energy_uj").read_text().strip()',
    failed="return None",
)

_SKIPS_WHAT_IS_FORBIDDEN = """try:
            text = (zone / "energy_uj").read_text().strip()
        except PermissionError:
            return None"""


def _wrong(name: str, says: str, hidden: bool = True, **changes: str) -> Mutant:
    return Mutant(name, "tree", _TREE.format(**(_RIGHT | changes)), "tree-test", says, hidden)


MUTANTS = [
    _wrong("gives up at an empty file", "a reading that fails: the error", failed='raise OSError("empty")'),
    _wrong("takes an empty file for 0", "a reading that fails: joules", failed="return 0"),
    _wrong("adds psys", "psys and a twin: joules", wanted='("package", "psys")'),
    _wrong(
        "leaves out what it may not read", "the error without permission", opened=_SKIPS_WHAT_IS_FORBIDDEN
    ),
    _wrong("no package, no joules", "the error in an empty folder", empty="return 0.0"),
]
