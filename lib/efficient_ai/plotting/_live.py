"""Settings between the frames: a figure in JupyterLab asks the kernel that made it."""

import json
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping

import plotly.graph_objects as go
import plotly.io as pio

from efficient_ai.plotting._control import Control

_KEPT = 64  # figures whose settings a kernel remembers
_drawers: OrderedDict[str, tuple[Mapping[str, Control], Callable]] = OrderedDict()


class Frame:
    """A frame as the answer to a user expression of Jupyter's protocol, which takes an object's JSON form."""

    def __init__(self, content: dict):
        self.content = content

    def _repr_json_(self) -> dict:
        return self.content

    def __repr__(self) -> str:
        return "Frame"


def keep(controls: Mapping[str, Control], draw: Callable[..., tuple[go.Figure, str]]) -> str:
    """Remember how a figure is drawn; returns the name under which :func:`frame` knows it."""
    name = uuid.uuid4().hex
    _drawers[name] = (dict(controls), draw)
    while len(_drawers) > _KEPT:
        _drawers.popitem(last=False)
    return name


def frame(name: str, positions: list[float]) -> Frame:
    """The frame at positions of the sliders, whole or between; an answer without data says why there is none."""
    if name not in _drawers:
        return Frame({"gone": True})
    controls, draw = _drawers[name]
    settings = {key: control.at(p) for (key, control), p in zip(controls.items(), positions, strict=True)}
    labels = [
        control.texts[round(p)] if p == round(p) else f"{control.at(p):.3g}"
        for control, p in zip(controls.values(), positions, strict=True)
    ]
    try:
        fig, readout = draw(**settings)
    except Exception as error:  # whatever a chapter's function says of a setting that is none of its own
        return Frame({"labels": labels, "error": f"{type(error).__name__}: {error}"})
    body = json.loads(pio.to_json(fig, validate=False))
    body["layout"].pop("template", None)
    return Frame({"labels": labels, "data": body["data"], "layout": body["layout"], "readout": readout})
