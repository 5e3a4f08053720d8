"""Train networks of the PETNet chapter and write down how they did. Runs on a GPU if torch sees one.

    python hpc/petnet/train.py --valid --rates 3e-3 6e-3 1e-2 --updates 2000   choose a rate, by samples that judge nothing else
    python hpc/petnet/train.py --ship --rates 1e-2 --updates 6000              the networks of the small set that ship
    python hpc/petnet/train.py --set standard --record FILE                    how they learn on the paper's standard set

One training for each rate and seed. ``--ship`` writes ``lib/efficient_ai/petnet/trained/<set>-<seed>.npz`` with the weights and
the curve; ``--record`` adds all curves to a JSON file. The chapter reads ``results/benchmarks/petnet-trainings.json``.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import torch

from efficient_ai import metering, petnet, provenance
from efficient_ai.petnet import trained


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = petnet.Recipe(petnet.SMALL)
    parser.add_argument("--set", choices=trained.SETS, default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--updates", type=int, default=default.updates)
    parser.add_argument("--hidden", type=int, nargs="+", default=list(default.hidden))
    parser.add_argument("--batch", type=int, default=default.batch)
    parser.add_argument("--rates", type=float, nargs="+", default=[default.rate])
    parser.add_argument("--loss", choices=petnet.LOSSES, default=default.loss)
    parser.add_argument("--parts", type=int, default=1, help="a batch goes through in so many parts")
    parser.add_argument("--tests", type=int, default=16, help="how often a network is judged while it learns")
    parser.add_argument("--samples", type=int, default=2000, help="on which it is judged")
    parser.add_argument("--valid", action="store_true", help="judge on the samples for choosing a recipe")
    parser.add_argument("--ship", action="store_true", help="write the weights into the library")
    parser.add_argument("--record", type=Path, help="write all curves into this file")
    chosen = parser.parse_args()
    if chosen.ship and (len(chosen.rates) > 1 or chosen.valid):
        parser.error("--ship takes one rate, and networks that were judged on the test samples")
    return chosen


def main() -> None:
    """Train one network after the other; the record is written after each of them."""
    chosen = options()
    torch.set_num_threads(1)  # the matrices are small; two threads only wait for each other
    settings = trained.SETS[chosen.set]
    judged_on = (petnet.valid_set if chosen.valid else petnet.test_set)(settings, chosen.samples)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    earlier = (
        json.loads(chosen.record.read_text())["records"] if chosen.record and chosen.record.exists() else []
    )
    record = {
        "set": chosen.set,
        "judged on": f"{chosen.samples} samples of the {'validation' if chosen.valid else 'test'} set",
        "machine": provenance.machine(),
        "commit": provenance.commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": provenance.versions(),
        "trainings": [],
    }
    for rate in chosen.rates:
        recipe = petnet.Recipe(
            settings, tuple(chosen.hidden), chosen.loss, True, chosen.updates, chosen.batch, rate
        )
        for seed in chosen.seeds:
            with metering.measure(f"training, seed {seed}") as meter:
                result = petnet.learn(
                    recipe, seed, test=judged_on, tests=chosen.tests,
                    device=device, parts=chosen.parts, progress=True,
                )  # fmt: skip
            record["trainings"].append(trained.told(result) | {"energy": meter.measurement.as_dict()})
            if chosen.record:
                provenance.write_json(chosen.record, {"records": [*earlier, record]})
            if chosen.ship:
                print(trained.save(chosen.set, result))
            score = result.tests[-1][1]
            told = {"F1": score.f1, "precision": score.precision, "recall": score.recall}
            told |= {"seconds": result.seconds, "joules": meter.joules, "source": meter.source}
            print(json.dumps({"set": chosen.set, "rate": rate, "seed": seed} | told), flush=True)


if __name__ == "__main__":
    main()
