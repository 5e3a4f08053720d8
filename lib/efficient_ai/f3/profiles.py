"""The three sizes of the chapter."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cell:
    """One column of the contest: a task and a network.

    Args:
        task: a key of ``TASKS``.
        depth, width: hidden blocks.
        epochs, batch: of every training.
        share: of the training samples.
    """

    task: str
    depth: int
    width: int = 100
    epochs: int = 20
    batch: int = 50
    share: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.task}, {self.depth} hidden"


@dataclass(frozen=True)
class Speed:
    """One network whose epoch is timed on ranks.

    Args:
        blocks: hidden blocks, the last of which is the output's.
        width: of each.
        batch: samples per step.
        steps: of an epoch.
        repeats: epochs that are timed, after one that is not.
    """

    blocks: int
    width: int
    batch: int
    steps: int
    repeats: int

    @property
    def name(self) -> str:
        return f"{self.blocks} x {self.width}"


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        cells: of the contest.
        rates: learning rates that every method may choose from.
        tune_seeds: trainings of each rate, judged on validation data.
        seeds: trainings at the chosen rate, with other seeds; also of what is changed one at a time.
        workers: processes that train.
        delays: epochs between error and use.
        transformer_epochs, transformer_seeds, transformer_rates, transformer_layers: of the transformer.
        transformer_share: of the digits on which it is trained.
        paper_epochs: at the learning rate of the authors' code, for all methods the same.
        depths: at which memory is counted.
        speeds: timed on two ranks.
        cost_repeats: of the measurement of processor seconds.
        ranks: of the cluster.
        patience: seconds that a job on ranks may take.
    """

    cells: tuple[Cell, ...]
    rates: tuple[float, ...]
    tune_seeds: int
    seeds: int
    workers: int
    delays: tuple[int, ...]
    transformer_epochs: int
    transformer_seeds: int
    transformer_rates: tuple[float, ...]
    transformer_layers: int
    transformer_share: float
    paper_epochs: int
    depths: tuple[int, ...]
    speeds: tuple[Speed, ...]
    cost_repeats: int
    ranks: int = 4
    patience: float = 120.0

    @property
    def seed_list(self) -> list[int]:
        """Seeds of what is judged; those of the tuning are others."""
        return [100 + k for k in range(self.seeds)]


_LAPTOP = Profile(
    cells=(
        Cell("digits", 1, epochs=20),
        Cell("digits", 2, epochs=20),
        Cell("Fashion-MNIST", 2, epochs=10, share=0.2),
        Cell("Friedman", 1, epochs=20, batch=100),
        Cell("generation", 1, epochs=10, batch=100, share=0.5),
    ),
    rates=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    tune_seeds=1,
    seeds=5,
    workers=2,
    delays=(0, 1, 2, 4, 8),
    transformer_epochs=4,
    transformer_seeds=3,
    transformer_rates=(1e-3, 3e-3),
    transformer_layers=2,
    transformer_share=1.0,
    paper_epochs=40,
    depths=(2, 4, 8, 16, 32),
    speeds=(Speed(16, 512, 64, 20, 3), Speed(8, 1024, 64, 20, 3)),
    cost_repeats=5,
)

PROFILES = {
    "smoke": replace(
        _LAPTOP,
        cells=(
            Cell("digits", 1, width=40, epochs=3, batch=100),
            Cell("digits", 2, width=40, epochs=3, batch=100),
            Cell("Fashion-MNIST", 2, width=40, epochs=2, batch=100, share=0.05),
            Cell("Friedman", 1, width=40, epochs=3, batch=200),
            Cell("generation", 1, width=40, epochs=2, batch=200, share=0.2),
        ),
        rates=(1e-3, 1e-2),
        tune_seeds=1,
        seeds=3,
        workers=1,
        delays=(0, 1, 4),
        transformer_epochs=1,
        transformer_seeds=2,
        transformer_rates=(3e-3,),
        transformer_layers=1,
        transformer_share=0.25,
        paper_epochs=2,
        depths=(2, 8, 32),
        speeds=(Speed(16, 64, 16, 20, 2), Speed(8, 128, 16, 20, 2)),
        cost_repeats=3,
    ),
    "laptop": _LAPTOP,
    "full": replace(
        _LAPTOP,
        cells=(
            Cell("digits", 1, epochs=60),
            Cell("digits", 2, epochs=60),
            Cell("Fashion-MNIST", 2, epochs=20, share=0.5),
            Cell("Friedman", 1, epochs=40, batch=100),
            Cell("generation", 1, epochs=30, batch=100),
        ),
        rates=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
        tune_seeds=2,
        seeds=10,
        delays=(0, 1, 2, 4, 8),
        transformer_epochs=15,
        transformer_seeds=3,
        transformer_rates=(3e-4, 1e-3, 3e-3),
        transformer_layers=4,
        paper_epochs=100,
        speeds=(Speed(16, 512, 64, 20, 5), Speed(8, 1024, 64, 20, 5)),
    ),
}
