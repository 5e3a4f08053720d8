"""Columns to HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Table = Mapping[str, Sequence[Any]] | Any  # columns by name, or a pandas.DataFrame


def table_html(table: Table, label: str) -> str:
    """A table that scrolls sideways on a narrow screen, reachable by keyboard under the name ``label``.

    Raises:
        ValueError: columns of different length.
    """
    columns = {str(name): list(column) for name, column in table.items()}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError(f"columns of different length: { {name: len(c) for name, c in columns.items()} }")
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in zip(*columns.values(), strict=True)
    )
    return (
        f"<div class='eai-scroll' tabindex='0' role='region' aria-label='{escape(label, quote=True)}'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    """Four significant digits for numbers, anything else as it prints."""
    if isinstance(value, bool | str) or value is None:
        return str(value)
    try:
        return f"{value:.4g}" if float(value) != int(value) else f"{int(value)}"
    except (TypeError, ValueError, OverflowError):
        return str(value)
