"""The event generator of the paper's code: rings, delays, a spread and an efficiency; no transport of photons."""

from dataclasses import dataclass

import numpy as np

from efficient_ai.petnet import _valid
from efficient_ai.petnet._detector import Detector
from efficient_ai.petnet._events import Hits, Pairs


@dataclass(frozen=True)
class Settings:
    """What is simulated.

    Args:
        detector: rings and crystals.
        steps: time bins of a sample.
        activity: mean number of decays in a sample; at least one happens.
        efficiency: probability that a photon is seen, each on its own.
        spread: how far from its opposite crystal the second photon may hit, in crystals and rings, at least 2.
        delay_max, delay_mean: of the delay of a crystal, in bins: binomial, drawn once.
        inferred: which of these are not in the paper or its code, but were inferred from its logs.

    Raises:
        ValueError: numbers for which the generator is not defined; the message says which.
    """

    detector: Detector
    steps: int
    activity: float
    efficiency: float
    spread: int
    delay_max: int
    delay_mean: float
    inferred: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("steps", "spread", "delay_max"):
            _valid.count(name, getattr(self, name))
        for name in ("activity", "efficiency", "delay_mean"):
            _valid.number(name, getattr(self, name))
        if not 0 < self.efficiency <= 1 or not self.activity > 0:
            raise ValueError(
                f"efficiency={self.efficiency} must be in (0, 1], activity={self.activity} positive"
            )
        if self.spread < 2 or self.detector.rings < 2:
            raise ValueError(
                "the released rule for the second ring needs spread >= 2 and at least 2 rings, got "
                f"spread={self.spread} and {self.detector.rings} rings"
            )
        if not 0 <= self.delay_mean <= self.delay_max or not self.delay_max < self.steps:
            raise ValueError(
                f"delays: 0 <= mean {self.delay_mean} <= max {self.delay_max} < steps {self.steps} must hold"
            )

    def draw(self, samples: int, seed: int) -> "Recording":
        """Samples with these settings: :func:`generate`."""
        return generate(self, samples, seed)


STANDARD = Settings(
    Detector(8, 30), 1000, 10, 0.2, 2, 20, 10,
    inferred=("rings", "crystals per ring", "activity", "efficiency", "spread", "delays"),
)  # fmt: skip
SAFIR = Settings(Detector(16, 180), 2000, 5, 0.141, 3, 50, 25)
TINY = Settings(Detector(2, 12), 80, 2, 0.45, 2, 6, 3, inferred=("everything: a size for many trainings",))
SMALL = Settings(Detector(4, 16), 160, 2, 0.45, 2, 8, 4, inferred=("everything: a size for two cores",))


@dataclass(frozen=True)
class Recording:
    """Many samples of one scanner.

    Args:
        hits: what the scanner saw.
        pairs: which of it belongs together; the time of both is that of the decay.
        samples: how many there are; some may be empty.
        settings: of the scanner.
        delays: of each crystal, in bins, shape ``(crystals,)``.
    """

    hits: Hits
    pairs: Pairs
    samples: int
    settings: Settings
    delays: np.ndarray


def draw_delays(settings: Settings, seed: int = 0) -> np.ndarray:
    """The delay of each crystal in bins, shape ``(crystals,)``: one draw for all samples, a property of the scanner."""
    share = settings.delay_mean / settings.delay_max if settings.delay_max else 0.0
    return np.random.default_rng(seed).binomial(settings.delay_max, share, settings.detector.crystals)


def generate(settings: Settings, samples: int, seed: int, delays: np.ndarray | None = None) -> Recording:
    """Draw ``samples`` samples (section 3.2 of the released simulator, all samples at once).

    Two photons hit opposite crystals, up to the spread; each is seen or not. A seen photon makes a hit ``delay`` bins
    before the time of its decay. If both are seen, they are a pair at the time of the decay.

    Args:
        settings: what is simulated.
        samples: how many.
        seed: of the decays; the delays have their own.
        delays: of the crystals; default :func:`draw_delays`.

    Raises:
        ValueError: a number of samples that is none, or delays that are not one whole number of bins for each crystal.
    """
    _valid.count("samples", samples)
    rng = np.random.default_rng(seed)
    detector, spread = settings.detector, settings.spread
    if delays is None:
        delays = draw_delays(settings)
    delays = _valid.whole("delays", _valid.finite("delays", delays, (detector.crystals,)), 0, settings.steps)
    decays = np.maximum(rng.poisson(settings.activity, samples), 1)
    sample = np.repeat(np.arange(samples), decays)
    n = len(sample)
    time = rng.integers(delays.max(), settings.steps, n)
    ring1, column1 = rng.integers(0, detector.rings, n), rng.integers(0, detector.per_ring, n)
    column2 = (column1 + detector.per_ring // 2 + rng.integers(-spread, spread, n)) % detector.per_ring
    # The released code mirrors ring y to Nr - y instead of Nr - 1 - y; within the spread both are opposite.
    lowest = np.maximum(detector.rings - ring1 - spread, 0)
    beyond = np.minimum(detector.rings - ring1 + spread, detector.rings - 1)
    ring2 = rng.integers(lowest, np.maximum(beyond, lowest + 1))
    first = ring1 * detector.per_ring + column1
    second = ring2 * detector.per_ring + column2
    seen1, seen2 = rng.random(n) < settings.efficiency, rng.random(n) < settings.efficiency
    number = np.arange(n)
    hits = Hits.sort(
        np.concatenate([sample[seen1], sample[seen2]]),
        np.concatenate([first[seen1], second[seen2]]),
        np.concatenate([time[seen1] - delays[first[seen1]], time[seen2] - delays[second[seen2]]]),
        np.concatenate([number[seen1], number[seen2]]),
    )
    both = seen1 & seen2
    pairs = Pairs(sample[both], first[both], second[both], np.stack([time[both]] * 2, axis=1))
    return Recording(hits, pairs, samples, settings, delays)
