"""Train the networks that the PETNet chapter ships, one per seed, and write down how they did.

    python hpc/petnet/train.py --seeds 0 1 2 --updates 2000

Writes ``lib/efficient_ai/petnet/trained/<set>-<seed>.npz`` with the weights and the curve. Runs on a GPU if torch sees one.
"""

import argparse

import torch

from efficient_ai import petnet
from efficient_ai.petnet import trained

SETS = {"small": petnet.SMALL, "standard": petnet.STANDARD}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=SETS, default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--updates", type=int, default=2000)
    parser.add_argument("--hidden", type=int, nargs="+", default=[256])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--tests", type=int, default=16)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the matrices are small; two threads only wait for each other
    recipe = petnet.Recipe(
        SETS[arguments.set], tuple(arguments.hidden), updates=arguments.updates, batch=arguments.batch
    )
    test = petnet.test_set(recipe.settings, 2000)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for seed in arguments.seeds:
        result = petnet.learn(recipe, seed, test=test, tests=arguments.tests, device=device, progress=True)
        path = trained.save(arguments.set, result)
        score = result.tests[-1][1]
        print(f"{path.name}: F1 {score.f1:.4f}, {result.seconds:.0f} s on {device}", flush=True)


if __name__ == "__main__":
    main()
