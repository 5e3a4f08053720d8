"""The colours of this chapter's methods: more of them than the book's palette has, so they are kept here."""

from efficient_ai.plotting import INK, OKABE_ITO

_COLOURS = {
    "ReCycle": OKABE_ITO["blue"],
    "ReCycle, zero head": OKABE_ITO["sky"],
    "ReCycle, zero head, dropout": OKABE_ITO["green"],
    "days, no residual": OKABE_ITO["orange"],
    "days, no profile": OKABE_ITO["yellow"],
    "hourly tokens": OKABE_ITO["vermilion"],
    "NLinear": "#8A5A9E",
    "DLinear": "#B48AC4",
    "PatchTST": "#A0522D",
    "Autoformer": "#6B4423",
}


def paint(name: str) -> str:
    """The colour of a method; all ridges share one, and what only repeats or averages is grey."""
    return OKABE_ITO["purple"] if name.startswith("ridge") else _COLOURS.get(name, INK)
