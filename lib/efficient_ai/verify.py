"""One claim, one command: run only what a claim needs, and say whether it agrees with the recorded run.

::

    python -m efficient_ai.verify jigsaw C5                 one claim, profile smoke
    python -m efficient_ai.verify jigsaw C4 C5 --profile laptop
    python -m efficient_ai.verify jigsaw                    all claims of a chapter
    python -m efficient_ai.verify --all --profile laptop    the whole book (make verify)

Exit status: 0 every claim agrees, 3 some differ within both intervals, 1 some differ, 4 some are not recorded, 2 the call cannot
be carried out. The gravest counts: 2, 1, 3, 4, 0.
"""

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from efficient_ai import ledger, profiles
from efficient_ai._paths import project_root

STATUS = {ledger.DIFFERS: 1, ledger.WITHIN: 3, ledger.NOT_RECORDED: 4, ledger.AGREES: 0}


def chapters() -> list[str]:
    """Sub-packages of the library that have claims and experiments."""
    root = Path(__file__).parent
    return sorted(p.parent.name for p in root.glob("*/claims.py") if list(p.parent.glob("experiments*")))


def chapter(name: str) -> tuple[ModuleType, ModuleType]:
    """The sub-package of a chapter and its experiments.

    Raises:
        LedgerError: no such chapter, or one without experiments.
    """
    if name not in chapters():
        raise ledger.LedgerError(
            f"no chapter {name!r} with experiments: choose one of {', '.join(chapters())}"
        )
    return tuple(importlib.import_module(f"efficient_ai.{of}") for of in (name, f"{name}.experiments"))


@dataclass(frozen=True)
class Checked:
    """A claim that was run again.

    Args:
        row: of this run, as in a ledger file.
        record: of the recorded run, if there is one.
        how: they agree, see :func:`efficient_ai.ledger.agreement`.
    """

    row: dict
    record: dict | None
    how: str


def verify(name: str, ids: Sequence[str] = (), profile: str = "smoke", tell=print) -> dict[str, Checked]:
    """Run what the claims need and compare each with the recorded run.

    Args:
        name: of the chapter.
        ids: of claims; all of them if none are given.
        profile: size of the run.
        tell: is given what there is to say of each claim as soon as its experiment has ended.

    Raises:
        LedgerError: unknown chapter, claim or profile.
    """
    from tqdm.auto import tqdm

    package, experiments = chapter(name)
    known = {claim.id: claim for claim in package.CLAIMS}
    unknown = [id for id in ids if id not in known]
    if unknown:
        raise ledger.LedgerError(f"{name} has no claim {', '.join(unknown)}; it has {', '.join(known)}")
    wanted = list(dict.fromkeys(ids)) or list(known)
    size = profiles.select(package.PROFILES, profile)
    book = ledger.Ledger(name, package.CLAIMS, profile)
    root = project_root()
    record = ledger.recorded(root, name) if root else None
    recorded = {row["id"]: row for row in (record or {}).get("claims", [])}
    found = {}

    def compare(id: str) -> None:
        row = asdict(book[id])
        found[id] = Checked(row, recorded.get(id), ledger.agreement(row, recorded.get(id)))
        tell("\n".join(report(found[id])))

    asked = [id for id in wanted if isinstance(known[id].rules[profile], ledger.Rule)]
    for id in wanted:
        if id not in asked:
            compare(id)
    for id in asked:
        ledger.find(experiments.EXPERIMENTS, id)  # a claim that nothing answers is said before anything runs
    runs = [e for e in experiments.EXPERIMENTS if set(e.reads) & set(asked)]
    with _cluster(max((e.ranks for e in runs), default=0)) as cluster:
        bar = tqdm(runs, unit="experiment", leave=False, disable=None)
        for experiment in bar:
            bar.set_description(experiment.name)
            result = experiment.run(size, cluster) if experiment.ranks else experiment.run(size)
            for id in [id for id in experiment.reads if id in asked]:
                got = experiment.reads[id](result)
                book.record(id, got.values, seeds=got.seeds, baseline=got.baseline, recorded=got.recorded)
                compare(id)
    return {id: found[id] for id in wanted}


@contextmanager
def _cluster(ranks: int) -> Iterator:
    """One cluster for all experiments that need one; it comes down however they end."""
    if not ranks:
        yield None
        return
    from efficient_ai import parallel

    cluster = parallel.start_cluster(ranks)
    try:
        yield cluster
    finally:
        cluster.stop()


def report(checked: Checked) -> list[str]:
    """What is printed of one claim."""
    row, record = checked.row, checked.record
    lines = [f"{row['id']}  {row['claim']}", f"    measured   {row['measured']}"]
    if row["value"] is not None:
        lines.append(f"    value      {_text(row)}, {ledger.repeats(row)}, against {row['baseline']}")
    if row["recorded"]:
        lines.append(f"    recorded   {row['recorded']} (nothing of it was measured now)")
    why = f" ({row['why']})" if row["why"] else ""
    lines += [f"    rule       {row['rule']}", f"    verdict    {row['verdict']}{why}"]
    if record:
        lines.append(f"    record     {_text(record)}, {record['verdict']}")
    return [*lines, f"    {checked.how}"]


def _text(row: dict) -> str:
    if row["value"] is None:
        return "no value"
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    if row["low"] is None or row["low"] == row["high"]:
        return f"{row['value']:.4g}{unit}"
    return f"{row['value']:.4g} [{row['low']:.4g}, {row['high']:.4g}]{unit}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m efficient_ai.verify",
        description="Run what a claim needs and compare it with the record.",
    )
    parser.add_argument("chapter", nargs="?", help=f"one of {', '.join(chapters())}")
    parser.add_argument("claims", nargs="*", help="ids of claims; all of them if none are given")
    parser.add_argument("--profile", default="smoke", choices=profiles.NAMES)
    parser.add_argument("--all", action="store_true", help="every chapter that is written")
    chosen = parser.parse_args(arguments)
    if bool(chosen.chapter) == chosen.all:
        parser.error("name a chapter, or say --all")
    found, broken, began = {}, [], time.monotonic()
    for name in chapters() if chosen.all else [chosen.chapter]:
        if chosen.all:
            print(f"\n== {name}", flush=True)
        try:
            of = verify(name, chosen.claims, chosen.profile, tell=lambda text: print(text, flush=True))
            found |= {(name, id): checked for id, checked in of.items()}
        except (ledger.LedgerError, ValueError) as error:
            print(f"verify: {error}", file=sys.stderr)
            broken.append(name)
        except Exception:
            # A status of 1 means "differs"; a run that broke has not said anything about the claim.
            traceback.print_exc()
            broken.append(name)
    return _summary(found, broken, time.monotonic() - began)


def _summary(found: dict, broken: list[str], seconds: float) -> int:
    """Counts, and what changed against the record, with intervals; returns the exit status."""
    hows = [checked.how for checked in found.values()]
    counts = {how: hows.count(how) for how in STATUS if how in hows}
    told = [f"{n} {how}" for how, n in counts.items()] + [f"{name} could not be run" for name in broken]
    print(f"\n{len(found)} claims in {seconds:.0f} s: {', '.join(told)}")
    for (name, id), checked in found.items():
        if checked.how in (ledger.DIFFERS, ledger.WITHIN):
            row, record = checked.row, checked.record
            print(
                f"  {name} {id}: {checked.how}: {_text(row)}, {row['verdict']}; recorded {_text(record)}, {record['verdict']}"
            )
    return 2 if broken else next((STATUS[how] for how in STATUS if how in counts), 0)


if __name__ == "__main__":
    sys.exit(main())
