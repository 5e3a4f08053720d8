"""One claim, one experiment: what the notebook and ``python -m efficient_ai.verify`` both run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from efficient_ai.ledger._verdicts import LedgerError


@dataclass(frozen=True)
class Measured:
    """The values of one claim.

    Args:
        values: one per repeat, shape ``(n,)``, or ``(n, units of the test set)``.
        seeds: of the repeats, all different.
        baseline: what was compared with, in a few words.
        recorded: the record the values were read from (file, machine, date) if this run did not measure them.
    """

    values: Sequence
    seeds: Sequence
    baseline: str
    recorded: str = ""


@dataclass(frozen=True)
class Experiment:
    """Something that is run once and answers one or several claims.

    Args:
        name: in words.
        run: takes the profile's dataclass, and with ``ranks`` also a cluster of so many; returns whatever the figures of the
            chapter need.
        reads: for each claim, how its values follow from that result.
        ranks: of the cluster (:func:`efficient_ai.parallel.start_cluster`) that it needs; 0 for none.
    """

    name: str
    run: Callable[..., Any]
    reads: Mapping[str, Callable[[Any], Measured]]
    ranks: int = 0


def find(experiments: Sequence[Experiment], id: str) -> Experiment:
    """The experiment that answers a claim.

    Raises:
        LedgerError: there is none.
    """
    for experiment in experiments:
        if id in experiment.reads:
            return experiment
    raise LedgerError(f"no experiment answers claim {id!r}")
