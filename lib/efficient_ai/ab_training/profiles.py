"""The three sizes of the chapter."""

from dataclasses import dataclass, replace

from efficient_ai.ab_training._schedule import Schedule


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        seeds: paired trainings of each method.
        tune_seeds: trainings at each rate on which every method chooses its own.
        rates: learning rates to choose from.
        steps: of a training; a multiple of 30.
        width, depth: hidden layers of the network.
        batch: samples per rank and step.
        cutoffs: among which compression is sought.
        small: training images where the gap between training and test is looked at.
        batches: per rank, at the same number of epochs.
        peers: whether the slower peers and the other merges run, too.
        exact_seeds: of identities.
        link: bytes per second between groups on the slow link.
        timed: repeats of a timing, and how many steps each has.
        patience: seconds that a job on ranks may take.
    """

    seeds: int
    tune_seeds: int
    rates: tuple[float, ...]
    steps: int
    width: int
    depth: int
    batch: int
    cutoffs: tuple[float, ...]
    small: int
    batches: tuple[int, ...]
    peers: bool
    exact_seeds: int
    link: float
    timed: int
    patience: float

    @property
    def seed_list(self) -> list[int]:
        return list(range(self.seeds))

    def schedule(self, steps: int | None = None) -> Schedule:
        """The schedule of ResNet-50 on four nodes, in proportion: of 30 parts 6 to warm up, a cycle of two."""
        return scaled(self.steps if steps is None else steps)


def scaled(steps: int) -> Schedule:
    """A schedule with the shares of ResNet-50 on four nodes: warm-up 20.7 %, cycle 6.7 %, of it a tenth together, ramp a quarter."""
    cycle = max(2, round(steps / 15))
    total = cycle * max(2, round(steps / cycle))
    together = max(1, round(cycle / 10))
    return Schedule(total, round(0.2067 * total), cycle, min(together, cycle - 1), max(1, round(cycle / 4)))


_LAPTOP = Profile(
    seeds=5, tune_seeds=2, rates=(0.001, 0.003, 0.01), steps=450, width=128, depth=3, batch=16,
    cutoffs=(0.05, 0.15, 0.3, 0.5), small=200, batches=(16, 64), peers=True, exact_seeds=3, link=2e6, timed=5,
    patience=400,
)  # fmt: skip

PROFILES = {
    "smoke": replace(_LAPTOP, seeds=3, tune_seeds=0, rates=(0.003,), steps=45, width=64, link=8e6, cutoffs=(0.15, 0.4),
                     batches=(16, 64), peers=False, exact_seeds=1, timed=3, patience=100),
    "laptop": _LAPTOP,
    "full": replace(_LAPTOP, seeds=10, tune_seeds=3, steps=1500, width=256, batches=(16, 32, 128), patience=1500),
}  # fmt: skip
