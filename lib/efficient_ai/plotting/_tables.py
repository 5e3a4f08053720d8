"""Columns to HTML."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Table = Mapping[str, Sequence[Any]] | Any  # columns by name, or a pandas.DataFrame


def table_html(table: Table, label: str) -> str:
    """A table that scrolls sideways on a narrow screen, reachable by keyboard under the name ``label``.

    Columns of numbers stand right, all others left. What a text has between backticks is shown as code.

    Raises:
        ValueError: columns of different length.
    """
    columns = {str(name): list(column) for name, column in table.items()}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError(f"columns of different length: { {name: len(c) for name, c in columns.items()} }")
    sides = [
        "" if _is_numeric(column) else " class='eai-text' style='text-align:left'"
        for column in columns.values()
    ]
    head = "".join(
        f"<th scope='col'{side}>{escape(name)}</th>" for name, side in zip(columns, sides, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td{side}>{_html(value)}</td>" for value, side in zip(row, sides, strict=True))
        + "</tr>"
        for row in zip(*columns.values(), strict=True)
    )
    return (
        f"<div class='eai-scroll' tabindex='0' role='region' aria-label='{escape(label, quote=True)}'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _is_numeric(column: Sequence[Any]) -> bool:
    """Whether every cell begins with a number: ``3``, ``1.5 [1.2, 1.9]``, ``95 %``; or is empty, a dash."""
    return all(re.match(r"\s*[-+−]?[\d.]|\s*[-–—]?\s*$|(nan|inf)$", _cell(value)) for value in column)


def _html(value: Any) -> str:
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(_cell(value)))


def _cell(value: Any) -> str:
    """Four significant digits for numbers, anything else as it prints."""
    if isinstance(value, bool | str) or value is None:
        return str(value)
    try:
        return f"{value:.4g}" if float(value) != int(value) else f"{int(value)}"
    except (TypeError, ValueError, OverflowError):
        return str(value)
