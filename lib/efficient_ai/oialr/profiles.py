"""The three sizes of the chapter."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        seeds: repetitions that a claim rests on.
        images: training images of clothes.
        epochs: of each training on them.
        hidden: width of the hidden layers.
        batch: images in a step.
        rate: first learning rate of AdamW, falling like a cosine to zero.
        checkpoints: of the weights, for the stability of the basis.
        trials: settings that are tried for each side of the tuned comparison.
        hours: training windows of the forecaster.
        forecast_epochs: of its training.
        before: ordinary steps before the first adaptive one is measured.
    """

    seeds: int
    images: int
    epochs: int
    hidden: int = 192
    batch: int = 64
    rate: float = 2e-3
    checkpoints: int = 10
    trials: int = 6
    hours: int = 96
    forecast_epochs: int = 20
    before: int = 2500

    @property
    def seed_list(self) -> list[int]:
        return list(range(self.seeds))

    @property
    def steps(self) -> int:
        """Optimiser steps of a training on images."""
        return self.epochs * -(-self.images // self.batch)


_LAPTOP = Profile(seeds=5, images=2000, epochs=16)

PROFILES = {
    "smoke": replace(
        _LAPTOP,
        seeds=3,
        images=512,
        epochs=6,
        hidden=96,
        checkpoints=6,
        trials=2,
        hours=64,
        forecast_epochs=3,
        before=300,
    ),
    "laptop": _LAPTOP,
    "full": replace(
        _LAPTOP, seeds=10, images=8000, epochs=30, hidden=256, trials=16, hours=512, forecast_epochs=30
    ),
}
