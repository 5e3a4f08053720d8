"""The three sizes of the chapter."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        seeds: repetitions of everything that is measured.
        seconds: length of one measured window.
        weeks: windows for training the forecaster, for its validation and for its test.
        images: training images of the small network.
        epochs: of the training of the forecaster.
        image_epochs: of that of the small image network.
        batches: batch sizes of the cost per sample.
        draws: nodes drawn for the node model.
        listening: seconds of one measurement of the sampler's own cost.
        ranks: MPI processes of the job.
        patience: time limit of the job, in seconds.
    """

    seeds: int
    seconds: float
    weeks: tuple[int, int, int]
    images: int
    epochs: int
    image_epochs: int
    batches: tuple[int, ...]
    draws: int
    listening: float
    ranks: int
    patience: float


PROFILES = {
    "smoke": Profile(
        seeds=3, seconds=0.08, weeks=(128, 64, 64), images=256, epochs=2, image_epochs=1, batches=(1, 8, 64),
        draws=20, listening=0.5, ranks=4, patience=60,
    ),
    "laptop": Profile(
        seeds=5, seconds=0.4, weeks=(4096, 512, 1024), images=3000, epochs=20, image_epochs=4, batches=(1, 8, 64, 512),
        draws=200, listening=4.0, ranks=4, patience=120,
    ),
    "full": Profile(
        seeds=10, seconds=1.0, weeks=(8192, 1024, 2048), images=8000, epochs=60, image_epochs=10, batches=(1, 8, 64, 512),
        draws=1000, listening=10.0, ranks=4, patience=300,
    ),
}  # fmt: skip
