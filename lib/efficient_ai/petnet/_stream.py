"""A scanner that nobody calibrated: its hits as one stream, cut into frames for a network, and what the network keeps.

The generator of the paper has delays and no physics, the Monte Carlo physics and no delays. Here both meet: hits of a scan,
in ticks of a clock, each too early by the fixed delay of its crystal.
"""

import math
from dataclasses import dataclass, replace

import numba
import numpy as np

from efficient_ai.petnet import _valid
from efficient_ai.petnet._detector import Detector
from efficient_ai.petnet._events import Hits, Pairs, on_one_line, span
from efficient_ai.petnet._generator import Recording, draw_delays
from efficient_ai.petnet._montecarlo import Scan, scan
from efficient_ai.petnet._scanner import Phantom, Scanner
from efficient_ai.seeds import seed_for

_LATEST = 1 << 46  # ticks: four roundings are a sixteenth of a tick there
_MIXED = 8  # activities in one drawing of samples


@dataclass(frozen=True)
class Stream:
    """Where the stream comes from and how it is cut.

    A frame begins with a hit after a silence, and ends with the next silence; a frame that gets too long is cut where it
    is. Frames of one hit hold no pair and are left out.

    Args:
        scanner: whose crystals hit.
        phantom: what is scanned when samples are drawn.
        activities: lowest and highest, Bq; samples are drawn from activities between, evenly in the logarithm.
        tick: of the clock, s.
        silence: ticks without a hit that end a frame.
        steps: ticks of a frame, the last ``silence`` of them without hits.
        spread: how far from opposite the crystals of a pair may be.
        delay_max, delay_mean: of the delay of a crystal, in ticks: binomial, drawn once.

    Raises:
        ValueError: a silence that pairs can span, or frames that are not longer than the silence.
    """

    scanner: Scanner
    phantom: Phantom
    activities: tuple[float, float] = (2e7, 1e9)
    tick: float = 2.5e-10
    silence: int = 12
    steps: int = 48
    spread: int = 10
    delay_max: int = 8
    delay_mean: float = 4

    def __post_init__(self):
        for name in ("silence", "steps", "spread", "delay_max"):
            _valid.count(name, getattr(self, name))
        _valid.number("tick", self.tick, 0, above=True)
        _valid.number("delay_mean", self.delay_mean, 0, self.delay_max)
        low, high = _valid.finite("activities", self.activities, (2,))
        if not 0 < low <= high:
            raise ValueError(f"activities from {low:g} to {high:g} Bq: give the lower one first, above 0")
        if not self.delay_max < self.silence < self.steps:
            raise ValueError(
                f"largest delay {self.delay_max} < silence {self.silence} < steps {self.steps} must hold: two hits of a pair "
                "belong into one frame"
            )

    @property
    def detector(self) -> Detector:
        return self.scanner.detector

    @property
    def delays(self) -> np.ndarray:
        """Of each crystal, in ticks, shape ``(crystals,)``."""
        return draw_delays(self)

    def draw(self, samples: int, seed: int) -> Recording:
        """Frames of the phantom at mixed activities, with the pairs that they hold.

        A pair is two hits of one annihilation in one frame, scattered or not; its time is the mean of both without their
        delays, rounded.
        """
        _valid.count("samples", samples)
        rng = np.random.default_rng(seed)
        low, high = np.log(self.activities)
        hits, pairs, begun = [], [], 0
        for part, wanted in enumerate(np.array_split(np.arange(samples), _MIXED)):
            activity, attempt, left = math.exp(rng.uniform(low, high)), 0, len(wanted)
            while left:
                decays = 2000 + 80 * left
                seen = scan(
                    self.scanner, self.phantom, activity=activity, seconds=decays / activity,
                    seed=seed_for(seed, part * 1000 + attempt),
                )  # fmt: skip
                found, partners, _, _ = frames(uncalibrated(seen, self), self)
                count = min(left, int(found.sample.max(initial=-1)) + 1)
                hits.append(_shifted(found[found.sample < count], begun))
                pairs.append(_chosen(partners, partners.sample < count, begun))
                begun, left, attempt = begun + count, left - count, attempt + 1
        joined = Hits(
            *(np.concatenate([getattr(h, n) for h in hits]) for n in ("sample", "crystal", "time", "decay"))
        )
        partners = Pairs(
            *(np.concatenate([getattr(p, n) for p in pairs]) for n in ("sample", "first", "second", "time"))
        )
        return Recording(joined, partners, samples, self, self.delays)


def _shifted(hits: Hits, by: int) -> Hits:
    return replace(hits, sample=hits.sample + by)


def _chosen(pairs: Pairs, keep: np.ndarray, by: int) -> Pairs:
    return Pairs(pairs.sample[keep] + by, pairs.first[keep], pairs.second[keep], pairs.time[keep])


