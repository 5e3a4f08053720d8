"""The instrument from the command line.

::

    python -m efficient_ai.metering sensors
    python -m efficient_ai.metering run [--repeat 5] [--save NAME] -- COMMAND ...

``sensors`` lists what this machine offers, and how to get at what is denied. ``run`` measures a command: a table on the screen, and
with ``--save NAME`` the numbers in ``NAME.json``, the raw readings in ``NAME.csv`` and power over time in ``NAME.svg``.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from efficient_ai.metering._ladder import best, survey
from efficient_ai.metering._measure import measure
from efficient_ai.metering._measurement import Measurement, quantity
from efficient_ai.metering._record import picture, save
from efficient_ai.metering._repeat import Repeats
from efficient_ai.metering._sensors import EnergyError


def sensors() -> int:
    """Print every source with its state; which one is used."""
    found = survey()
    for status in found:
        print(f"{status.name:12} {status.state:8} {status.detail}")
        for beside in status.source.beside if status.source else ():
            print(f"{'':21} not summed: {beside}")
    print(f"\nused: {best(found).label}, {best(found).covers}")
    return 0


def run(command: list[str], repeats: int, warm_up: int, period: float, name: str | None) -> int:
    """Measure a command; its own exit status, that of the first run that fails."""
    rows: list[Measurement] = []
    for i in range(warm_up + repeats):
        try:
            with measure(command[0], period=period) as meter:
                status = subprocess.run(command).returncode
        except OSError as error:
            print(f"{command[0]}: {error.strerror}: give a command that can be started", file=sys.stderr)
            return 127
        if status:
            print(f"{command[0]} ended with status {status}; nothing is concluded from it", file=sys.stderr)
            return status if status > 0 else 128 - status
        if i >= warm_up:
            rows.append(meter.measurement)
    print(table(rows))
    if name:
        answer = {"command": command, "runs": [row.as_dict() for row in rows]}
        Path(f"{name}.json").write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
        save(meter, Path(f"{name}.csv"))
        Path(f"{name}.svg").write_text(picture(meter), encoding="utf-8")
        print(f"\nwritten: {name}.json; of the last run {name}.csv and {name}.svg")
    return 0


def table(rows: list[Measurement]) -> str:
    """One line for each run, the scatter, and the notes."""
    lines = [
        f"{'run':>4}  {'energy':>9}  {'at least':>9}  {'at most':>9}  {'time':>9}  {'power':>9}  {'CO2e':>9}"
    ]
    for i, m in enumerate(rows, 1):
        cells = (quantity(m.joules, "J"), quantity(m.low, "J"), quantity(m.high, "J"), quantity(m.seconds, "s"),
                 quantity(m.watts, "W"), quantity(m.grams, "g"))  # fmt: skip
        lines.append(f"{i:>4}  " + "  ".join(f"{cell:>9}" for cell in cells))
    if len(rows) > 1:
        several = Repeats(rows, (), False)
        lines.append(
            f"mean  {quantity(several.joules, 'J'):>9}  deviation from run to run {quantity(several.deviation, 'J')}"
        )
    lines += [f"source: {rows[-1].source}; {rows[-1].covers}", f"CO2e at {rows[-1].intensity}"]
    notes = dict.fromkeys(note for row in rows for note in row.notes)
    return "\n".join([*lines, *(f"note: {note}" for note in notes)])


def main(arguments: list[str] | None = None, program: str = "python -m efficient_ai.metering") -> int:
    """Entry point; the exit status."""
    parser = argparse.ArgumentParser(prog=program, description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("sensors", help="what this machine offers")
    measured = commands.add_parser("run", help="measure a command")
    measured.add_argument("--repeat", type=int, default=1, metavar="N", help="runs that are measured")
    measured.add_argument("--warm-up", type=int, default=0, metavar="N", help="runs before, not counted")
    measured.add_argument("--period", type=float, default=1.0, metavar="SECONDS", help="between two readings")
    measured.add_argument("--save", metavar="NAME", help="write NAME.json, NAME.csv and NAME.svg")
    measured.add_argument("command", nargs=argparse.REMAINDER, help="after --: the command")
    asked = parser.parse_args(arguments)
    if asked.what == "sensors":
        return sensors()
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if not command or asked.repeat < 1 or asked.warm_up < 0 or not asked.period > 0:
        parser.error("run needs a command after --, at least one repeat and a period above 0")
    try:
        return run(command, asked.repeat, asked.warm_up, asked.period, asked.save)
    except EnergyError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
