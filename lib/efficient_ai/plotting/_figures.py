"""``show`` and ``explore``: what a chapter calls to put a figure on the page."""

import itertools
import os
from collections.abc import Callable, Mapping
from typing import Any

import plotly.graph_objects as go
from IPython.display import HTML, display

from efficient_ai.plotting import _carrier, _live
from efficient_ai.plotting._component import component
from efficient_ai.plotting._control import Control
from efficient_ai.plotting._tables import Table


def show(fig: go.Figure, *, alt: str, table: Table | None = None, caption: str = "") -> None:
    """Show ``fig`` with its text alternative, a caption and the numbers behind it.

    Args:
        fig: the figure.
        alt: what a reader who cannot see the figure needs to know: what is drawn and what it shows.
        table: the numbers, folded under the figure: columns by name or a data frame.
        caption: one sentence under the figure.

    Raises:
        ValueError: no text alternative, or more data than a page should carry.
    """
    _require_alt(alt)
    _put(alt, [], {"": (fig, "")}, alt=alt, table=table, caption=caption)


def explore(
    controls: Mapping[str, Control],
    draw: Callable[..., tuple[go.Figure, str]],
    *,
    alt: str,
    table: Table | None = None,
    caption: str = "",
) -> None:
    """Show a figure that follows its controls, with or without a kernel.

    Args:
        controls: the sliders by name of the argument of ``draw`` that they set.
        draw: ``draw(**settings) -> (figure, readout)``; the readout is one sentence with the numbers of that setting.
            For the page it is called once for each combination of settings.
        alt: text alternative of the whole figure, saying also what the controls change.
        table: the numbers, folded under the figure.
        caption: one sentence under the figure.

    Raises:
        ValueError: no text alternative, no control, or more data than a page should carry.
    """
    _require_alt(alt)
    if not controls:
        raise ValueError("explore needs at least one control; use show for a figure that does not move")
    sliders = list(controls.values())
    kept = _live.keep(controls, draw) if any(slider.between for slider in sliders) else ""
    _put(alt, sliders, _frames(controls, draw), alt=alt, table=table, caption=caption, live=kept)


def explore_html(
    controls: Mapping[str, Control],
    draw: Callable[..., tuple[go.Figure, str]],
    *,
    alt: str,
    table: Table | None = None,
    caption: str = "",
) -> str:
    """What :func:`explore` shows where there is no kernel: the figure with all its frames, as HTML for a page."""
    _require_alt(alt)
    return component(list(controls.values()), _frames(controls, draw), alt=alt, table=table, caption=caption)


def _frames(
    controls: Mapping[str, Control], draw: Callable[..., tuple[go.Figure, str]]
) -> dict[str, tuple[go.Figure, str]]:
    """What ``draw`` makes of every combination of settings, by the positions of the sliders."""
    frames = {}
    for index in itertools.product(*(range(len(control.values)) for control in controls.values())):
        settings = zip(controls.items(), index, strict=True)
        frames[",".join(map(str, index))] = draw(
            **{name: control.values[i] for (name, control), i in settings}
        )
    return frames


def live(
    fig: go.Figure, *, alt: str = "A figure that is drawn anew while the cell runs."
) -> Callable[[go.Figure], None]:
    """Show ``fig`` in a notebook and return a function that puts another figure in its place.

    While the book is built nothing is shown: a page has no kernel, so it gets its figure by :func:`show` at the end.
    """
    if _static():
        return lambda fig: None

    def drawn(fig: go.Figure) -> HTML:
        return HTML(component([], {"": (fig, "")}, alt=alt, notebook=True))

    if carried := _carrier.carried():  # apart, so that it is not sent with every figure
        display(HTML(carried))
    handle = display(drawn(fig), display_id=True)
    return lambda fig: handle.update(drawn(fig)) if handle else None


def _put(said: str, *what: Any, **more: Any) -> None:
    """Display the component with what draws it; readers of plain text get ``said``."""
    text = _carrier.carried() + component(*what, **more, notebook=True)
    display({"text/html": text, "text/plain": said}, raw=True)


def _static() -> bool:
    """True while the book is built: nobody watches."""
    return os.environ.get("EFFICIENT_AI_STATIC") == "1"


def _require_alt(alt: str) -> None:
    if len(alt.split()) < 5:
        raise ValueError(f"the text alternative {alt!r} is too short: say what is drawn and what it shows")
