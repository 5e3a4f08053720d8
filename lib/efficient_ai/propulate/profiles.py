"""The three sizes of the chapter."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        ranks: MPI ranks.
        evaluations: budget of the live search, all ranks together.
        train_images: training images of each candidate network.
        epochs: training epochs of each candidate network.
        seeds: repetitions of the waiting experiment.
        naps: evaluations of one repetition of the waiting experiment.
        nap: mean length of one of these evaluations, in seconds.
        patience: time limit of one call on the ranks, in seconds.
    """

    ranks: int
    evaluations: int
    train_images: int
    epochs: int
    seeds: int
    naps: int
    nap: float
    patience: float


PROFILES = {
    "smoke": Profile(
        ranks=4, evaluations=16, train_images=500, epochs=1, seeds=3, naps=80, nap=0.01, patience=60
    ),
    "laptop": Profile(
        ranks=4, evaluations=64, train_images=3000, epochs=3, seeds=10, naps=160, nap=0.05, patience=300
    ),
    "full": Profile(
        ranks=4, evaluations=400, train_images=8000, epochs=10, seeds=20, naps=1000, nap=0.1, patience=7200
    ),
}
