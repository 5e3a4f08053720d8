"""``python -m efficient_ai.recycle forecast FILE.csv --time COLUMN --zone Europe/Berlin``: the coming week of a file."""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from efficient_ai._files import write_atomic
from efficient_ai.recycle._fit import fit

DAY_OR_MONTH = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")


def read(path: Path, time: str, columns: list[str], form: str = "", decimal: str = "."):
    """A CSV file as a pandas DataFrame with its times as the index; the separator is found.

    Args:
        time: the column of the times.
        columns: of the series; all others if there are none.
        form: how a time is written, as ``strftime`` has it; found if empty.
        decimal: the sign before the fraction.

    Raises:
        ValueError: no such file or column, times that can be read in two ways or not at all, values that are no numbers.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, sep=None, engine="python", decimal=decimal)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path} cannot be read as CSV: {error}") from None
    missing = [name for name in (time, *columns) if name not in table.columns]
    if missing:
        raise ValueError(
            f"no column {missing[0]!r} in {path}; there are {', '.join(map(str, table.columns))}"
        )
    shown = table[time]
    if pd.api.types.is_numeric_dtype(shown):
        raise ValueError(f"column {time!r} holds numbers and no times")
    if not form and shown.astype(str).str.match(DAY_OR_MONTH).any():
        raise ValueError(
            f"is {shown.iloc[0]!r} a day or a month first? Say --format, for example '%d.%m.%Y %H:%M'"
        )
    offset = shown.astype(str).str.contains(r"(?:Z|[+-]\d\d:?\d\d)\s*$", regex=True)
    try:
        index = pd.DatetimeIndex(pd.to_datetime(shown, format=form or None, utc=bool(offset.any())))
    except (ValueError, TypeError) as error:
        raise ValueError(f"column {time!r} holds what is no time: {str(error).splitlines()[0]}") from None
    series = table[columns or [name for name in table.columns if name != time]]
    for name in series.columns:
        if not pd.api.types.is_numeric_dtype(series[name]) or pd.api.types.is_bool_dtype(series[name]):
            raise ValueError(
                f"column {name!r} holds what is no number: choose others by --value, or say --decimal ,"
            )
    return series.set_axis(index)


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 where something is refused."""
    parser = argparse.ArgumentParser(prog="python -m efficient_ai.recycle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("forecast", help="forecast the days after the last one of a CSV file")
    one.add_argument("file", type=Path)
    one.add_argument("--time", required=True, help="the column of the times")
    one.add_argument(
        "--value", action="append", default=[], help="a column to forecast (default: all others)"
    )
    one.add_argument("--zone", help="by whose midnight days begin, for example Europe/Berlin")
    one.add_argument("--clock", choices=["UTC", "local"], help="what times without a zone are")
    one.add_argument("--country", help="whose holidays: DE, or DE-BY")
    one.add_argument("--holiday", action="append", default=[], help="a date of your own, 2024-12-24")
    one.add_argument("--format", default="", help="of the times, for example '%%d.%%m.%%Y %%H:%%M'")
    one.add_argument("--decimal", default=".", help="the sign before the fraction")
    one.add_argument("--days", type=int, default=7)
    one.add_argument("--epochs", type=int, default=30, help="of the network, at most")
    one.add_argument("--out", type=Path, help="write the forecast here (default: FILE-forecast.csv)")
    one.add_argument("--html", type=Path, help="write a page with the figures here")
    one.add_argument("--save", type=Path, help="keep the fitted forecaster here")
    options = parser.parse_args(arguments)
    try:
        table = read(options.file, options.time, options.value, options.format, options.decimal)
        fitted = fit(
            table.index, table, options.zone, options.country, options.holiday or None,
            clock=options.clock, forecast=options.days, epochs=options.epochs,
        )  # fmt: skip
        found = fitted.forecast()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for name, report in fitted.repairs.items():
        print(f"{name}: {report}")
    naive = fitted.scores["profile"]
    for name, score in sorted(fitted.scores.items(), key=lambda item: item[1]):
        chosen = "  <- chosen" if name == fitted.chosen else ""
        print(
            f"{name:10} error {score / naive:.3f} of the profile's{chosen}" if naive else f"{name:10}{chosen}"
        )
    target = options.out or options.file.with_name(f"{options.file.stem}-forecast.csv")
    found.export(target)
    print(f"{len(np.unique(found.times))} steps in {target}")
    if options.html:
        pages = [
            found.figure(name).to_html(full_html=False, include_plotlyjs=not i)
            for i, name in enumerate(found.names)
        ]
        write_atomic(options.html, "\n".join(["<!doctype html><meta charset='utf-8'>", *pages]).encode())
        print(f"figures: {options.html}")
    if options.save:
        fitted.save(options.save)
        print(f"kept: {options.save}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
