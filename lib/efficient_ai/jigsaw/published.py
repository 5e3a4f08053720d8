"""What the authors logged, to be drawn beside our measurements: job logs and result files of their public repository.

Every number here is the paper's, not ours. Source: the artefact repository of the paper (github.com/DeifiliaTo/Jigsaw_SC),
job logs of the weak scaling with data parallelism, and the result files of throughput and of single-node scaling.
The tables of the paper itself could not be read while this chapter was written.
"""

from dataclasses import dataclass

from efficient_ai.jigsaw._config import MixerConfig

SOURCE = "job logs and result files of the authors' repository"
READ_SECONDS = 0.245
"""Time to read one sample (input and target, 573 MB) of a single run, from its I/O-limited epochs."""
GPUS_PER_NODE = 4
PEAK_PFLOPS = 256 * 0.156
"""TF32 peak of 256 A100 GPUs at 156 TFLOP/s."""


@dataclass(frozen=True)
class Series:
    """Weak scaling with data parallelism: one model instance on ``ways`` GPUs, copies of it on more.

    Args:
        minutes: per epoch of 100 samples per instance, by number of GPUs; the first entry is one instance alone.
        cancelled: numbers of GPUs whose run was cancelled before its end.
        efficiency: as the authors computed it, by number of GPUs.
    """

    ways: int
    config: MixerConfig
    minutes: dict[int, float]
    efficiency: dict[int, float]
    cancelled: tuple[int, ...] = ()


def _model(width: int, token_fraction: float) -> MixerConfig:
    return MixerConfig(width=width, token_fraction=token_fraction)


SCALING = (
    Series(
        1, _model(4320, 0.5),
        {1: 1.189, 8: 1.739, 16: 1.792, 32: 1.809, 64: 1.897, 128: 2.075, 256: 2.253},
        {1: 1, 8: 0.66, 16: 0.65, 32: 0.64, 64: 0.62, 128: 0.61, 256: 0.51},
    ),
    Series(
        2, _model(8192, 0.5),
        {2: 1.243, 8: 1.387, 16: 1.599, 32: 1.681, 64: 1.692, 128: 1.68, 256: 1.851},
        {2: 1, 8: 0.90, 16: 0.75, 32: 0.74, 64: 0.74, 128: 0.74, 256: 0.68}, cancelled=(128,),
    ),
    Series(
        4, _model(10352, 1.0),
        {4: 1.566, 8: 1.666, 16: 1.83, 32: 1.994, 64: 2.07, 128: 2.151, 256: 2.163},
        {4: 1, 8: 0.94, 16: 0.85, 32: 0.79, 64: 0.75, 128: 0.74, 256: 0.72}, cancelled=(16, 64),
    ),
)  # fmt: skip

THROUGHPUT = {
    0.25: (3.06, 5.53, 6.08), 0.5: (6.16, 10.70, 11.68), 1: (12.11, 18.47, 21.11), 2: (24.74, 28.87, 28.06),
    4: (37.81, 40.92, 38.91), 8: (48.64, 54.78, 46.30), 16: (66.55, 62.00, 57.14),
}  # fmt: skip
"""TFLOP/s per GPU with data loading (TF32), by forward TFLOP per GPU, for 1-, 2- and 4-way."""

WEAK_IO = {2: 1.52, 4: 1.74}
"""Weak scaling efficiency on one node with data loading, 1 TFLOP per GPU (TF32), by number of GPUs."""
WEAK_NO_IO = {2: 0.99, 4: 0.96}
"""The same without data loading."""
STRONG_16 = {2: 1.66, 4: 2.26}
"""Strong scaling on one node without data loading, 16 TFLOP (TF32), by number of GPUs."""

LADDER = (
    (368, 1 / 32, 61.5, 0.26), (512, 1 / 8, 232, 0.53), (896, 1 / 8, 240, 0.99), (1600, 1 / 8, 260, 1.99),
    (2192, 1 / 4, 504, 3.96), (2832, 1 / 2, 980, 8.03), (4896, 1 / 2, 1100, 15.96), (6064, 1, 2090, 32.1),
    (10352, 1, 2570, 64.0),
)  # fmt: skip
"""(width, token fraction, million parameters, forward TFLOP) of the models of the scaling experiments."""

COUNTS = {
    "d = 4320, serial": (1_062_380_154, _model(4320, 0.5), None),
    "d = 4896, serial": (1_101_500_346, _model(4896, 0.5), None),
    "d = 4896, 2-way": (1_103_268_024, _model(4896, 0.5), (1, 2)),
    "d = 4896, 4-way": (1_103_453_424, _model(4896, 0.5), (2, 2)),
}
"""Numbers of parameters in the logs, with model and grid."""

BATCH_EFFECT = {
    "global batch 8 (1-way)": 45.15,
    "global batch 4 (2-way)": 40.73,
    "global batch 2 (4-way)": 40.79,
}
"""RMSE of the geopotential at 500 hPa in m^2/s^2 after about 100 epochs, one run each."""
