"""What the package does where it says something else: two small experiments, in the peers' environment.

Prints one JSON object. Run without MPI ranks beside it.
"""

import json
import random

from propulate.population import Individual
from propulate.propagators import CrossoverSigmoid

GENES = 2000
LIMITS = {"layers": (1, 8), "width": (8, 64), "depth": (1, 4), "activation": ("relu", "tanh", "sigmoid")}


def better_parent_share(seed: int = 0) -> float:
    """Share of the genes that sigmoid crossover at temperature 1 takes from the parent with loss 0, the other has loss 3."""
    limits = {f"x{i}": (0.0, 1.0) for i in range(GENES)}
    parents = [Individual({name: value for name in limits}, limits) for value in (0.0, 1.0)]
    parents[0].loss, parents[1].loss = 0.0, 3.0
    taken = [0.0, 0.0]
    for order in (0, 1):
        child = CrossoverSigmoid(1.0, rng=random.Random(seed))(parents[:: 1 - 2 * order])
        taken[order] = sum(child[name] == 0.0 for name in limits) / GENES
    return sum(taken) / 2


def misread_categories() -> float:
    """Share of the changes from one category to another after which the individual's position still says the old one."""
    names = LIMITS["activation"]
    changes = [(old, new) for old in names for new in names if old != new]
    misread = 0
    for old, new in changes:
        individual = Individual({"layers": 2, "width": 16, "depth": 1, "activation": old}, LIMITS)
        individual["activation"] = new
        misread += Individual(individual.position, LIMITS)["activation"] != new
    return misread / len(changes)


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "better_parent_share": better_parent_share(),
                "misread_categories": misread_categories(),
            }
        )
    )
