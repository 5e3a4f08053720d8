"""From pairs to pictures: what each sorter's choice does to the image."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from efficient_ai.petnet import (
    GEOMETRY,
    KINDS,
    Coincidences,
    Phantom,
    Recipe,
    Scanner,
    SpikingNetwork,
    Stream,
    scan,
)
from efficient_ai.petnet.experiments import SORTERS, sorted_pairs
from efficient_ai.petnet.figures._windows import COLOURS
from efficient_ai.petnet.imaging import (
    Grid,
    filtered_back_projection,
    mlem,
    picture_error,
    sinogram,
    survival,
    truth,
)
from efficient_ai.plotting import figure

ACTIVITIES = np.geomspace(1e7, 2e9, 8)
RATES = ("NECR", *KINDS)


@dataclass(frozen=True)
class Picture:
    """What one sorter made of a scan.

    Args:
        width: of its window, ticks.
        found: its coincidences.
        back: picture by filtered back-projection.
        steps: pictures after each iteration of MLEM.
        errors: error of each of these; ``back_error`` that of the other.
    """

    width: int
    found: Coincidences
    back: np.ndarray
    steps: list[np.ndarray]
    errors: list[float]
    back_error: float


def line_sensitivity(scanner: Scanner, grid: Grid, decays: int, seed: int = 9) -> np.ndarray:
    """Counts per unit of line integral, from a scan of a flat source in air: how often each line is seen at all."""
    radius = grid.size / 2 + 2
    flat = Phantom(radius=0, rods=((0.0, 0.0, radius, 1.0),), rod_length=28.0)
    seen = scan(scanner, flat, activity=decays, seconds=1, seed=seed, physics=GEOMETRY)
    order = np.argsort(seen.decay, kind="stable")
    both = np.flatnonzero(np.diff(seen.decay[order]) == 0)
    counts = sinogram(scanner, seen.crystal[order][both], seen.crystal[order][both + 1], grid)
    offset = (np.arange(grid.pixels) + 0.5) * grid.pitch - grid.size / 2
    chord = 2 * np.sqrt(radius**2 - offset**2)
    # The sum over directions has little noise; which lines exist in a direction is a pattern that must stay.
    return counts / chord[:, None]


def pictures(
    pairs: Mapping[str, tuple[int, Coincidences]],
    stream: Stream,
    phantom: Phantom,
    grid: Grid,
    sensitivity: np.ndarray,
    iterations: int,
) -> dict[str, Picture]:
    """One picture for each sorter, attenuation corrected, no correction of scatter and randoms."""
    weight = sensitivity * survival(phantom, grid)
    true = truth(phantom, grid)
    made = {}
    for name, (width, found) in pairs.items():
        counts = sinogram(stream.scanner, found.first, found.second, grid)
        back = filtered_back_projection(counts, grid, weight)
        steps = mlem(counts, grid, weight, iterations=iterations)
        made[name] = Picture(
            width,
            found,
            back,
            steps,
            [picture_error(step, true, grid) for step in steps],
            picture_error(back, true, grid),
        )
    return made


def picture_view(
    made: Mapping[str, Picture], true: np.ndarray, grid: Grid, name: str, method: str
) -> tuple[go.Figure, str]:
    """A reconstructed picture beside the true one."""
    picture = made[name]
    image, error = {
        "back-projection": (picture.back, picture.back_error),
        "MLEM, best": (picture.steps[int(np.argmin(picture.errors))], min(picture.errors)),
    }[method]
    fig = figure(height=330)
    scale = true[grid.disc].sum() / max(image[grid.disc].sum(), 1e-12)
    for column, values in enumerate((image * scale, true), 1):
        fig.add_heatmap(
            z=_cells(values, grid),
            zmin=0, zmax=float(true.max()), showscale=False, colorscale="Cividis", hoverinfo="skip",
            xaxis=f"x{column if column > 1 else ''}", yaxis=f"y{column if column > 1 else ''}",
        )  # fmt: skip
    bare = dict(showticklabels=False, ticks="", showgrid=False, constrain="domain")
    fig.update_layout(
        xaxis=dict(domain=[0, 0.48], title=name, **bare), yaxis=dict(scaleanchor="x", **bare),
        xaxis2=dict(domain=[0.52, 1], title="truth", anchor="y2", **bare),
        yaxis2=dict(scaleanchor="x2", anchor="x2", **bare),
    )  # fmt: skip
    rates = picture.found.rates()
    wrong = (rates["scattered"] + rates["random"]) / max(
        sum(rates[k] for k in ("true", "scattered", "random")), 1e-12
    )
    return fig, (
        f"Window of {picture.width} ticks, {len(picture.found)} pairs, {wrong:.0%} of them scattered or random. Error of this picture {error:.2f}."
    )


def _cells(values: np.ndarray, grid: Grid) -> list[list[float | None]]:
    return [
        [round(float(value), 2) if inside else None for value, inside in zip(row, disc, strict=True)]
        for row, disc in zip(values, grid.disc, strict=True)
    ]


def picture_table(made: Mapping[str, Picture]) -> dict[str, list]:
    """Pairs, what they are, and errors, by sorter."""
    rates = [picture.found.rates() for picture in made.values()]
    return {
        "sorter": list(made),
        "width (ticks)": [picture.width for picture in made.values()],
        "pairs": [len(picture.found) for picture in made.values()],
        **{f"{kind} (1/s)": [rate[kind] for rate in rates] for kind in ("true", "scattered", "random")},
        "NECR (1/s)": [rate["NECR"] for rate in rates],
        "error, back-projection": [picture.back_error for picture in made.values()],
        "error, best MLEM": [min(picture.errors) for picture in made.values()],
        "at iteration": [int(np.argmin(picture.errors)) + 1 for picture in made.values()],
    }


# -- the noise-equivalent rate of each sorter -------------------------------------------------------------------------


def sorter_curves(
    stream: Stream, phantom: Phantom, network: SpikingNetwork, recipe: Recipe, decays: int, seed: int = 21
) -> dict[str, list[tuple[int, dict[str, float]]]]:
    """Best width and rates of each sorter at each of :data:`ACTIVITIES`, one scan of ``decays`` decays for all of them."""
    curves = {name: [] for name in SORTERS}
    for activity in ACTIVITIES:
        seen = scan(stream.scanner, phantom, activity=activity, seconds=decays / activity, seed=seed)
        for name, (width, found) in sorted_pairs(seen, stream, network, recipe).items():
            curves[name].append((width, found.rates()))
    return curves


def sorter_rates(
    curves: Mapping[str, list[tuple[int, dict[str, float]]]], rate: str
) -> tuple[go.Figure, str]:
    """One rate of every sorter over the activity."""
    fig = figure(x="activity (MBq)", y="NECR (1/s)" if rate == "NECR" else f"{rate} pairs (1/s)")
    for name, rows in curves.items():
        fig.add_scatter(
            x=ACTIVITIES / 1e6, y=[row[rate] if row[rate] > 0 else None for _, row in rows], name=name,
            mode="lines+markers", line=dict(color=COLOURS[name], width=3 if name == "network" else 2),
        )  # fmt: skip
    fig.update_xaxes(type="log")
    fig.update_yaxes(type="log", exponentformat="power")
    peak = {name: max(row["NECR"] for _, row in rows) for name, rows in curves.items()}
    order = sorted(peak, key=peak.get, reverse=True)
    return fig, (
        "Highest noise-equivalent rate of each, thousand per second: "
        + ", ".join(f"{name} {peak[name] / 1e3:.0f}" for name in order)
        + "."
    )


def sorter_table(curves: Mapping[str, list[tuple[int, dict[str, float]]]]) -> dict[str, list]:
    """NECR and best width of every sorter at each activity."""
    return {
        "activity (MBq)": [round(float(activity) / 1e6, 1) for activity in ACTIVITIES],
        **{f"{name}, NECR (1/s)": [row["NECR"] for _, row in rows] for name, rows in curves.items()},
        **{f"{name}, width": [width for width, _ in rows] for name, rows in curves.items()},
    }
