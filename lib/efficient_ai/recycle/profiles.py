"""The three sizes of the chapter."""

from dataclasses import dataclass, replace

from efficient_ai.recycle._runs import Budget


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        seeds: repetitions of every training that a claim rests on.
        workers: processes that train.
        fast: of the networks on day tokens and the linear ones, on all countries.
        slow: of the networks on hourly tokens or patches, in processor seconds.
        slow_seeds: their repetitions, and those of other comparisons that no claim rests on.
        path_seeds: repetitions of what is changed one at a time, and of the synthetic series.
        household: of all networks on the household.
        controlled: of the trainings on synthetic series.
        small: of the trainings on few days.
        few_days: training days of the small-data experiment.
        cost_windows: windows of the epoch whose cost is measured.
        cost_repeats: repetitions of this.
        edge_epochs: epochs in the limited process.
        edge_runs: of this process.
        edge_methods: what runs there beside ReCycle.
        history_days: histories of the attention budget that are measured, in days.
    """

    seeds: int
    workers: int
    fast: Budget
    slow: Budget
    slow_seeds: int
    path_seeds: int
    household: Budget
    controlled: Budget
    small: Budget
    few_days: tuple[int, ...]
    cost_windows: int
    cost_repeats: int
    edge_epochs: int
    edge_runs: int
    edge_methods: tuple[str, ...]
    history_days: tuple[int, ...]

    def controlled_on(self, budget: Budget) -> Budget:
        """The same effort for a single series: every window, and as many steps as the shared network takes."""
        return replace(budget, stride=1, epochs=2 * budget.epochs, patience=2 * budget.patience)

    @property
    def seed_list(self) -> list[int]:
        return list(range(self.seeds))


_LAPTOP = Profile(
    seeds=5,
    workers=2,
    fast=Budget(stride=6, epochs=12, batch=32, patience=4, valid_stride=9, test_stride=5),
    slow=Budget(stride=4, epochs=3, batch=32, patience=3, cpu_seconds=3, valid_stride=45, test_stride=5),
    slow_seeds=1,
    path_seeds=2,
    household=Budget(epochs=8, batch=32, patience=4),
    controlled=Budget(epochs=10, batch=32, patience=4),
    small=Budget(epochs=14, batch=32, patience=5, test_stride=3),
    few_days=(30, 60, 120, 240, 480),
    cost_windows=192,
    cost_repeats=5,
    edge_epochs=8,
    edge_runs=3,
    edge_methods=(
        "ridge with profile and calendar",
        "days, no residual",
        "NLinear",
        "DLinear",
        "hourly tokens",
        "PatchTST",
        "Autoformer",
    ),
    history_days=(7, 14, 21, 42, 84),
)

PROFILES = {
    "smoke": replace(
        _LAPTOP,
        seeds=3,
        workers=1,
        fast=Budget(stride=90, epochs=1, batch=32, patience=2, valid_stride=60, test_stride=61),
        slow=Budget(
            stride=90, epochs=1, batch=16, patience=1, cpu_seconds=0.2, valid_stride=180, test_stride=61
        ),
        slow_seeds=1,
        path_seeds=2,
        household=Budget(stride=20, epochs=1, patience=1, valid_stride=20, test_stride=20),
        controlled=Budget(stride=20, epochs=1, patience=1, valid_stride=20, test_stride=20),
        small=Budget(epochs=2, batch=32, patience=2, test_stride=20),
        few_days=(30, 120),
        cost_windows=32,
        cost_repeats=3,
        edge_epochs=1,
        edge_runs=2,
        edge_methods=(),
        history_days=(7, 21),
    ),
    "laptop": _LAPTOP,
    "full": replace(
        _LAPTOP,
        seeds=6,
        fast=Budget(stride=2, epochs=14, batch=32, patience=4, valid_stride=4, test_stride=3),
        slow=Budget(stride=1, epochs=5, batch=32, patience=5, cpu_seconds=20, valid_stride=30, test_stride=3),
        slow_seeds=3,
        path_seeds=4,
        household=Budget(epochs=25, batch=32, patience=6),
        controlled=Budget(epochs=20, batch=32, patience=5),
        small=Budget(epochs=30, batch=32, patience=8, test_stride=3),
        few_days=(30, 60, 120, 240, 480),
        cost_windows=512,
        edge_epochs=20,
    ),
}