def uncalibrated(seen: Scan, stream: Stream) -> Scan:
    """The scan as its read-out reports it: times in whole ticks, too early by the delay of the crystal, in order of time.

    Of two hits of one crystal in one tick the first one stays.

    Raises:
        ValueError: a crystal that the scanner does not have, or times too late for their tick to be told.
    """
    crystal = _valid.whole("crystal of a scan", seen.crystal, 0, stream.detector.crystals)
    time = whole_ticks(seen.time, stream.tick) - stream.delays[crystal]
    order = np.lexsort((seen.crystal, time))
    time, crystal = time[order], seen.crystal[order]
    new = np.ones(len(time), dtype=bool)
    new[1:] = (np.diff(time) != 0) | (np.diff(crystal) != 0)
    order = order[new]
    return replace(
        seen, time=time[new], crystal=crystal[new], energy=seen.energy[order], decay=seen.decay[order],
        scattered=seen.scattered[order],
    )  # fmt: skip


def whole_ticks(time: np.ndarray, tick: float) -> np.ndarray:
    """The tick in which each time lies, shape ``(n,)``; a time that is a multiple of the tick begins it.

    A multiple is rarely the quotient of two numbers of 64 bits, which may be less by a rounding: what is as close to a
    multiple as roundings bring it, is one.

    Raises:
        ValueError: times so late that a number of 64 bits cannot tell their tick.
    """
    ticks = _valid.finite("time of a scan", time) / tick
    if np.abs(ticks).max(initial=0.0) > _LATEST:
        raise ValueError(
            f"a time of {np.abs(time).max():g} s is too late for a tick of {tick:g} s to be told: cut the scan into "
            "parts that begin at 0, or count in coarser ticks"
        )
    nearest = np.rint(ticks)
    rounding = 4 * np.finfo(float).eps * np.abs(ticks)
    return np.where(np.abs(ticks - nearest) <= rounding, nearest, np.floor(ticks)).astype(np.int64)


def frames(seen: Scan, stream: Stream) -> tuple[Hits, Pairs, np.ndarray, np.ndarray]:
    """Cut an uncalibrated scan into frames.

    Returns:
        the hits, whose samples are frames and whose times begin with each frame; the pairs among them; where each hit
        stands in the scan, shape ``(hits,)``; the tick at which each frame begins, shape ``(frames,)``.

    Raises:
        ValueError: a scan in seconds; :func:`uncalibrated` brings it into ticks.
    """
    time = _valid.whole("time of an uncalibrated scan", seen.time)
    number, start = _cut(time, stream.silence, stream.steps - stream.silence)
    size = np.bincount(number, minlength=len(start)) if len(number) else np.zeros(0, dtype=np.int64)
    index = np.flatnonzero(size[number] > 1)
    kept, sample = np.unique(number[index], return_inverse=True)
    start = start[kept]
    hits = Hits(sample, seen.crystal[index], seen.time[index] - start[sample], seen.decay[index])
    order = np.lexsort((hits.decay, hits.sample))
    first, second = order[:-1], order[1:]
    same = (hits.sample[first] == hits.sample[second]) & (hits.decay[first] == hits.decay[second])
    first, second = first[same], second[same]
    born = hits.time + stream.delays[hits.crystal]
    time = (born[first] + born[second]) // 2
    pairs = Pairs(
        hits.sample[first], hits.crystal[first], hits.crystal[second], np.stack([time, time], axis=1)
    )
    inside = time < stream.steps
    return hits, _chosen(pairs, inside, 0), index, start


@numba.njit(cache=True)
def _cut(time, silence, longest):
    """The number of the frame of each hit, and the first tick of each frame."""
    number = np.empty(len(time), np.int64)
    start = np.empty(len(time), np.int64)
    count = 0
    for i in range(len(time)):
        if i == 0 or time[i] - time[i - 1] > silence or time[i] - start[count - 1] >= longest:
            start[count] = time[i]
            count += 1
        number[i] = count - 1
    return number, start[:count]


def answered(output: Hits, hits: Hits, early: int, late: int) -> tuple[np.ndarray, np.ndarray]:
    """Which hits a network has kept.

    An answer belongs to the last hit of its crystal and sample that is not later than ``early`` steps after it and not
    earlier than ``late`` steps before it. An answer without a hit is ignored: nothing was seen there. Of several answers
    to one hit the first one counts.

    Returns:
        places of the kept hits, ascending, and the times of their answers, shape ``(kept,)`` each.
    """
    longest = span(output, hits)
    early, late = min(_valid.count("early", early), longest), min(_valid.count("late", late), longest)
    asked, keys = on_one_line(output, hits, early + late)
    order = np.argsort(keys, kind="stable")
    keys = np.concatenate([[-late - 1], keys[order]])
    last = np.searchsorted(keys, asked + early, side="right") - 1
    answer = np.flatnonzero(asked - keys[last] <= late)
    hit = order[last[answer] - 1]
    sort = np.lexsort((output.time[answer], hit))
    hit, answer = hit[sort], answer[sort]
    first = np.ones(len(hit), dtype=bool)
    first[1:] = np.diff(hit) != 0
    return hit[first], output.time[answer[first]]


FLAT = Phantom(radius=15.0, length=30.0, rods=((0.0, 0.0, 13.0, 1.0),), rod_length=28.0)
"""The warm cylinder of :data:`RODS` without its rods: what a network learns on must not hold the picture."""

BARS = Stream(Scanner(Detector(1, 120)), FLAT)
"""A ring of 120 bars as long as the scanner: few channels for a network, and the hits of the whole ring."""
