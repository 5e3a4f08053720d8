"""Maps: which rank owns what, and forecasts."""

import numpy as np

from efficient_ai.data import SurfaceWeather
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.ledger import interval
from efficient_ai.plotting import INK, OKABE_ITO, figure

_GRIDS = {"1 rank": Grid(1, 1), "2 ranks": Grid(1, 2), "4 ranks": Grid(2, 2)}
SHARES = {
    f"{name}: rank {rank}" if grid.size > 1 else name: (grid, rank)
    for name, grid in _GRIDS.items()
    for rank in range(grid.size)
}
_PANELS = [(0, 0.48, 0.56, 0.94), (0.52, 1, 0.56, 0.94), (0, 0.48, 0, 0.38), (0.52, 1, 0, 0.38)]
_EVERY = 6  # degrees between two points that are drawn
_SHORT = ("pressure", "wind eastward", "wind northward", "temperature")
_SHOWN = {"Pa": (0.01, "hPa", 0), "m/s": (1.0, "m/s", 1), "K": (1.0, "K", 0)}


def ownership(weather: SurfaceWeather, share: str):
    """Four real fields; what the chosen rank holds is drawn, everything else is blank."""
    grid, rank = SHARES[share]
    i, j = grid.place(rank)
    fig = figure(height=420, showlegend=False)
    mine = range(j * 4 // grid.cols, (j + 1) * 4 // grid.cols)
    lon = weather.longitude[::_EVERY]
    owned = (lon >= i * 360 / grid.rows) & (lon < (i + 1) * 360 / grid.rows)
    for k, (x0, x1, y0, y1) in enumerate(_PANELS):
        axis = "" if k == 0 else str(k + 1)
        factor, unit, digits = _SHOWN[weather.units[k]]
        z = np.round(weather.fields[0, k, ::_EVERY, ::_EVERY][:, owned].astype(float) * factor, digits)
        fig.add_heatmap(
            z=(z if digits else z.astype(int)).tolist() if k in mine else [[None]], x=lon[owned].tolist(),
            y=weather.latitude[::_EVERY].tolist(), xaxis=f"x{axis}", yaxis=f"y{axis}", showscale=False,
            colorscale="Cividis", hovertemplate="%{y}° N, %{x}° E: %{z} " + unit + "<extra></extra>",
        )  # fmt: skip
        fig.update_layout({
            f"xaxis{axis}": dict(domain=[x0, x1], anchor=f"y{axis}", showticklabels=k > 1, range=[0, 360], tickvals=[0, 180, 360]),
            f"yaxis{axis}": dict(domain=[y0, y1], anchor=f"x{axis}", showticklabels=k % 2 == 0, range=[-90, 90], tickvals=[-90, 0, 90]),
        })  # fmt: skip
        fig.add_annotation(
            x=(x0 + x1) / 2,
            y=y1,
            xref="paper",
            yref="paper",
            yanchor="bottom",
            xanchor="center",
            text=_SHORT[k],
            showarrow=False,
        )
    names = " and ".join([", ".join(weather.variables[k] for k in mine[:-1]), weather.variables[mine[-1]]])
    part = "all longitudes" if grid.rows == 1 else ("0 to 180 degrees east", "180 to 360 degrees east")[i]
    return fig, f"Rank {rank} of {grid.size} reads {names}, {part}: 1/{grid.size} of the bytes."


def token_table(config) -> dict[str, list]:
    """Which ranks hold parts of a token, on 2 x 2."""
    patches = config.lon // config.patch
    rows: dict[str, list] = {"token": [], "circle of latitude": [], "patch": [], "held by ranks": []}
    for token in (0, patches // 2, patches, config.tokens - 1):
        lat, patch = divmod(token, patches)
        i = patch * 2 // patches
        for column, value in zip(
            rows, (token, lat, patch, f"{2 * i} and {2 * i + 1}, half the channels each"), strict=True
        ):
            rows[column].append(value)
    return rows


KINDS = {"truth": "truth", "network": "network", "solver": "coarse solver", "persistence": "persistence"}


def forecast_map(weather, found: dict[str, np.ndarray], kind: str, lead: int):
    """Zonal wind of one test forecast, and its error."""
    truth = _wind(weather, found["truth"][lead - 1, 0])
    shown = _wind(weather, found[kind][lead - 1, 0])
    fig = figure(height=560, showlegend=False)
    lat = np.degrees(weather.sphere.latitude).round(1).tolist()
    lon = (np.arange(weather.sphere.lon) * 360 / weather.sphere.lon).tolist()
    panels = (shown.round().astype(int), 60, KINDS[kind]), (np.round(shown - truth, 1), 12, "error")
    for k, (z, limit, title) in enumerate(panels):
        axis, low = ("", 0.56) if k == 0 else ("2", 0.0)
        fig.add_heatmap(
            z=z.tolist(), x=lon, y=lat, zmin=-limit, zmax=limit, colorscale="RdBu", reversescale=True,
            xaxis=f"x{axis}", yaxis=f"y{axis}", colorbar=dict(y=low + 0.2, len=0.42, thickness=10, title="m/s"),
            hovertemplate="%{y}° N, %{x}° E: %{z} m/s<extra></extra>",
        )  # fmt: skip
        fig.update_layout({
            f"xaxis{axis}": dict(anchor=f"y{axis}", title="longitude (degrees)" if k else "", tickvals=[0, 90, 180, 270]),
            f"yaxis{axis}": dict(anchor=f"x{axis}", domain=[low, low + 0.4], title="latitude (degrees)"),
        })  # fmt: skip
        fig.add_annotation(
            x=0,
            y=low + 0.4,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            text=title,
            showarrow=False,
        )
    error = np.sqrt(
        (((shown - truth) ** 2).mean(-1) * np.cos(weather.sphere.latitude)).sum()
        / np.cos(weather.sphere.latitude).sum()
    )
    return fig, f"{KINDS[kind]}, {6 * lead} h ahead: RMSE of the zonal wind {error:.2f} m/s in this forecast."


def _wind(weather, fields: np.ndarray) -> np.ndarray:
    return fields[2] * weather.std[2] + weather.mean[2]


_LOOKS = {
    "network": (OKABE_ITO["blue"], "solid"), "persistence": (INK, "dash"), "climatology": (INK, "dot"),
}  # fmt: skip
_SOLVERS = [OKABE_ITO["vermilion"], OKABE_ITO["orange"], OKABE_ITO["yellow"], OKABE_ITO["green"]]


def lead_figure(scores: dict[str, np.ndarray], measure: str):
    """A score over the lead time, by method. ``scores``: ``[seeds or 1, steps]``, the network's with its interval over seeds."""
    fig = figure(x="lead time (h)", y=measure, height=380)
    solver = 0
    for method, values in scores.items():
        hours = [6 * (k + 1) for k in range(values.shape[1])]
        if method in _LOOKS:
            hue, dash = _LOOKS[method]
        else:
            hue, dash = _SOLVERS[solver], "solid"
            solver += 1
        fig.add_scatter(
            x=hours,
            y=values.mean(0).round(4).tolist(),
            name=method,
            line=dict(color=hue, dash=dash, width=3),
            mode="lines",
        )
        if len(values) > 2:
            rows = [interval(column) for column in values.T]
            from efficient_ai.plotting import interval_band

            fig.add_trace(interval_band(hours, [r[1] for r in rows], [r[2] for r in rows], hue))
    return fig


def lead_table(scores: dict[str, np.ndarray]) -> dict[str, list]:
    """The numbers of :func:`lead_figure`."""
    rows: dict[str, list] = {
        "lead time (h)": [6 * (k + 1) for k in range(next(iter(scores.values())).shape[1])]
    }
    return rows | {method: values.mean(0).tolist() for method, values in scores.items()}


def batch_figure(runs: dict[int, list]):
    """Validation RMSE over epochs for each global batch: mean of the seeds."""
    fig = figure(x="epoch", y="validation RMSE (std. dev.)", height=320)
    hues = dict(zip(runs, (OKABE_ITO["vermilion"], OKABE_ITO["sky"], OKABE_ITO["blue"]), strict=True))
    for batch, learned in runs.items():
        values = np.array([run.valid for run in learned])
        fig.add_scatter(
            x=list(range(1, values.shape[1] + 1)), y=values.mean(0), name=f"global batch {batch}", mode="lines+markers",
            line=dict(color=hues[batch], width=3),
            error_y=dict(type="data", array=np.ptp(values, axis=0) / 2),
        )  # fmt: skip
    return fig


def batch_table(runs: dict[int, list]) -> dict[str, list]:
    """RMSE of each batch by epoch and by optimiser steps."""
    rows: dict[str, list] = {
        "global batch": [],
        "epoch": [],
        "optimiser steps": [],
        "RMSE, mean of seeds": [],
    }
    for batch, learned in runs.items():
        for epoch, steps in enumerate(learned[0].steps):
            value = float(np.mean([run.valid[epoch] for run in learned]))
            for column, entry in zip(rows, (batch, epoch + 1, steps, value), strict=True):
                rows[column].append(entry)
    return rows
