"""Run the races of the transplantation chapter at any size, on a GPU if torch sees one.

    python hpc/transplantation/race.py --record races.jsonl --widths 512 1024 2048 --images 50000
    sbatch --ntasks=4 hpc/transplantation/race.sbatch --record races.jsonl --kind residual --widths 16 32 64
    python hpc/transplantation/race.py --record races.jsonl --show

One race: members are trained, fused by every method and fine-tuned. Tasks of a Slurm step deal the races among themselves. Each finished race is a line of the
record; what is there already is not run again, so an interrupted grid is taken up by the same command.
"""

import argparse
import fcntl
import json
import os
from dataclasses import asdict
from itertools import product
from pathlib import Path

import torch

from efficient_ai import provenance
from efficient_ai.transplantation import Recipe
from efficient_ai.transplantation.experiments import Job, run

KINDS = ("perceptron", "residual", "transformer")


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", type=Path, required=True, help="file of lines; races are added to it")
    parser.add_argument("--show", action="store_true", help="only print what the record holds")
    parser.add_argument("--kind", choices=KINDS, default="perceptron")
    parser.add_argument("--widths", type=int, nargs="+", default=[128])
    parser.add_argument("--members", type=int, nargs="+", default=[2], help="how many are fused")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--images", type=int, default=Recipe.images)
    parser.add_argument("--epochs", type=int, default=Recipe.epochs, help="of a member")
    parser.add_argument("--tune", type=int, default=Recipe.tune, help="epochs of fine-tuning")
    parser.add_argument("--checked", type=int, default=Recipe.checked, help="validation and test images")
    parser.add_argument(
        "--variants", action="store_true", help="iterative, hierarchical, cut first, copies, too"
    )
    chosen = parser.parse_args()
    if min(chosen.members) < 2 or min(chosen.widths) < 1 or chosen.epochs < 1 or chosen.tune < 1:
        parser.error("fuse at least two members of width 1 or more, and train for an epoch or more")
    return chosen


def name_of(job: Job) -> str:
    """What makes a race the same race, wherever it runs."""
    said = asdict(job)
    said["recipe"].pop("device")
    return json.dumps(said, sort_keys=True)


def lines(record: Path) -> list[dict]:
    """The finished races; a line that was cut off is none."""
    found = []
    for line in record.read_text(encoding="utf-8").splitlines() if record.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def keep(record: Path, row: dict) -> None:
    """Add one line, whole, also if several tasks write at once."""
    record.parent.mkdir(parents=True, exist_ok=True)
    with open(record, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0, os.SEEK_END)
        file.write(("\n" if file.tell() else "") + json.dumps(row))
        file.flush()
        os.fsync(file.fileno())


def show(record: Path) -> None:
    """Last epochs by method, one line for each race."""
    for row in lines(record):
        for race in row["races"]:
            last = ", ".join(f"{name} {curve[-1]:.1f}" for name, curve in race["curves"].items())
            print(
                f"width {race['width']}, {race['k']} members, seed {race['seed']}: ensemble {race['ensemble']:.1f}, {last}"
            )


def main() -> None:
    """Run the races of this task."""
    chosen = options()
    if chosen.show:
        return show(chosen.record)
    task, tasks = (
        int(os.environ.get(name, default)) for name, default in (("SLURM_PROCID", 0), ("SLURM_NTASKS", 1))
    )
    device = f"cuda:{task % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu"
    recipe = Recipe(chosen.images, chosen.epochs, chosen.tune, checked=chosen.checked, device=device)
    members = tuple(sorted(set(chosen.members)))
    jobs = [
        Job("race", chosen.kind, width, seed, members, recipe, variants=chosen.variants)
        for seed, width in product(chosen.seeds, chosen.widths)
    ]
    done = {row["job"] for row in lines(chosen.record)}
    for number, job in enumerate(jobs):
        name = name_of(job)
        if number % tasks != task or name in done:
            continue
        races = [asdict(race) for race in run(job)]
        said = {"machine": provenance.machine(), "commit": provenance.commit(), "device": device}
        keep(chosen.record, {"job": name, **said, "races": races})
        print(f"{number + 1} of {len(jobs)}: {name}", flush=True)
    return None


if __name__ == "__main__":
    main()
