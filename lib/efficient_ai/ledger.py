"""The ledger of claims: what a paper says, what was measured here, and a verdict that follows from the numbers by a rule.

A chapter declares its claims in its sub-package (``<paper>/claims.py``), its notebook records one value per seed, and
:class:`Ledger` computes interval and verdict and writes one JSON file per run. Nobody types a verdict.
"""

import datetime
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib import metadata
from pathlib import Path

import numpy as np

from efficient_ai import profiles
from efficient_ai._paths import build_dir, project_root

REPLICATED = "replicated"
REPLICATED_SMALL = "replicated at small scale"
NOT_REPLICATED = "not replicated"
NEEDS_HARDWARE = "needs larger hardware"
# Each with a sign and a short name for its style; the words say it all, colour only repeats them.
VERDICTS = {
    REPLICATED: ("✓", "yes"),
    REPLICATED_SMALL: ("≈", "small"),
    NOT_REPLICATED: ("✗", "no"),
    NEEDS_HARDWARE: ("…", "larger"),
}

NOT_AVAILABLE = "not available"

_STATISTICS = {"mean": np.mean, "median": np.median}
_VERSIONS = ("efficient-ai", "numpy", "scipy", "torch", "mpi4py", "mpich", "ipyparallel", "plotly")


class LedgerError(ValueError):
    """A value that the ledger refuses; the message says what to do."""


@dataclass(frozen=True)
class Rule:
    """When a claim holds: the whole interval lies between ``low`` and ``high``.

    Args:
        low: lower bound, ``-inf`` for none.
        high: upper bound, ``inf`` for none.
        seeds: how many values are needed before anything is concluded.
        paper_scale: True if this profile measures at the scale of the paper, so that the verdict may be plain
            "replicated".
    """

    low: float = -math.inf
    high: float = math.inf
    seeds: int = 3
    paper_scale: bool = False

    def __post_init__(self):
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise LedgerError(f"a rule needs a bound that can fail, got low={self.low}, high={self.high}")
        if self.seeds < 1:
            raise LedgerError(f"a rule needs at least one seed, got {self.seeds}")

    def verdict(self, low: float, high: float) -> str:
        """The verdict for a measured interval ``[low, high]``."""
        if low < self.low or high > self.high:
            return NOT_REPLICATED
        return REPLICATED if self.paper_scale else REPLICATED_SMALL

    def __str__(self) -> str:
        if self.low == self.high:
            bound = f"equals {self.low:g}"
        elif math.isinf(self.high):
            bound = f"at least {self.low:g}"
        elif math.isinf(self.low):
            bound = f"at most {self.high:g}"
        else:
            bound = f"from {self.low:g} to {self.high:g}"
        return f"whole interval {bound}, {self.seeds} seed{'s' if self.seeds > 1 else ''} or more"


@dataclass(frozen=True)
class LargerHardware:
    """Stands in place of a rule where this profile cannot decide; ``reason`` says what it would take."""

    reason: str

    def __str__(self) -> str:
        return f"cannot be decided here: {self.reason}"


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    Args:
        id: short name, unique in the chapter, for example ``"A"``.
        claim: the claim in our own words.
        source: where it stands in the paper.
        measured: what the recorded values are.
        rules: a :class:`Rule` or :class:`LargerHardware` for each profile.
        unit: unit of the values, ``"1"`` for ratios and counts.
        paper_value: the paper's number, or ``"not available"``.
        statistic: ``"mean"`` or ``"median"`` over seeds.
    """

    id: str
    claim: str
    source: str
    measured: str
    rules: Mapping[str, Rule | LargerHardware]
    unit: str = "1"
    paper_value: float | str = NOT_AVAILABLE
    statistic: str = "mean"

    def __post_init__(self):
        if tuple(self.rules) != profiles.NAMES:
            raise LedgerError(
                f"claim {self.id}: give a rule for each of {', '.join(profiles.NAMES)}, in this order"
            )
        if self.statistic not in _STATISTICS:
            raise LedgerError(
                f"claim {self.id}: statistic {self.statistic!r} is not one of {', '.join(_STATISTICS)}"
            )


@dataclass(frozen=True)
class Entry:
    """A claim with what one run says of it: a row of the JSON file."""

    id: str
    claim: str
    source: str
    paper_value: float | str
    measured: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    baseline: str
    rule: str
    verdict: str


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
    function = _STATISTICS[statistic]
    value = float(function(sample))
    if np.ptp(sample) == 0:
        return value, value, value
    # BCa divides by the spread of the leave-one-out estimates, which a median of few values may not have.
    method = "BCa" if statistic == "mean" and sample.size > 2 else "percentile"
    result = bootstrap(
        (sample,),
        function,
        confidence_level=level,
        method=method,
        n_resamples=4000,
        rng=np.random.default_rng(0),
    )
    return value, float(result.confidence_interval.low), float(result.confidence_interval.high)


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
            "commit": _commit(),
            "machine": _machine(),
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._started, 1),
            "peak_memory_mb": _peak_memory_mb(),
            "versions": _versions(),
            "claims": [asdict(entry) for entry in self.entries],
        }
        write_json(path, run)
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


def write_json(path: Path, content: dict) -> None:
    """Write ``content`` to ``path`` so that a reader finds the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def to_html(entries: Sequence[Entry]) -> str:
    """The entries as a table for the page."""
    head = "".join(
        f"<th scope='col'>{name}</th>"
        for name in ("Claim", "Measured", "Value [95 % interval]", "Seeds", "Against", "Rule", "Verdict")
    )
    rows = "".join(
        f"<tr><th scope='row'>{escape(entry.id)}. {escape(entry.claim)}</th><td>{escape(entry.measured)}</td>"
        f"<td>{format_value(asdict(entry))}</td><td>{entry.n}</td><td>{escape(entry.baseline)}</td>"
        f"<td>{escape(entry.rule)}</td><td>{verdict_html(entry.verdict)}</td></tr>"
        for entry in entries
    )
    return (
        "<div class='eai-claims' tabindex='0' role='region' aria-label='Claims and verdicts'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def format_value(entry: Mapping) -> str:
    """``value [low, high] unit`` of a row of the JSON file, in four digits."""
    if entry["value"] is None:
        return "—"
    unit = "" if entry["unit"] == "1" else f" {escape(entry['unit'])}"
    return f"{entry['value']:.4g} [{entry['low']:.4g}, {entry['high']:.4g}]{unit}"


def verdict_html(verdict: str) -> str:
    """The verdict as a badge that is read by its words and its sign, not by its colour."""
    sign, style = VERDICTS[verdict]
    return f'<span class="verdict verdict-{style}">{sign} {escape(verdict)}</span>'


def _entry(claim, value, low, high, n, baseline, rule, verdict) -> Entry:
    return Entry(
        claim.id, claim.claim, claim.source, claim.paper_value, claim.measured,
        value, low, high, n, claim.unit, baseline, str(rule), verdict,
    )  # fmt: skip


def _commit() -> str:
    root = project_root()
    if root is None:
        return "unknown"
    try:
        git = ["git", "-C", str(root)]
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        dirty = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-modified" if dirty.strip() else head


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()} {platform.machine()}{_gpu()}"


def _gpu() -> str:
    torch = sys.modules.get("torch")  # only a run that used torch can have used its GPU
    return f", {torch.cuda.get_device_name()}" if torch is not None and torch.cuda.is_available() else ""


def _peak_memory_mb() -> float:
    """Peak resident memory of this process; of its ended children the largest one."""
    scale = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    usage = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(max(usage) * scale / 1e6, 1)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _VERSIONS:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
