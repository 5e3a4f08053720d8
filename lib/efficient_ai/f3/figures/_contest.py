"""Figures of who learns how well."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai import ledger, plotting
from efficient_ai.f3.experiments import CLASS_TASKS, STORED_BITS, Column, gap_reduction

COLOUR = {
    "BP": plotting.INK,
    "LLO": "#B0B0B0",
    "FA": plotting.OKABE_ITO["yellow"],
    "DFA": plotting.OKABE_ITO["sky"],
    "DRTP": plotting.OKABE_ITO["orange"],
    "F³": plotting.OKABE_ITO["blue"],
    "F³, one-hot": plotting.OKABE_ITO["purple"],
    "Mono-Forward": plotting.OKABE_ITO["green"],
    "PEPITA": plotting.OKABE_ITO["vermilion"],
    "Forward-Forward": "#8C6D31",
}
"""One colour a method, in all figures of the chapter."""


def unit(column: Column) -> str:
    """Of the errors of a column."""
    return "% wrong" if column.cell.task in CLASS_TASKS else "% of the variance"


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    return ledger.interval(values) if np.isfinite(values).all() else (float("nan"),) * 3


def contest_figure(columns: Mapping[str, Column]) -> Callable[[str], tuple[go.Figure, str]]:
    """``draw(name)``: test error of every method in one cell, a dot a seed, a bar for the interval."""

    def draw(name: str) -> tuple[go.Figure, str]:
        column = columns[name]
        order = sorted(column.results, key=lambda m: column.errors(m).mean())
        figure = plotting.figure(x=f"test error ({unit(column)})", height=420, showlegend=False)
        for method in order:
            errors = column.errors(method)
            value, low, high = _interval(errors)
            marker = {"color": COLOUR[method], "size": 7, "opacity": 0.6}
            y = [method] * len(errors)
            figure.add_trace(
                go.Scatter(x=errors.round(3).tolist(), y=y, mode="markers", marker=marker, name=method)
            )
            bar = {"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low]}
            figure.add_trace(
                go.Scatter(
                    x=[value],
                    y=[method],
                    error_x=bar,
                    mode="markers",
                    marker={"color": COLOUR[method], "size": 12, "symbol": "line-ns-open"},
                    name=method,
                )
            )
        figure.update_yaxes(autorange="reversed")
        figure.update_layout(margin={"l": 130})
        gap = gap_reduction(column)
        ours = column.errors("F³").mean()
        said = (
            "BP is not clearly better than DRTP here: there is no gap to reduce."
            if gap is None
            else f"F³ takes away {gap[0]:.0f} % of DRTP's gap to BP [{gap[1]:.0f}, {gap[2]:.0f}]."
        )
        return (
            figure,
            f"F³ {ours:.2f} {unit(column)}, best {order[0]} {column.errors(order[0]).mean():.2f}. {said}",
        )

    return draw


def contest_table(columns: Mapping[str, Column]) -> dict[str, list]:
    """Mean and standard deviation of the test errors, and the chosen rate, a row a method."""
    names = list(next(iter(columns.values())).results)
    rows: dict[str, list] = {"method": names}
    for name, column in columns.items():
        cells = []
        for m in names:
            if m not in column.results:
                cells.append("—")
                continue
            errors = column.errors(m)
            cells.append(f"{errors.mean():.2f} ± {errors.std(ddof=1):.2f} at {column.rates[m]:g}")
        rows[f"{name} ({unit(column)})"] = cells
    return rows


def gap_figure(columns: Mapping[str, Column]) -> Callable[[str], tuple[go.Figure, str]]:
    """``draw(reference)``: how much of the gap F³ takes away depends on whom it is compared with."""

    def draw(reference: str) -> tuple[go.Figure, str]:
        figure = plotting.figure(y="per cent of the gap to BP taken away", height=340, showlegend=False)
        told = []
        for name, column in columns.items():
            gap = gap_reduction(column, reference)
            if gap is None:
                told.append(name)
                figure.add_trace(go.Bar(x=[name], y=[0]))
                figure.add_annotation(x=name, y=0, text="no gap", showarrow=False, yshift=12)
                continue
            bar = {
                "type": "data",
                "symmetric": False,
                "array": [gap[2] - gap[0]],
                "arrayminus": [gap[0] - gap[1]],
            }
            figure.add_trace(go.Bar(x=[name], y=[gap[0]], error_y=bar, marker_color=COLOUR["F³"]))
        figure.update_yaxes(range=[-150, 150])
        undefined = f" No gap: {', '.join(told)}." if told else ""
        return figure, f"Reference: {reference}. 100 % would be BP's error, 0 % the reference's.{undefined}"

    return draw


def gap_table(columns: Mapping[str, Column], references: Sequence[str]) -> dict[str, list]:
    """Gap reduction of every cell, a column a reference."""
    rows: dict[str, list] = {"task": list(columns)}
    for reference in references:
        found = [gap_reduction(c, reference) for c in columns.values()]
        rows[f"against {reference} (%)"] = [
            "no gap" if g is None else f"{g[0]:.0f} [{g[1]:.0f}, {g[2]:.0f}]" for g in found
        ]
    return rows


def reading(columns: Mapping[str, Column]) -> str:
    """The contest in a few sentences, from the numbers."""
    said = []
    for name, column in columns.items():
        order = sorted(column.results, key=lambda m: column.errors(m).mean())
        place, rival = order.index("F³") + 1, column.rival
        difference = column.errors(rival) - column.errors("F³")
        value, low, high = _interval(difference)
        better = "ahead of" if low > 0 else "behind" if high < 0 else "level with"
        said.append(
            f"**{name}**: F³ is number {place} of {len(order)}, {better} {rival}, the strongest plausible rival "
            f"({value:+.2f} points [{low:+.2f}, {high:+.2f}])."
        )
    edges = [
        f"{m} on {n}"
        for n, c in columns.items()
        for m, r in c.rates.items()
        if len(set(c.rates.values())) > 1 and r == max(c.rates.values())
    ]
    said.append(
        f"At the upper end of the chosen rates stand {len(edges)} of {sum(len(c.rates) for c in columns.values())} choices."
    )
    return "\n\n".join(said)


def opening(columns: Mapping[str, Column], unlocked: float, speedup: float) -> str:
    """The finding of the chapter in one paragraph."""
    classes = [c for c in columns.values() if c.cell.task in CLASS_TASKS]
    numbers = [c for c in columns.values() if c.cell.task not in CLASS_TASKS]

    def wins(cells: list[Column], other) -> int:
        return sum(c.errors("F³").mean() < c.errors(other(c)).mean() for c in cells)

    return (
        f"In {wins(classes, lambda c: 'DRTP')} of {len(classes)} classification and {wins(numbers, lambda c: 'DRTP')} of "
        f"{len(numbers)} regression settings F³ has a smaller error than DRTP, and in "
        f"{wins(classes + numbers, lambda c: c.rival)} of {len(classes + numbers)} than the strongest rule that needs no way back "
        f"either. On ranks it really does not wait: {100 * unlocked:.0f} % of the updates of the first rank were done before the "
        f"last one saw the batch, with weights equal to serial training to the bit. Two ranks made an epoch {speedup:.2f} times "
        "as fast as one."
    )


def variations_figure(found: Mapping[str, list]) -> Callable[[str], tuple[go.Figure, str]]:
    """``draw(what)``: test error when one thing is changed: the store, the feedback, the signal."""
    groups = {
        "what the table keeps": [
            "F³",
            "table of 16 bits",
            "table of 8 bits",
            "table of signs",
            "table of classes",
        ],
        "how B begins": ["F³", "B kaiming uniform", "B binomial", "B plus minus identity"],
        "what is told": ["F³", "begins with zeros", "other sign", "delayed loss", "softmax error"],
    }

    def draw(what: str) -> tuple[go.Figure, str]:
        names = groups[what]
        errors = {n: np.array([r.test for r in found[n]]) for n in names}
        figure = plotting.figure(y="test error (% wrong)", showlegend=False)
        for n, e in errors.items():
            figure.add_trace(
                go.Box(
                    y=e.round(3).tolist(),
                    name=n,
                    boxpoints="all",
                    marker_color=COLOUR["F³" if n == "F³" else "DRTP"],
                )
            )
        base = errors["F³"]
        worst = max(names, key=lambda n: errors[n].mean())
        return (
            figure,
            f"Largest change: {worst}, {errors[worst].mean() - base.mean():+.2f} points on {base.mean():.2f}.",
        )

    return draw


VARIATION_GROUPS = ("what the table keeps", "how B begins", "what is told")


def variations_table(found: Mapping[str, list]) -> dict[str, list]:
    """All variations: mean, difference from F³ with its interval, bits of a row where the table changes."""
    base = np.array([r.test for r in found["F³"]])
    rows: dict[str, list] = {
        "variation": [],
        "test error (%)": [],
        "minus F³ [95 %]": [],
        "bits a sample": [],
    }
    for name, results in found.items():
        errors = np.array([r.test for r in results])
        value, low, high = _interval(errors - base)
        rows["variation"].append(name)
        rows["test error (%)"].append(f"{errors.mean():.2f} ± {errors.std(ddof=1):.2f}")
        rows["minus F³ [95 %]"].append(f"{value:+.2f} [{low:+.2f}, {high:+.2f}]")
        rows["bits a sample"].append(str(STORED_BITS.get(name, "—")))
    return rows


def delay_figure(
    found: Mapping[str, list], angles: Mapping[str, np.ndarray]
) -> Callable[[int], tuple[go.Figure, str]]:
    """``draw(k)``: validation error over epochs for a delay of k epochs beside those of 0 and 1."""
    names = [n for n in found if n.startswith("delay")]

    def draw(k: int) -> tuple[go.Figure, str]:
        figure = plotting.figure(x="epoch", y="validation error (% wrong)")
        for name in names:
            curve = np.array([r.valid for r in found[name]]).mean(0)
            mine = name == f"delay {k}"
            line = {
                "color": COLOUR["F³"] if mine else plotting.rgba(plotting.INK, 0.4),
                "width": 3 if mine else 1,
            }
            figure.add_trace(
                go.Scatter(
                    x=list(range(1, len(curve) + 1)),
                    y=curve.round(2).tolist(),
                    line=line,
                    name=name,
                    mode="lines",
                )
            )
        errors = np.array([r.test for r in found[f"delay {k}"]])
        value, low, high = _interval(errors)
        return figure, f"Delay of {k} epochs: test error {value:.2f} % [{low:.2f}, {high:.2f}]."

    return draw


def delay_table(found: Mapping[str, list]) -> dict[str, list]:
    """Test error for each delay."""
    names = [n for n in found if n.startswith("delay")]
    values = [_interval(np.array([r.test for r in found[n]])) for n in names]
    return {"delay": names, "test error (%) [95 %]": [f"{v:.2f} [{a:.2f}, {b:.2f}]" for v, a, b in values]}


def angle_figure(found: Mapping[str, np.ndarray]) -> Callable[[str], tuple[go.Figure, str]]:
    """``draw(method)``: angle between signal and gradient of each block over the epochs."""

    def draw(method: str) -> tuple[go.Figure, str]:
        curves = found[method]
        figure = plotting.figure(x="epoch", y="angle (°)")
        for block in range(curves.shape[2]):
            mine = curves[:, :, block]
            colour = list(plotting.OKABE_ITO.values())[block]
            x = list(range(mine.shape[1]))
            figure.add_trace(plotting.interval_band(x, mine.min(0).round(1), mine.max(0).round(1), colour))
            figure.add_trace(
                go.Scatter(
                    x=x, y=mine.mean(0).round(1).tolist(), name=f"block {block + 1}", line={"color": colour}
                )
            )
        figure.add_hline(y=90, line={"color": plotting.INK, "dash": "dash"})
        figure.update_yaxes(range=[0, 180])
        ends = curves[:, -1].mean(0)
        return figure, f"{method}: at the end " + ", ".join(
            f"block {b + 1} {a:.0f}°" for b, a in enumerate(ends)
        ) + "."

    return draw


def angle_table(found: Mapping[str, np.ndarray]) -> dict[str, list]:
    """Angles at the beginning and the end, mean over seeds."""
    rows = [
        (m, b, c[:, 0, b].mean(), c[:, -1, b].mean()) for m, c in found.items() for b in range(c.shape[2])
    ]
    return {
        "method": [r[0] for r in rows],
        "block": [r[1] + 1 for r in rows],
        "before training (°)": [round(float(r[2]), 1) for r in rows],
        "at the end (°)": [round(float(r[3]), 1) for r in rows],
    }
