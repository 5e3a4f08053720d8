"""``show`` and ``explore``: what a chapter calls to put a figure on the page."""

import html
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
from IPython.display import HTML, display

from efficient_ai.plotting._tables import Table, table_html
from efficient_ai.plotting._theme import LIGHT

_BUDGET_KB = 300  # what one figure may add to a page
_figure_numbers = itertools.count(1)  # labels and inputs of a page need ids that differ


@dataclass(frozen=True)
class Control:
    """One slider of :func:`explore`.

    Args:
        values: the settings, in order; at least two.
        label: what the slider moves, with its unit.
        start: the setting shown first; the first of ``values`` if not given.
        labels: how the settings are written; ``str(value)`` if not given.
    """

    values: Sequence[Any]
    label: str
    start: Any = None
    labels: Sequence[str] | None = None

    def __post_init__(self):
        if len(self.values) < 2:
            raise ValueError(f"control {self.label!r} needs at least two values, got {len(self.values)}")
        if self.start is not None and self.start not in self.values:
            raise ValueError(
                f"control {self.label!r} starts at {self.start!r}, which is not among its values"
            )
        if self.labels is not None and len(self.labels) != len(self.values):
            raise ValueError(
                f"control {self.label!r} has {len(self.values)} values and {len(self.labels)} labels"
            )

    @property
    def texts(self) -> list[str]:
        return [str(text) for text in (self.labels or self.values)]

    @property
    def start_index(self) -> int:
        return 0 if self.start is None else list(self.values).index(self.start)


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
    if _static():
        display(HTML(_page_html([], {"": (fig, "")}, alt, table, caption)))
        return
    display(_bundle(fig), raw=True)
    display(HTML(_below(alt, table, caption)))


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
    if _static():
        display(HTML(explore_html(controls, draw, alt=alt, table=table, caption=caption)))
        return
    _explore_live(controls, draw)
    display(HTML(_below(alt, table, caption)))


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
    names, sliders = list(controls), list(controls.values())
    frames = {}
    for index in itertools.product(*(range(len(slider.values)) for slider in sliders)):
        settings = {name: slider.values[i] for name, slider, i in zip(names, sliders, index, strict=True)}
        frames[",".join(map(str, index))] = draw(**settings)
    return _page_html(sliders, frames, alt, table, caption)


def _explore_live(controls: Mapping[str, Control], draw) -> None:
    import ipywidgets

    sliders = {
        name: ipywidgets.SelectionSlider(
            options=list(zip(control.texts, control.values, strict=True)),
            value=control.values[control.start_index],
            description=control.label,
            continuous_update=False,
            style={"description_width": "initial"},
            layout={"width": "32em"},
        )
        for name, control in controls.items()
    }

    def redraw(**settings):
        fig, readout = draw(**settings)
        display(_bundle(fig), raw=True)
        display(HTML(f"<p>{html.escape(readout)}</p>"))

    display(ipywidgets.VBox([*sliders.values(), ipywidgets.interactive_output(redraw, sliders)]))


def live(fig: go.Figure) -> Callable[[go.Figure], None]:
    """Show ``fig`` in JupyterLab and return a function that puts another figure in its place.

    While the book is built nothing is shown: a page has no kernel, so it gets its figure by :func:`show` at the end.
    """
    if _static():
        return lambda fig: None
    import ipywidgets
    from IPython.display import clear_output

    # JupyterLab draws a Plotly output once and ignores an update of it, so each figure is an output of its own.
    place = ipywidgets.Output()
    display(place)

    def redraw(fig: go.Figure) -> None:
        with place:
            clear_output(wait=True)
            display(_bundle(fig), raw=True)

    redraw(fig)
    return redraw


def _bundle(fig: go.Figure) -> dict:
    """The figure as JupyterLab draws it."""
    fig.update_layout(template=LIGHT)
    return {"application/vnd.plotly.v1+json": json.loads(pio.to_json(fig, validate=False))}


def _static() -> bool:
    """True while the book is built: a figure is then written for readers without a kernel."""
    return os.environ.get("EFFICIENT_AI_STATIC") == "1"


def _require_alt(alt: str) -> None:
    if len(alt.split()) < 5:
        raise ValueError(f"the text alternative {alt!r} is too short: say what is drawn and what it shows")


def _page_html(sliders: list[Control], frames, alt: str, table, caption: str) -> str:
    number = next(_figure_numbers)
    heights = {fig.layout.height or 360 for fig, _ in frames.values()}
    spec = {"controls": [{"labels": slider.texts} for slider in sliders], "layout": {}, "frames": {}}
    for key, (fig, readout) in frames.items():
        body = json.loads(pio.to_json(fig, validate=False))
        body["layout"].pop("template", None)  # the page supplies the one of its theme
        spec["frames"][key] = {"data": body["data"], "layout": body["layout"], "readout": readout}
    text = json.dumps(spec, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    if len(text) > _BUDGET_KB * 1000:
        raise ValueError(
            f"the figure carries {len(text) / 1000:.0f} kB, a page should carry at most {_BUDGET_KB}: "
            "draw fewer points (numpy float32 helps) or fewer settings"
        )
    rows = "".join(_slider_html(slider, f"eai-{number}-{i}") for i, slider in enumerate(sliders))
    readout = "<output class='eai-readout' aria-live='polite'></output>" if sliders else ""
    return (
        f"<figure class='eai-figure' id='eai-figure-{number}'>"
        + (f"<div class='eai-controls'>{rows}</div>" if sliders else "")
        + readout
        + f"<div class='eai-plot' role='img' aria-label='{html.escape(alt, quote=True)}' "
        f"style='min-height:{max(heights):.0f}px'></div>"
        + (f"<figcaption>{html.escape(caption)}</figcaption>" if caption else "")
        + _details(table)
        + f"<script type='application/json' class='eai-spec'>{text}</script></figure>"
    )


def _slider_html(slider: Control, element_id: str) -> str:
    return (
        f"<div class='eai-control'><label for='{element_id}'>{html.escape(slider.label)}</label><div class='eai-row'>"
        f"<input type='range' id='{element_id}' min='0' max='{len(slider.values) - 1}' step='1' "
        f"value='{slider.start_index}' autocomplete='off'>"
        f"<output for='{element_id}'>{html.escape(slider.texts[slider.start_index])}</output></div></div>"
    )


def _below(alt: str, table, caption: str) -> str:
    described = f"<details><summary>Description</summary><p>{html.escape(alt)}</p></details>"
    return (f"<p><em>{html.escape(caption)}</em></p>" if caption else "") + described + _details(table)


def _details(table) -> str:
    if table is None:
        return ""
    label = "Numbers behind the figure"
    return f"<details><summary>{label}</summary>{table_html(table, label)}</details>"
