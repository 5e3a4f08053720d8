"""What a run records: one value per repeat and claim, from which interval and verdict follow."""

import datetime
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from efficient_ai import metering, profiles, provenance
from efficient_ai._paths import results_dir
from efficient_ai.ledger._claims import Claim, LargerHardware
from efficient_ai.ledger._entries import SCHEMA, Entry
from efficient_ai.ledger._experiments import Experiment
from efficient_ai.ledger._html import to_html
from efficient_ai.ledger._judge import Judgement, judge
from efficient_ai.ledger._verdicts import NEEDS_HARDWARE, LedgerError


class Ledger:
    """Collects the values of one run of one chapter.

    Args:
        chapter: name of the chapter, as its sub-package.
        claims: the claims of the chapter.
        profile: the profile of this run.

    Example:
        >>> ledger = Ledger("propulate", CLAIMS, profile)                # doctest: +SKIP
        >>> result = experiments.WAITING.run(size)                        # doctest: +SKIP
        >>> ledger.take(experiments.WAITING, result)                      # doctest: +SKIP
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
        self._meter = metering.measure(chapter).start()
        for claim in claims:
            if isinstance(claim.rules[profile], LargerHardware):
                self._entries[claim.id] = _entry(claim, profile, None, [], [], "", "")

    def record(
        self, id: str, values: Sequence, *, seeds: Sequence, baseline: str, recorded: str = ""
    ) -> Entry:
        """Record what was measured for claim ``id`` and return its entry with the verdict.

        Args:
            id: the claim.
            values: one number per repeat, shape ``(n,)``, or ``(n, units)`` where each was judged on several units of a test
                set (windows, samples, members) that are a sample themselves. Where methods share seeds these are paired
                differences or ratios.
            seeds: of the repeats, shape ``(n,)``, all different.
            baseline: what it was compared with, in a few words.
            recorded: where the values were read from (file, machine, date), if this run did not measure them.

        Raises:
            LedgerError: unknown id, a value that is not finite, seeds that repeat or are too few for the values.
        """
        if id not in self._claims:
            raise LedgerError(f"{self.chapter} has no claim {id!r}; it has {', '.join(self._claims)}")
        claim = self._claims[id]
        rule = claim.rules[self.profile]
        if isinstance(rule, LargerHardware):
            raise LedgerError(f"claim {id} has no rule in profile {self.profile!r}: {rule.reason}")
        rows, seeds = _rows(id, values), [_plain(seed) for seed in seeds]
        if len(rows) != len(seeds) or len(set(map(str, seeds))) != len(seeds):
            raise LedgerError(f"claim {id}: {len(rows)} values need as many different seeds, got {seeds}")
        if not baseline.strip():
            raise LedgerError(f"claim {id}: say what it was compared with (baseline)")
        try:
            judgement = judge(claim, rule, rows)
        except LedgerError as error:
            raise LedgerError(f"claim {id}: {error}") from None
        self._entries[id] = _entry(claim, self.profile, judgement, rows, seeds, baseline, recorded)
        return self._entries[id]

    def take(self, experiment: Experiment, result) -> dict[str, Entry]:
        """Record all claims that an experiment answers; their entries by id."""
        found = {}
        for id, read in experiment.reads.items():
            if isinstance(self._claims[id].rules[self.profile], LargerHardware):
                found[id] = self._entries[id]
                continue
            got = read(result)
            found[id] = self.record(
                id, got.values, seeds=got.seeds, baseline=got.baseline, recorded=got.recorded
            )
        return found

    def __getitem__(self, id: str) -> Entry:
        """The entry of a claim that was recorded."""
        if id not in self._entries:
            raise LedgerError(f"claim {id!r} of {self.chapter} has no value yet")
        return self._entries[id]

    @property
    def entries(self) -> list[Entry]:
        """What is recorded so far, in the order of the claims."""
        return [self._entries[id] for id in self._claims if id in self._entries]

    def write(self, path: str | os.PathLike | None = None) -> Path:
        """Write the run as JSON and return the file.

        The file appears whole or not at all, also if the process is killed meanwhile.

        Args:
            path: the file; ``build/sandbox/<profile>/<chapter>.json`` if not given, or where the builder asks for it.

        Raises:
            LedgerError: a claim has no value yet.
        """
        missing = [id for id in self._claims if id not in self._entries]
        if missing:
            raise LedgerError(f"no value recorded for claim(s) {', '.join(missing)} of {self.chapter}")
        path = Path(path) if path else results_dir() / self.profile / f"{self.chapter}.json"
        run = {
            "schema": SCHEMA,
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


def _rows(id: str, values: Sequence) -> list:
    """Plain numbers for the file: a list, or a list of lists of equal length."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise LedgerError(
            f"claim {id}: give numbers, a list or a matrix without gaps, got {values!r}"
        ) from None
    if array.ndim not in (1, 2) or array.size == 0:
        raise LedgerError(
            f"claim {id}: give a list of numbers or a matrix (repeats, units), got shape {array.shape}"
        )
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise LedgerError(
            f"claim {id}: value {array[tuple(bad[0])]} of repeat number {bad[0][0]} is not a finite number"
        )
    return array.reshape(-1).tolist() if array.shape[1:] == (1,) else array.tolist()


def _plain(seed):
    """A seed as JSON can hold it: a number or a text."""
    return (
        seed.item() if isinstance(seed, np.generic) else seed if isinstance(seed, int | float) else str(seed)
    )


def _entry(
    claim: Claim,
    profile: str,
    judgement: Judgement | None,
    values: list,
    seeds: list,
    baseline: str,
    recorded: str,
) -> Entry:
    paper = claim.published
    if judgement is None:
        value = low = high = None
        n, verdict, why, kind = 0, NEEDS_HARDWARE, claim.rules[profile].reason, ""
    else:
        value, low, high, n = judgement.value, judgement.low, judgement.high, judgement.n
        verdict, why = judgement.verdict, judgement.why
        kind = "range" if claim.every_value else "range of assumptions" if claim.assumption else "95 %"
        kind = kind if low is not None and low != high else ""
    assert value is None or math.isfinite(value)
    return Entry(
        id=claim.id, kind=claim.kind, sentence=claim.sentence, claim=claim.claim, source=claim.source,
        paper_value=paper.value, paper_note=paper.which, measured=claim.measured, repeats=claim.repeats,
        statistic=claim.statistic, assumption=claim.assumption, value=value, low=low, high=high, interval=kind,
        ratio=paper.ratio(value), direction=paper.direction(value), n=n, values=values, seeds=seeds, unit=claim.unit,
        baseline=baseline, recorded=recorded, rule=claim.rule_text(profile), verdict=verdict, why=why,
    )  # fmt: skip


def _energy(measured: "metering.Measurement") -> dict:
    """What a run file says of the energy of the run: joules, their interval, and where they come from."""
    kept = ("joules", "low", "high", "watts", "seconds", "source", "covers", "grams_co2e", "notes")
    everything = measured.as_dict()
    return {key: everything[key] for key in kept} | {"intensity": str(measured.intensity)}
