"""The catalogue of operators as a table, taken from the operators themselves."""

import inspect
import re

from efficient_ai import propulate

_OPERATORS = (
    "InitUniform", "SelectMin", "SelectMax", "SelectUniform", "CrossoverUniform", "CrossoverMultiple", "CrossoverSigmoid",
    "PointMutation", "RandomPointMutation", "IntervalMutationNormal", "Gaussian", "Stochastic", "Conditional", "Compose",
)  # fmt: skip


def operator_table() -> dict[str, list[str]]:
    """Name of each operator, how many parents it takes, and what it does: the first sentence of its description."""
    operators = [getattr(propulate, name) for name in _OPERATORS]
    return {
        "operator": list(_OPERATORS),
        "takes": [_takes(operator) for operator in operators],
        "what it does": [_first_sentence(operator) for operator in operators],
    }


def _takes(operator: type) -> str:
    if operator in (propulate.Compose, propulate.Stochastic):
        return "as its parts"
    return "any number" if operator.parents < 0 else str(operator.parents)


def _first_sentence(operator: type) -> str:
    text = " ".join(inspect.getdoc(operator).split("\n\n")[0].split())
    return re.sub(r":\w+:", "", text).split(". ")[0].rstrip(".") + "."
