"""The dependency graph, and what goes together with one channel."""

from collections import defaultdict

import numpy as np
import plotly.graph_objects as go
from torch import nn

from efficient_ai.plotting import OKABE_ITO, figure
from efficient_ai.pruning.experiments import kind
from efficient_ai.surgery import Anatomy

KINDS = {"streams": OKABE_ITO["blue"], "heads": OKABE_ITO["orange"], "hidden units": OKABE_ITO["green"]}


def layers(anatomy: Anatomy) -> list[str]:
    """Layers that hold channels, in the order of the computation."""
    found = []
    for part in anatomy.parts.values():
        name = part.name.rsplit(".", 1)[0]
        if part.layer and name not in found:
            found.append(name)
    return found


def share(anatomy: Anatomy, model: nn.Module, group: int) -> float:
    """Share of all parameters that has an axis in a group."""
    held = dict(model.named_parameters())
    names = {name for name, _ in anatomy.groups[group].places if name in held}
    return sum(held[n].numel() for n in names) / sum(p.numel() for p in held.values())


def coupling_figure(anatomy: Anatomy, model: nn.Module):
    """``draw(group)``: which axis of which layer loses an entry with one channel of a group."""
    rows = layers(anatomy)
    sides = ("outputs, rows", "inputs, columns")

    def draw(group: str) -> tuple[go.Figure, str]:
        index = anatomy.group(group)
        found = defaultdict(set)
        for name, axis in anatomy.groups[index].places:
            if anatomy.parts[name].layer:
                found[name.rsplit(".", 1)[0]].add(min(axis, 1))
        z = np.array([[1.0 if side in found.get(row, ()) else 0.0 for side in (0, 1)] for row in rows])
        fig = figure(x="", y="", height=max(420, 15 * len(rows)))
        colour = KINDS[kind(group)]
        fig.add_heatmap(
            z=z, x=sides, y=rows, colorscale=[[0, "rgba(128,128,128,0.12)"], [1, colour]], showscale=False,
            zmin=0, zmax=1, xgap=3, ygap=2,
        )  # fmt: skip
        fig.update_yaxes(autorange="reversed", tickfont=dict(size=10))
        each = anatomy.groups[index]
        return fig, (
            f"A channel of {each.name} ({kind(group)}, {each.units} of them) is a slice of {int(z.sum())} layers' "
            f"axes; the tensors it touches hold {share(anatomy, model, index):.0%} of all parameters."
        )

    return draw


def coupling_table(anatomy: Anatomy, model: nn.Module) -> dict[str, list]:
    """All groups."""
    groups = anatomy.groups
    return {
        "group": [g.name for g in groups],
        "part": [kind(g.name) for g in groups],
        "units": [g.units for g in groups],
        "coupled axes": [len(g.places) for g in groups],
        "share of parameters touched": [f"{share(anatomy, model, i):.0%}" for i in range(len(groups))],
    }
