"""The figure of a forecast of one's own series."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.plotting import OKABE_ITO, figure, rgba
from efficient_ai.recycle._forecast import Forecast
from efficient_ai.recycle._forecaster import Forecaster
from efficient_ai.recycle.figures._palette import paint


def score_rows(fitted: Forecaster) -> dict[str, list]:
    """What a forecaster was chosen from: error on the days that chose, and over that of the profile."""
    profile = fitted.scores.get("profile", 0.0)
    rows: dict[str, list] = {"candidate": [], "mean absolute error (min-max)": [], "over the profile's": []}
    for name, score in fitted.scores.items():
        told = f"{score:.4f}", f"{score / profile:.3f}" if profile else ""
        for column, value in zip(
            rows, (f"{name}, chosen" if name == fitted.chosen else name, *told), strict=True
        ):
            rows[column].append(value)
    return rows


def forecast_figure(forecast: Forecast, name: str | None = None) -> go.Figure:
    """Two weeks of a series, its forecast, and the fan between the outer quantiles and between the inner ones.

    Raises:
        ValueError: no series of this name.
    """
    if name is not None and name not in forecast.names:
        raise ValueError(f"no series {name!r}; there are {', '.join(forecast.names)}")
    i = 0 if name is None else forecast.names.index(name)
    index = forecast.frame().index
    x = [str(time)[:19] for time in (index if forecast.zone is None else index.tz_localize(None))]
    fig = figure(x="time", y=str(forecast.names[i]), height=400)
    fan, count = forecast.quantiles[i], len(forecast.levels)
    for low in sorted({0, count // 4} if count > 1 else set()):
        high = count - 1 - low
        if high > low:
            fig.add_scatter(
                x=x + x[::-1], y=np.concatenate([fan[:, high], fan[::-1, low]]).tolist(), fill="toself",
                name=f"{forecast.levels[low]:.3g} to {forecast.levels[high]:.3g}", line=dict(width=0), hoverinfo="skip",
                fillcolor=rgba(paint("ReCycle"), 0.18 if low == 0 else 0.35),
            )  # fmt: skip
    before = dict(x=[str(t) for t in forecast.past_times], y=forecast.past[i].tolist(), name="measured")
    fig.add_scatter(**before, line=dict(color=OKABE_ITO["orange"], width=2))
    fig.add_scatter(
        x=x, y=forecast.values[i].tolist(), name="forecast", line=dict(color=paint("ReCycle"), width=2)
    )
    return fig
