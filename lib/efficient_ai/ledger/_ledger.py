"""What a run records: one value per seed and claim, from which interval and verdict follow."""

import datetime
import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from efficient_ai import metering, profiles, provenance
from efficient_ai._paths import build_dir
from efficient_ai.ledger._claims import (
    NEEDS_HARDWARE,
    STATISTICS,
    VERDICTS,
    Claim,
    Entry,
    LargerHardware,
    LedgerError,
)
from efficient_ai.ledger._html import to_html


def interval(
    values: Sequence[float], statistic: str = "mean", level: float = 0.95
) -> tuple[float, float, float]:
    """Statistic of ``values`` (shape ``(n,)``) over seeds with its bootstrap interval.

    Bias-corrected and accelerated bootstrap (Efron 1987) by :func:`scipy.stats.bootstrap` with a fixed generator, so
    that equal numbers give equal intervals. A single value, or equal values, have an interval of width zero.

    Returns:
        ``(value, low, high)``
    """
    from scipy.stats import bootstrap

    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or sample.size == 0 or not np.isfinite(sample).all():
        raise LedgerError(f"an interval needs a list of finite numbers, got {values!r}")
    function = STATISTICS[statistic]
    value = float(function(sample))
    origin, spread = float(sample.min()), float(np.ptp(sample))
    if spread == 0:
        return value, value, value
    # BCa divides by the spread of the leave-one-out estimates, which a median of few values may not have.
    method = "BCa" if statistic == "mean" and sample.size > 2 else "percentile"
    # In units of their own spread: squares of very small differences would vanish, and the interval with them.
    result = bootstrap(
        ((sample - origin) / spread,),
        function,
        confidence_level=level,
        method=method,
        n_resamples=4000,
        rng=np.random.default_rng(0),
    )
    low, high = (origin + spread * float(end) for end in result.confidence_interval)
    return value, low, high


class Ledger:
    """Collects the values of one run of one chapter.

    Args:
        chapter: name of the chapter, as its sub-package.
        claims: the claims of the chapter.
        profile: the profile of this run.

    Example:
        >>> ledger = Ledger("propulate", CLAIMS, profile)                # doctest: +SKIP
        >>> ledger.record("A", speed_ups, seeds=seeds, baseline="synchronous generations")   # doctest: +SKIP
        >>> ledger.write()                                               # doctest: +SKIP
    """

    def __init__(self, chapter: str, claims: Sequence[Claim], profile: str):
        ids = [claim.id for claim in claims]
        if len(set(ids)) != len(ids):
            raise LedgerError(f"two claims of {chapter} share an id: {', '.join(ids)}")
        if profile not in profiles.NAMES:
            raise LedgerError(f"unknown profile {profile!r}: choose one of {', '.join(profiles.NAMES)}")
        self.chapter, self.profile = chapter, profile
        self._claims = {claim.id: claim for claim in claims}
        self._entries: dict[str, Entry] = {}
        self._started = time.monotonic()
        # Every minute is enough for a counter that wraps; the estimate needs its edges alone.
        self._meter = metering.measure(chapter, period=60.0).start()
        for claim in claims:
            rule = claim.rules[profile]
            if isinstance(rule, LargerHardware):
                self._entries[claim.id] = _entry(claim, None, None, None, 0, "", rule, NEEDS_HARDWARE)

    def record(self, id: str, values: Sequence[float], *, seeds: Sequence[int], baseline: str) -> Entry:
        """Record what was measured for claim ``id`` and return its entry with the verdict.

        Args:
            id: the claim.
            values: one number per seed, shape ``(n,)``. Where methods share seeds this is the paired difference or
                ratio.
            seeds: the seeds, shape ``(n,)``, all different.
            baseline: what it was compared with, in a few words.

        Raises:
            LedgerError: unknown id, a value that is not finite, seeds that repeat or are too few.
        """
        if id not in self._claims:
            raise LedgerError(f"{self.chapter} has no claim {id!r}; it has {', '.join(self._claims)}")
        claim = self._claims[id]
        rule = claim.rules[self.profile]
        if isinstance(rule, LargerHardware):
            raise LedgerError(f"claim {id} has no rule in profile {self.profile!r}: {rule.reason}")
        values = [float(value) for value in values]
        bad = [i for i, value in enumerate(values) if not math.isfinite(value)]
        if bad:
            raise LedgerError(
                f"claim {id}: value {values[bad[0]]} of seed number {bad[0]} is not a finite number"
            )
        if len(values) != len(seeds) or len(set(seeds)) != len(seeds):
            raise LedgerError(
                f"claim {id}: {len(values)} values need as many different seeds, got {list(seeds)}"
            )
        if len(values) < rule.seeds:
            raise LedgerError(
                f"claim {id}: {len(values)} seed(s) are too few, profile {self.profile!r} asks for {rule.seeds}"
            )
        if not baseline.strip():
            raise LedgerError(f"claim {id}: say what it was compared with (baseline)")
        value, low, high = interval(values, claim.statistic)
        entry = _entry(claim, value, low, high, len(values), baseline, rule, rule.verdict(low, high))
        self._entries[id] = entry
        return entry

    @property
    def entries(self) -> list[Entry]:
        """What is recorded so far, in the order of the claims."""
        return [self._entries[id] for id in self._claims if id in self._entries]

    def write(self, path: str | os.PathLike | None = None) -> Path:
        """Write the run as JSON and return the file.

        The file appears whole or not at all, also if the process is killed meanwhile.

        Args:
            path: the file; ``build/results/<profile>/<chapter>.json`` if not given.

        Raises:
            LedgerError: a claim has no value yet.
        """
        missing = [id for id in self._claims if id not in self._entries]
        if missing:
            raise LedgerError(f"no value recorded for claim(s) {', '.join(missing)} of {self.chapter}")
        path = Path(path) if path else build_dir() / "results" / self.profile / f"{self.chapter}.json"
        run = {
            "chapter": self.chapter,
            "profile": self.profile,
            "commit": provenance.commit(),
            "machine": provenance.machine(),
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._started, 1),
            "peak_memory_mb": provenance.peak_memory_mb(),
            "versions": provenance.versions(),
            "energy": _energy(self._meter.measurement),
            "claims": [asdict(entry) for entry in self.entries],
        }
        provenance.write_json(path, run)
        return path

    def _repr_html_(self) -> str:
        return to_html(self.entries)


def load(path: str | os.PathLike) -> dict:
    """Read a file that :meth:`Ledger.write` wrote.

    Raises:
        LedgerError: the file is not a ledger, or has a verdict that is none.
    """
    try:
        run = json.loads(Path(path).read_text())
        entries = [Entry(**claim) for claim in run["claims"]]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise LedgerError(
            f"{path} is not a ledger file: {error}; delete it and execute the chapter again"
        ) from error
    wrong = [entry.id for entry in entries if entry.verdict not in VERDICTS]
    if wrong:
        raise LedgerError(f"{path}: unknown verdict for claim(s) {', '.join(wrong)}")
    return run


def _entry(claim, value, low, high, n, baseline, rule, verdict) -> Entry:
    return Entry(
        claim.id, claim.claim, claim.source, claim.paper_value, claim.measured,
        value, low, high, n, claim.unit, baseline, str(rule), verdict,
    )  # fmt: skip


def _energy(measured: metering.Measurement) -> dict:
    """What a run file says of the energy of the run: joules, their interval, and where they come from."""
    kept = ("joules", "low", "high", "watts", "seconds", "source", "covers", "grams_co2e", "notes")
    everything = measured.as_dict()
    return {key: everything[key] for key in kept} | {"intensity": str(measured.intensity)}
