"""Side by side: DDP, FSDP2, DTensor, Megatron-style and Jigsaw share one MLP block over 2 and 4 gloo ranks.

    python benchmarks/jigsaw.py            five rounds, minutes
    python benchmarks/jigsaw.py --rounds 1

All sides are in torch, which is in the book's environment. Memory that is freed stays with its process, for all sides: else the
C library gives large arrays back and fetches them anew in every step, and that is what would be compared. Rounds are
interleaved: each round measures every side on fresh processes, so that a busy minute does not hit one side only. One thread per
rank. Four ranks on fewer cores are marked.
Writes ``results/benchmarks/jigsaw.json`` when all rounds are through; the chapter draws from it.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MALLOC_MMAP_THRESHOLD_"] = os.environ["MALLOC_TRIM_THRESHOLD_"] = str(1 << 30)

from jigsaw_sides import measure  # noqa: E402
from jigsaw_sides.sides import SIDES, Sizes  # noqa: E402

from efficient_ai import records  # noqa: E402
from efficient_ai.parallel import run_ranks  # noqa: E402

SIZES = Sizes(
    batch=4, tokens=512, width=768, hidden=768
)  # hidden as wide as the stream, as in the published mixers
RANKS = (2, 4)


def measure_side(job: dict, steps: int, repeats: int) -> dict:
    """One side on fresh ranks: peak bytes and bytes sent of the busiest rank, seconds of each step of the first."""
    with tempfile.TemporaryDirectory() as folder:
        found = run_ranks(measure.run, job["ranks"], folder, job["side"], SIZES, steps, repeats, timeout=300)
    busiest = {key: max(rank[key] for rank in found) for key in ("peak", "sent")}
    return busiest | {"seconds": found[0]["seconds"]}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="instead of results/benchmarks/jigsaw.json")
    chosen = parser.parse_args()
    jobs = [
        {"round": number, "ranks": ranks, "side": side}
        for number in range(chosen.rounds)
        for ranks in RANKS
        for side in SIDES
    ]
    sitting = records.Sitting("jigsaw", path=chosen.out)
    rows = sitting.run(jobs, lambda job: measure_side(job, chosen.steps, chosen.repeats))
    sitting.write({"sizes": vars(SIZES), "cores": len(os.sched_getaffinity(0)), "rows": rows})


if __name__ == "__main__":
    main()
