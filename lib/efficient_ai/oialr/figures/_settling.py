"""How like its former self a weight is: basis, mixing, and the whole."""

from collections.abc import Callable, Mapping

import numpy as np
import plotly.graph_objects as go

from efficient_ai import plotting
from efficient_ai.oialr.experiments import MEASURES, Settling

Found = Mapping[tuple[str, str], Mapping[int, Settling]]


def settling_figure(found: Found) -> Callable[[str, str], tuple[go.Figure, str]]:
    """``draw(net, rate)``: three measures over the training, mean of the layers, band over the seeds."""

    def draw(net: str, rate: str) -> tuple[go.Figure, str]:
        fig = plotting.figure(x="checkpoint", y="likeness with the checkpoint before", height=400)
        told = []
        for name, colour in zip(MEASURES, list(plotting.OKABE_ITO.values())[1:], strict=False):
            curves = np.array([run.curves[name].mean(axis=1) for run in found[net, rate].values()])
            x = list(range(1, curves.shape[1] + 1))
            band = plotting.interval_band(x, curves.min(axis=0).round(4), curves.max(axis=0).round(4), colour)
            fig.add_trace(band.update(mode="lines"))
            fig.add_scatter(x=x, y=curves.mean(axis=0).round(4).tolist(), name=name, mode="lines+markers",
                            line={"color": colour, "width": 2.5})  # fmt: skip
            told.append(f"{name} {curves.mean(axis=0)[-1]:.3f}")
        fig.update_yaxes(range=[0.4, 1.01])
        return fig, f"At the last checkpoint, {rate} learning rate: " + ", ".join(told) + "."

    return draw


def settling_table(found: Found) -> dict[str, list]:
    """First value and mean of the second half, over seeds and layers."""
    keys = list(found)
    rows: dict[str, list] = {"network": [net for net, _ in keys], "learning rate": [rate for _, rate in keys]}
    for name in MEASURES:
        rows[f"{name}, first"] = [
            round(float(np.mean([run.curves[name][0].mean() for run in found[key].values()])), 3)
            for key in keys
        ]
        rows[f"{name}, second half"] = [
            round(float(np.mean([run.late(name) for run in found[key].values()])), 4) for key in keys
        ]
    return rows
