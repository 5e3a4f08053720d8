"""Colours and templates: the one place that decides what the book looks like."""

from collections.abc import Sequence

import plotly.graph_objects as go

# M. Okabe and K. Ito, "Color Universal Design" (2008): eight colours that readers with a colour vision deficiency can
# tell apart. Their black is left out: it vanishes on a dark page. INK takes its place and reads on both.
OKABE_ITO = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}
INK = "#808080"

# One colour means one method in the whole book. A chapter that brings a method adds it here.
COLOURS = {
    "asynchronous": OKABE_ITO["blue"],
    "synchronous": OKABE_ITO["orange"],
    "random search": INK,
    "CMA-ES": OKABE_ITO["purple"],
    "TPE": OKABE_ITO["green"],
    "differential evolution": OKABE_ITO["sky"],
    "prediction": OKABE_ITO["vermilion"],
    "idle": "#B0B0B0",
}


def colour(method: str) -> str:
    """The colour of ``method`` everywhere in the book.

    Raises:
        KeyError: the method has no colour yet; the message lists those that have one.
    """
    try:
        return COLOURS[method]
    except KeyError:
        raise KeyError(
            f"no colour for {method!r}; add it to COLOURS. Known: {', '.join(sorted(COLOURS))}"
        ) from None


def rgba(hex_colour: str, alpha: float) -> str:
    """``"#RRGGBB"`` with an opacity ``alpha`` in [0, 1], as Plotly wants it."""
    red, green, blue = (int(hex_colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def _template(*, text: str, grid: str, paper: str) -> go.layout.Template:
    axis = dict(
        gridcolor=grid, zerolinecolor=grid, linecolor=grid, ticks="outside", tickcolor=grid,
        title_standoff=8, automargin=True, zeroline=False,
    )  # fmt: skip
    return go.layout.Template(
        layout=dict(
            font=dict(family="system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", size=14, color=text),
            colorway=list(OKABE_ITO.values()),
            paper_bgcolor=paper,
            plot_bgcolor=paper,
            margin=dict(l=56, r=16, t=32, b=48),
            hoverlabel=dict(font_size=13),
            legend=dict(orientation="h", yanchor="bottom", y=1.02, x=0, bgcolor="rgba(0,0,0,0)"),
            xaxis=axis,
            yaxis=axis,
            colorscale=dict(sequential="Cividis", diverging="RdBu"),
            autosize=True,
        )
    )


LIGHT = _template(text="#1f2328", grid="#d8dce1", paper="#ffffff")
DARK = _template(text="#e6e6e6", grid="#3d444d", paper="#121212")


def figure(*, x: str = "", y: str = "", height: int = 360, **layout) -> go.Figure:
    """An empty figure in the book's theme.

    Args:
        x: title of the horizontal axis with its unit, for example ``"time (s)"``.
        y: the same for the vertical axis.
        height: in pixels; the width follows the page.
        **layout: further entries of ``plotly.graph_objects.Layout``.
    """
    return go.Figure(layout=dict(template=LIGHT, height=height, xaxis_title=x, yaxis_title=y, **layout))


def interval_band(
    x: Sequence[float], low: Sequence[float], high: Sequence[float], hex_colour: str, name: str = ""
) -> go.Scatter:
    """A shaded band from ``low`` to ``high`` over ``x`` (each of shape ``(n,)``), for intervals over seeds."""
    return go.Scatter(
        x=[*x, *reversed(list(x))], y=[*low, *reversed(list(high))], fill="toself", fillcolor=rgba(hex_colour, 0.2),
        line=dict(width=0), hoverinfo="skip", showlegend=bool(name), name=name,
    )  # fmt: skip
