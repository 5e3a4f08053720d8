"""The three sizes of the chapter."""

from dataclasses import dataclass, replace

from efficient_ai.jigsaw._config import MixerConfig


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        ranks: MPI ranks.
        seeds: repetitions of the experiments on single products.
        exact_seeds: repetitions of the comparison of whole models.
        steps: Adam steps in which sharded and serial model are compared.
        world: arguments of :func:`efficient_ai.jigsaw.forecast.simulate`.
        width, patch: of the network that learns it.
        epochs, batch, learn_seeds: of its training.
        lead: steps of 6 h of a test forecast.
        solvers: truncations of the coarse solvers it is compared with.
        batch_epochs, batch_seeds: of the experiment on the global batch.
        io: model of the weak scaling experiment.
        strong: models of the strong scaling experiment by name, the smallest first.
        rate: bytes per second that a throttled disk gives to each rank.
        timed_steps, repeats: of the scaling experiments.
        sample: (channels, lat, lon) of the sample that is read from disk.
        hang: seconds after which a deadlock counts as one.
        patience: time limit of one call on the ranks, in seconds.
    """

    ranks: int
    seeds: int
    exact_seeds: int
    steps: int
    world: dict
    width: int
    patch: int
    epochs: int
    batch: int
    learn_seeds: int
    lead: int
    solvers: tuple[int, ...]
    batch_epochs: int
    batch_seeds: int
    io: MixerConfig
    strong: dict[str, MixerConfig]
    rate: float
    timed_steps: int
    repeats: int
    sample: tuple[int, int, int]
    hang: float
    patience: float


_IO = MixerConfig(
    lat=64, lon=128, inputs=32, outputs=32, patch=8, width=64, token_fraction=1 / 16, blocks=1, dropout=0.0,
    shared_bias=False,
)  # fmt: skip
_SMALL = MixerConfig(
    lat=32, lon=64, inputs=16, outputs=16, patch=8, width=512, token_fraction=1.0, blocks=2, dropout=0.0,
    shared_bias=False,
)  # fmt: skip
_WIDE = replace(_SMALL, width=1024)
_STRONG = {
    "small": _SMALL,
    "twice as wide": _WIDE,
    "and four times the grid": replace(_WIDE, lat=64, lon=128),
}

PROFILES = {
    "smoke": Profile(
        ranks=4, seeds=3, exact_seeds=1, steps=2,
        world=dict(truth=21, grid=10, train=4, days=3, spin_up=4, seed=1, valid=1, test=3),
        width=16, patch=4, epochs=3, batch=4, learn_seeds=3, lead=6, solvers=(5, 10, 15),
        batch_epochs=1, batch_seeds=3, io=_IO, strong={"small": _SMALL, "twice as wide": _WIDE}, rate=8e6, timed_steps=2, repeats=3,
        sample=(8, 72, 144), hang=9, patience=120,
    ),
    "laptop": Profile(
        ranks=4, seeds=5, exact_seeds=1, steps=10,
        world=dict(truth=42, grid=15, train=16, days=10, spin_up=30, seed=1, valid=2, test=4),
        width=48, patch=6, epochs=8, batch=4, learn_seeds=3, lead=12, solvers=(10, 15, 21, 31),
        batch_epochs=3, batch_seeds=3, io=_IO, strong=_STRONG, rate=3e6, timed_steps=3, repeats=5,
        sample=(70, 721, 1440), hang=15, patience=400,
    ),
    "full": Profile(
        ranks=4, seeds=10, exact_seeds=2, steps=10,
        world=dict(truth=42, grid=15, train=20, days=10, spin_up=30, seed=1, valid=2, test=4),
        width=48, patch=6, epochs=8, batch=4, learn_seeds=5, lead=12, solvers=(10, 15, 21, 31),
        batch_epochs=3, batch_seeds=5, io=_IO, strong=_STRONG, rate=3e6, timed_steps=5, repeats=6,
        sample=(70, 721, 1440), hang=15, patience=2400,
    ),
}  # fmt: skip
