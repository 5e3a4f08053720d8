"""A figure as HTML: the same for a page of the site, a saved notebook, and an export of it; a kernel is not needed."""

import html
import itertools
import json
import re
import uuid
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import plotly.io as pio

from efficient_ai.plotting._control import Control
from efficient_ai.plotting._tables import Table, table_html

BUDGET_KB = 300  # what one figure may add to a page
_numbers = itertools.count(1)  # labels and inputs of a page need ids that differ
# What a notebook's output has beside the element itself, and a page of the site does without.
_NOTEBOOK_ONLY = re.compile(
    r"<script class='eai-(?:carrier|boot)'>.*?</script>|<p class='eai-undrawn'>.*?</p>", re.DOTALL
)
UNDRAWN = (
    "This figure is drawn by a script. Where it stays empty: trust this notebook (in JupyterLab: View, Activate Command "
    "Palette, Trust Notebook) or run its cell."
)


def component(
    sliders: Sequence[Control],
    frames: Mapping[str, tuple[go.Figure, str]],
    *,
    alt: str,
    table: Table | None = None,
    caption: str = "",
    notebook: bool = False,
    live: str = "",
) -> str:
    """The element that ``eai-figures.js`` draws.

    Args:
        sliders: of the figure, none if it does not move.
        frames: figure and readout by the positions of the sliders, ``"0,2"``; ``""`` without sliders.
        alt: text alternative.
        table: the numbers, folded.
        caption: under the figure.
        notebook: the element stands in an output of a notebook, beside those of other notebooks, and asks to be drawn itself.
        live: the name under which the kernel draws settings between the frames; empty if it does not.

    Raises:
        ValueError: more data than a page should carry.
    """
    name = uuid.uuid4().hex[:12] if notebook else str(next(_numbers))
    heights = {fig.layout.height or 360 for fig, _ in frames.values()}
    text = _spec(sliders, frames)
    rows = "".join(_slider_html(slider, f"eai-{name}-{i}") for i, slider in enumerate(sliders))
    readout = "<output class='eai-readout' aria-live='polite'></output>" if sliders else ""
    return (
        f"<figure class='eai-figure' id='eai-figure-{name}'" + (f" data-live='{live}'>" if live else ">")
        + (f"<div class='eai-controls'>{rows}</div>" if sliders else "")
        + readout
        + f"<div class='eai-plot' role='img' aria-label='{html.escape(alt, quote=True)}' "
        + f"style='min-height:{max(heights):.0f}px'>"
        + (f"<p class='eai-undrawn'>{UNDRAWN}</p>" if notebook else "")
        + "</div>"
        + (f"<figcaption>{html.escape(caption)}</figcaption>" if caption else "")
        + _details(table)
        + f"<script type='application/json' class='eai-spec'>{text}</script></figure>"
        + (_boot(f"eai-figure-{name}") if notebook else "")
    )  # fmt: skip


def for_site(output: str) -> str:
    """An output of a notebook as a page of the site has it, which brings the scripts of all its figures once."""
    return _NOTEBOOK_ONLY.sub("", output)


def _spec(sliders: Sequence[Control], frames: Mapping[str, tuple[go.Figure, str]]) -> str:
    controls = [{"labels": slider.texts} for slider in sliders]
    for control, slider in zip(controls, sliders, strict=True):
        if slider.between:
            control["values"] = [float(value) for value in slider.values]
    spec = {"controls": controls, "layout": {}, "frames": {}}
    for key, (fig, readout) in frames.items():
        body = json.loads(pio.to_json(fig, validate=False))
        body["layout"].pop("template", None)  # the page supplies the one of its theme
        spec["frames"][key] = {"data": body["data"], "layout": body["layout"], "readout": readout}
    text = json.dumps(spec, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    if len(text) > BUDGET_KB * 1000:
        raise ValueError(
            f"the figure carries {len(text) / 1000:.0f} kB, a page should carry at most {BUDGET_KB}: "
            "draw fewer points (numpy float32 helps) or fewer settings"
        )
    return text


def _boot(element: str) -> str:
    """Ask for the figure to be drawn; if nothing in the document does, fetch the scripts from the Jupyter server."""
    return (
        "<script class='eai-boot'>(function(){(window.eaiQueue=window.eaiQueue||[]).push('" + element + "');"
        "if(window.eaiDraw)return window.eaiDraw();"
        "setTimeout(function(){const c=document.getElementById('jupyter-config-data');"
        "if(window.eaiDraw||window.eaiAsked||window.eaiCarried||!c)return;window.eaiAsked=true;"
        "const s=document.createElement('script');"
        "s.src=(JSON.parse(c.textContent).baseUrl||'/')+'lab/extensions/efficient-ai/eai-bundle.js';"
        "document.head.append(s);},300);})();</script>"
    )


def _slider_html(slider: Control, element_id: str) -> str:
    return (
        f"<div class='eai-control'><label for='{element_id}'>{html.escape(slider.label)}</label><div class='eai-row'>"
        f"<input type='range' id='{element_id}' min='0' max='{len(slider.values) - 1}' step='1' "
        f"value='{slider.start_index}' autocomplete='off'>"
        f"<output for='{element_id}'>{html.escape(slider.texts[slider.start_index])}</output></div></div>"
    )


def _details(table) -> str:
    if table is None:
        return ""
    label = "Numbers behind the figure"
    return f"<details><summary>{label}</summary>{table_html(table, label)}</details>"
