"""Who is ahead when: by width, by epoch, by number of members."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.plotting import figure, interval_band
from efficient_ai.transplantation.experiments import MEMBER, TRANSPORT, Race
from efficient_ai.transplantation.figures._palette import paint

Races = Mapping[int, Sequence[Race]]
RIVALS = {
    "of the paper": ("NT", TRANSPORT, "averaging", "random neurons"),
    "that align or merge": ("NT", "weight matching", "zipped", "interpolated"),
    "that train": ("NT", "distillation", "NT, distilled", "wider, then cut"),
}
"""Methods that are drawn together, always beside transplantation."""


def moments(races: Races | Sequence[Race]) -> dict[str, int]:
    """The epochs of fine-tuning that are shown, never the best one: start, 1, 3, 10 and the last."""
    first = races[min(races)][0] if isinstance(races, Mapping) else races[0]
    last = len(first.curves["NT"]) - 1
    found = {"before fine-tuning": 0} | {f"after {e} epoch{'s' * (e > 1)}": e for e in (1, 3, 10) if e < last}
    return found | {f"last epoch ({last})": last}


def gain(races: Sequence[Race], method: str, epoch: int) -> tuple[float, float, float]:
    """Points above the best member trained on for all epochs: mean and interval over seeds."""
    return interval([r.curves[method][epoch] - r.curves[MEMBER][-1] for r in races])


def width_figure(races: Races):
    """``draw(moment, rivals)``: points above the member trained on, by width."""
    when = moments(races)
    methods = {m for group in RIVALS.values() for m in group}
    values = [gain(rs, m, e)[0] for rs in races.values() for m in methods for e in when.values()]

    def draw(moment: str, rivals: str) -> tuple[go.Figure, str]:
        fig = figure(x="width of the hidden layers", y="points", height=420)
        for method in RIVALS[rivals]:
            rows = [gain(rs, method, when[moment]) for rs in races.values()]
            middle, low, high = (np.array(r).round(2).tolist() for r in zip(*rows, strict=True))
            if method in RIVALS[rivals][:2]:
                fig.add_trace(interval_band(list(races), low, high, paint(method)))
            fig.add_scatter(
                x=list(races), y=middle, name=method, mode="lines+markers", line=dict(color=paint(method), width=2.5)
            )  # fmt: skip
        room = [r.ensemble - r.curves[MEMBER][-1] for rs in races.values() for r in rs]
        each = np.array(room).reshape(len(races), -1).mean(1).round(2).tolist()
        fig.add_scatter(
            x=list(races),
            y=each,
            name="ensemble",
            mode="lines",
            line=dict(color=paint("ensemble"), dash="dot"),
        )
        fig.add_hline(y=0, line=dict(color=paint(MEMBER), dash="dash"))
        fig.update_xaxes(type="log", tickvals=list(races), ticktext=[str(w) for w in races])
        fig.update_yaxes(range=[max(min(values), -40) - 1, max(max(each), 1) + 1])
        wide = [(name, gain(races[max(races)], name, when[moment])) for name in RIVALS[rivals]]
        said = "; ".join(
            f"{name} {middle:+.1f} [{low:.1f}, {high:.1f}]" for name, (middle, low, high) in wide
        )
        return (
            fig,
            f"{moment.capitalize()}, width {max(races)}, points from the member trained on for all epochs: {said}.",
        )

    return draw


def width_table(races: Races) -> dict[str, list]:
    """Accuracies in per cent: members, ensemble, and each method at the moments shown."""
    when = moments(races)
    rows: dict[str, list] = {"width": [], "method": [], **{m: [] for m in when}}
    for width, found in races.items():
        fixed = {
            "best member, as it was": np.mean([r.best for r in found]),
            "ensemble": np.mean([r.ensemble for r in found]),
        }
        for name, value in fixed.items():
            for key, entry in zip(rows, (width, name, *[f"{value:.1f}"] * len(when)), strict=True):
                rows[key].append(entry)
        for name in found[0].curves:
            means = [f"{np.mean([r.curves[name][e] for r in found]):.1f}" for e in when.values()]
            for key, entry in zip(rows, (width, name, *means), strict=True):
                rows[key].append(entry)
    return rows


def race_figure(races: Races):
    """``draw(k, rivals)``: accuracy against epoch of fine-tuning, for every number of members."""

    def draw(k: int, rivals: str) -> tuple[go.Figure, str]:
        found = races[k]
        fig = figure(x="epoch of fine-tuning", y="test accuracy (%)", height=420)
        epochs = list(range(len(found[0].curves["NT"])))
        for name in (*RIVALS[rivals], MEMBER):
            curves = np.array([r.curves[name] for r in found])
            fig.add_scatter(
                x=epochs, y=curves.mean(0).round(2).tolist(), name=name, mode="lines", line=dict(color=paint(name), width=2.5),
            )  # fmt: skip
            if name in RIVALS[rivals][:2]:
                spread = curves.std(0, ddof=1)
                low, high = (
                    (curves.mean(0) - spread).round(2).tolist(),
                    (curves.mean(0) + spread).round(2).tolist(),
                )
                fig.add_trace(interval_band(epochs, low, high, paint(name)))
        ensemble = float(np.mean([r.ensemble for r in found]))
        fig.add_hline(y=ensemble, line=dict(color=paint("ensemble"), dash="dot"), annotation_text="ensemble")
        start, last = (float(np.mean([r.curves["NT"][e] for r in found])) for e in (0, -1))
        on = float(np.mean([r.curves[MEMBER][-1] for r in found]))
        return fig, (
            f"{k} members: the fused network begins at {start:.1f} % and ends at {last:.1f} %; the best member trained on "
            f"ends at {on:.1f} %, the ensemble has {ensemble:.1f} %."
        )

    return draw


def variants_table(races: Races) -> dict[str, list]:
    """Last epoch by number of members: all at once, in pairs, one after the other, each cut first, and the ensemble."""
    names = ("NT", "hierarchical", "iterative", "cut first", "copies of one", MEMBER)
    rows = {"members": list(races)}
    for name in names:
        rows[name] = [f"{np.mean([r.curves[name][-1] for r in found]):.1f}" for found in races.values()]
    return rows | {"ensemble": [f"{np.mean([r.ensemble for r in found]):.1f}" for found in races.values()]}


def others_figure(found: Mapping[str, Sequence[Race]]):
    """``draw(network)``: test accuracy of every method before and after fine-tuning, sorted by the last epoch."""

    def draw(network: str) -> tuple[go.Figure, str]:
        races = found[network]
        last = {m: interval([r.curves[m][-1] for r in races]) for m in races[0].curves}
        order = sorted(last, key=lambda m: last[m][0])
        rows = [m.replace(", new statistics", " *") for m in order]
        fig = figure(x="test accuracy (%)", height=120 + 24 * len(order))
        fig.add_scatter(
            x=[round(float(np.mean([r.curves[m][0] for r in races])), 2) for m in order], y=rows, mode="markers",
            name="before fine-tuning", marker=dict(color=[paint(m) for m in order], symbol="circle-open", size=9),
        )  # fmt: skip
        middle, low, high = (np.array([last[m][i] for m in order]) for i in range(3))
        fig.add_scatter(
            x=middle.round(2).tolist(), y=rows, mode="markers", name="last epoch",
            marker=dict(color=[paint(m) for m in order], size=10),
            error_x=dict(type="data", color="#888888", symmetric=False, array=(high - middle).tolist(), arrayminus=(middle - low).tolist()),
        )  # fmt: skip
        ensemble = float(np.mean([r.ensemble for r in races]))
        fig.add_vline(x=ensemble, line=dict(color=paint("ensemble"), dash="dot"), annotation_text="ensemble")
        fig.update_yaxes(title="", automargin=True, tickfont_size=10)
        return fig, (
            f"{network.capitalize()}, last epoch: transplantation {last['NT'][0]:.1f} %, member trained on {last[MEMBER][0]:.1f} %, "
            f"ensemble {ensemble:.1f} %; best is {order[-1]} with {last[order[-1]][0]:.1f} %."
        )

    return draw


def others_table(found: Mapping[str, Sequence[Race]]) -> dict[str, list]:
    """Residual network and transformer: all methods at the moments shown, with the interval of the last."""
    rows: dict[str, list] = {
        "network": [],
        "method": [],
        "before": [],
        "after 1 epoch": [],
        "last epoch [95 %]": [],
    }
    for kind, races in found.items():
        for name in races[0].curves:
            curves = np.array([r.curves[name] for r in races])
            middle, low, high = interval(curves[:, -1].tolist())
            entries = (
                kind,
                name,
                f"{curves[:, 0].mean():.1f}",
                f"{curves[:, 1].mean():.1f}",
                f"{middle:.1f} [{low:.1f}, {high:.1f}]",
            )
            for key, entry in zip(rows, entries, strict=True):
                rows[key].append(entry)
    return rows


def opening(races: Races) -> str:
    """The finding in four sentences, decided by intervals of the run."""
    wide, narrow = races[max(races)], races[min(races)]

    def says(values: Sequence[float], yes: str, no: str, neither: str) -> str:
        middle, low, high = interval(values)
        verb = yes if low > 0 else no if high < 0 else neither
        return f"{verb} ({middle:+.1f} points [{low:.1f}, {high:.1f}])"

    def last(races: Sequence[Race], other: str) -> list[float]:
        return [r.curves["NT"][-1] - r.curves[other][-1] for r in races]

    return (
        f"**Does it pay?** Two perceptrons of width {max(races)} are fused into one that "
        + says(last(wide, MEMBER), "beats", "stays below", "cannot be told from")
        + " the best of them trained on for the same epochs; at width "
        + f"{min(races)} it "
        + says(last(narrow, MEMBER), "beats", "stays below", "cannot be told from")
        + " that member. Against the best member *as it was*, the paper's comparison, width "
        + f"{max(races)} "
        + says([r.curves["NT"][-1] - r.best for r in wide], "wins", "loses", "is undecided")
        + ". Optimal transport, after the same fine-tuning, "
        + says([-v for v in last(wide, TRANSPORT)], "is ahead", "is behind", "cannot be told apart")
        + f" at width {max(races)} and "
        + says([-v for v in last(narrow, TRANSPORT)], "is ahead", "is behind", "cannot be told apart")
        + f" at width {min(races)}."
    )
