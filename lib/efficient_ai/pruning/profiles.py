"""The three sizes of the chapter."""

from dataclasses import dataclass, replace

from efficient_ai.pruning._train import Recipe

DENSITIES = (*(0.8**n for n in range(10)), 0.05)
"""Nominal densities of the study, 0.8 to the power of 0 to 9, and one beyond."""


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        seeds: repetitions of every training.
        workers: processes that train.
        recipe: of all five models.
        widths: of the Transformers from scratch that the pruned one is compared with; the last one is pruned.
        ratio: share of channels that is removed where one share is enough.
        batches: of the timings.
        timed: width and hidden width of the models that are timed.
        repeats: of the timings.
        matrix: width of the matrix that is multiplied dense and sparse.
    """

    seeds: int
    workers: int
    recipe: Recipe
    widths: tuple[int, ...]
    ratio: float
    batches: tuple[int, ...]
    timed: tuple[int, int]
    repeats: int
    matrix: int

    @property
    def seed_list(self) -> list[int]:
        return list(range(self.seeds))


_LAPTOP = Profile(
    seeds=3,
    workers=2,
    recipe=Recipe(steps=160, tune=50, batch=16, judged=96),
    widths=(8, 16, 32),
    ratio=0.5,
    batches=(1, 3, 32, 256),
    timed=(256, 1024),
    repeats=5,
    matrix=1024,
)

PROFILES = {
    "smoke": replace(
        _LAPTOP,
        workers=1,
        recipe=Recipe(width=16, hidden=32, steps=4, tune=2, batch=4, checks=2, judged=6),
        widths=(8, 16),
        batches=(1, 3, 16),
        timed=(32, 64),
        repeats=3,
        matrix=256,
    ),
    "laptop": _LAPTOP,
    "full": replace(
        _LAPTOP,
        seeds=5,
        recipe=Recipe(width=64, hidden=128, steps=800, tune=200, batch=32, judged=400),
        widths=(16, 32, 48, 64),
        timed=(512, 2048),
        repeats=9,
        matrix=2048,
    ),
}
