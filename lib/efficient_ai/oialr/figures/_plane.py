"""A weight with four numbers: its basis is a rotation, the rest a stretch."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai import plotting

PLANE = {"turn": (-60, -30, 0, 30, 60), "stretch": (1.0, 1.5, 2.0, 3.0), "axis": (0, 30, 60)}


def _weight(turn: float, stretch: float, axis: float) -> tuple[np.ndarray, np.ndarray]:
    def rotation(degrees: float) -> np.ndarray:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return np.array([[c, -s], [s, c]])

    basis = rotation(turn)
    return basis, basis @ rotation(axis) @ np.diag([stretch, 1 / stretch]) @ rotation(axis).T


def plane_figure(turn: float, stretch: float, axis: float) -> tuple[go.Figure, str]:
    """The circle, its image under the weight, and the two columns of the weight and of its basis."""
    basis, weight = _weight(turn, stretch, axis)
    angle = np.linspace(0, 2 * np.pi, 61)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    image = weight @ circle
    fig = plotting.figure(x="first output", y="second output", height=420)
    colours = list(plotting.OKABE_ITO.values())
    fig.add_scatter(
        x=circle[0].round(3), y=circle[1].round(3), mode="lines", name="circle", line={"dash": "dot"}
    )
    fig.add_scatter(x=image[0].round(3), y=image[1].round(3), mode="lines", name="its image under W")
    for name, matrix, colour in (("columns of B", basis, colours[1]), ("columns of W", weight, colours[2])):
        x, y = (
            np.array([[0, matrix[i, 0], None], [0, matrix[i, 1], None]], dtype=object).ravel() for i in (0, 1)
        )
        fig.add_scatter(x=x, y=y, mode="lines+markers", name=name, line={"color": colour, "width": 3})
    fig.update_xaxes(range=[-3.3, 3.3])
    fig.update_yaxes(range=[-3.3, 3.3], scaleanchor="x")
    shown = "; ".join(" ".join(f"{value:.2f}" for value in row) for row in weight)
    return (
        fig,
        f"W = [{shown}]. B turns by {turn}°, whatever the stretch; the stretch has {stretch:g} and {1 / stretch:.2f}.",
    )


def plane_table() -> dict[str, list]:
    """Weight and basis for a turn of 30° and each stretch along 30°."""
    found = [(stretch, *_weight(30, stretch, 30)) for stretch in PLANE["stretch"]]
    return {
        "stretch": [stretch for stretch, _, _ in found],
        "first column of W": [str(weight[:, 0].round(2).tolist()) for _, _, weight in found],
        "first column of B": [str(basis[:, 0].round(2).tolist()) for _, basis, _ in found],
    }
