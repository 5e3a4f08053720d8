"""Where the authors' package does something else than it says: measured in the package, and here."""

from random import Random

from efficient_ai.propulate._operators import CrossoverSigmoid
from efficient_ai.propulate._population import Individual
from efficient_ai.propulate._space import Choice, Integer, Space
from efficient_ai.propulate.peers import Record

_GENES = 2000
_MIXED = Space(
    {"layers": Integer(1, 8), "width": Integer(8, 64), "activation": Choice("relu", "tanh", "sigmoid")}
)


def defect_table(record: Record) -> dict[str, list]:
    """Two experiments: what the documentation says, what the package was measured to do, what this library does.

    Args:
        record: of the benchmark, in which the package was measured.
    """
    return {
        "experiment": [
            "sigmoid crossover, losses 0 and 3: genes from the better parent",
            "change a category: how often the vector form still has the old one",
        ],
        "documented": ["95 %", "never"],
        "the package": [
            f"{record.defects['better_parent_share']:.0%}",
            f"{record.defects['misread_categories']:.0%}",
        ],
        "this library": [f"{better_parent_share():.0%}", f"{misread_categories():.0%}"],
    }


def better_parent_share() -> float:
    """Share of genes that :class:`CrossoverSigmoid` takes from the parent with loss 0 where the other has loss 3."""
    crossover = CrossoverSigmoid(1.0)
    parents = [Individual((0.0,) * _GENES, 0.0, 0, 0), Individual((1.0,) * _GENES, 3.0, 0, 1)]
    children = [crossover(pair, Random(0)) for pair in (parents, parents[::-1])]
    return sum(child.count(0.0) for child in children) / (2 * _GENES)


def misread_categories() -> float:
    """Share of changes of a category that do not survive the way into a vector and back."""
    names = _MIXED.genes[-1].values
    changes = [(old, new) for old in names for new in names if old != new]
    return sum(_MIXED.from_vector(_MIXED.to_vector((2, 16, new)))[-1] != new for _, new in changes) / len(
        changes
    )
