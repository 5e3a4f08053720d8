"""The colours of this chapter's methods, and of members."""

from efficient_ai.plotting import INK, OKABE_ITO

_COLOURS = {
    "NT": OKABE_ITO["blue"],
    "optimal transport": OKABE_ITO["orange"],
    "OT": OKABE_ITO["orange"],
    "OT, naive cost": "#A0522D",
    "averaging": OKABE_ITO["vermilion"],
    "random neurons": OKABE_ITO["purple"],
    "member trained on": OKABE_ITO["green"],
    "weight matching": OKABE_ITO["yellow"],
    "activation matching": "#8A5A9E",
    "zipped": "#999999",
    "interpolated": "#B8860B",
    "distillation": OKABE_ITO["sky"],
    "NT, distilled": "#005080",
    "wider, then cut": "#6B8E23",
    "NT, diverse": OKABE_ITO["sky"],
    "ensemble": INK,
}

MEMBERS = [
    *OKABE_ITO.values(),
    "#8A5A9E",
    "#A0522D",
    "#6B8E23",
    "#005080",
    "#B48AC4",
    "#999999",
    "#444444",
    "#C0C0C0",
    "#7FBF7F",
]
"""Colours of up to sixteen members."""


def paint(name: str) -> str:
    """The colour of a method; those without one are grey."""
    return _COLOURS.get(name, INK)
