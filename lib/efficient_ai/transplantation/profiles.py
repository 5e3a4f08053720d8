"""The three sizes of the chapter."""

from dataclasses import dataclass, replace

from efficient_ai.transplantation._training import Recipe


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        seeds: repetitions, each with members of its own.
        workers: processes that train.
        recipe: of the perceptrons.
        widths: of the main experiment, pairs of members.
        members: how many are fused in the second experiment, at ``width``.
        width: of all other experiments on perceptrons.
        conv: of the residual network and the transformer.
        conv_widths: their widths.
        noise: how far the second member is from the first in the experiment on redundancy, in standard deviations of the
            weights of each layer.
        cost_widths: at which fusion is timed.
        repeats: of timings.
        ranks: of the cluster.
        patience: seconds that everything on ranks may take.
    """

    seeds: int
    workers: int
    recipe: Recipe
    widths: tuple[int, ...]
    members: tuple[int, ...]
    width: int
    conv: Recipe
    conv_widths: tuple[int, int]
    noise: tuple[float, ...]
    cost_widths: tuple[int, ...]
    repeats: int
    ranks: int = 4
    patience: float = 240.0

    @property
    def seed_list(self) -> list[int]:
        return list(range(self.seeds))


_LAPTOP = Profile(
    seeds=5,
    workers=2,
    recipe=Recipe(images=2500, epochs=15, tune=10),
    widths=(16, 32, 64, 128, 256),
    members=(2, 4, 8),
    width=128,
    conv=Recipe(images=1500, epochs=5, tune=3, checked=1000),
    conv_widths=(8, 32),
    noise=(0.0, 0.1, 0.3, 1.0),
    cost_widths=(64, 128, 256, 512, 1024),
    repeats=5,
)

PROFILES = {
    "smoke": replace(
        _LAPTOP,
        seeds=3,
        workers=1,
        recipe=Recipe(images=400, epochs=2, tune=3, checked=200),
        widths=(16, 64),
        members=(2, 4),
        width=32,
        conv=Recipe(images=128, epochs=1, tune=1, checked=100),
        conv_widths=(4, 8),
        noise=(0.0, 0.3),
        cost_widths=(32, 64),
        repeats=3,
        ranks=2,
        patience=120.0,
    ),
    "laptop": _LAPTOP,
    "full": replace(
        _LAPTOP,
        recipe=Recipe(images=8000, epochs=30, tune=30),
        widths=(16, 32, 64, 128, 256, 512, 1024),
        members=(2, 4, 8, 16),
        conv=Recipe(images=8000, epochs=15, tune=10),
        cost_widths=(64, 128, 256, 512, 1024, 2048),
        patience=3600.0,
    ),
}
