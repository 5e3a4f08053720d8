"""What the counter of a GPU says: idle, kernels of equal length, joules per sample, and a trace of its power.

    python benchmarks/energy_gpu.py            on a machine with an NVIDIA board that nobody else uses, three minutes
    python benchmarks/energy_gpu.py --quick    one short repeat of each, to see whether it works

Writes ``results/benchmarks/energy-gpu.json``, which the chapter draws where it finds no board. All joules are those of all boards
of the machine, read by this book's instrument; the processor has seconds only. Refuses to run without a sensor.
"""

import argparse
from pathlib import Path

from efficient_ai import metering, provenance
from efficient_ai._paths import project_root
from efficient_ai.energy import measure_board

ROOT = project_root() or Path(__file__).resolve().parent.parent


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short repeat of each")
    quick = parser.parse_args().quick
    try:
        report = measure_board.record(*((1, 0.3) if quick else (4, 0.7)))
    except metering.EnergyError as error:
        raise SystemExit(str(error)) from None
    provenance.write_json(ROOT / "results" / "benchmarks" / "energy-gpu.json", report)


if __name__ == "__main__":
    main()
