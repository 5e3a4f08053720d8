"""The figures of the chapter and the tables under them."""

from collections.abc import Callable, Mapping

import numpy as np
import plotly.graph_objects as go

from efficient_ai import plotting
from efficient_ai.pruning._method import average

SHARES = (0.01, 0.1, 0.25, 0.5, 1.0)


def _distances(found: Mapping[int, np.ndarray], share: float) -> np.ndarray:
    return np.array([np.linalg.norm(average(walk, share)) for walk in found.values()])


def mean_figure(found: Mapping[int, np.ndarray]) -> Callable[[float], tuple[go.Figure, str]]:
    """``draw(share)``: for each seed how far the mean of that share of its walk lies from the minimum."""

    def draw(share: float) -> tuple[go.Figure, str]:
        last, mean = _distances(found, 1e-9), _distances(found, share)
        figure = plotting.figure(x="seed", y="distance from the minimum")
        names = ("last place", "mean")
        for name, values, colour in zip(
            names, (last, mean), list(plotting.OKABE_ITO.values())[:2], strict=True
        ):
            figure.add_trace(
                go.Scatter(
                    x=list(found), y=values, mode="markers", name=name, marker={"color": colour, "size": 10}
                )
            )
        figure.update_yaxes(range=[0, 1.1 * max(last.max(), _distances(found, 1.0).max())])
        ratio = np.exp(np.mean(np.log(mean / last)))
        return figure, f"The mean of the last {100 * share:g} % lies at {ratio:.2f} of the distance."

    return draw


def mean_table(found: Mapping[int, np.ndarray]) -> dict[str, list]:
    """Distance of the mean from the minimum for each share, mean over seeds."""
    return {
        "share of the walk": list(SHARES),
        "distance": [round(float(_distances(found, share).mean()), 3) for share in SHARES],
    }
