"""Who is ahead when: by width, by epoch, by number of members."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.plotting import figure, interval_band
from efficient_ai.transplantation.experiments import MEMBER, TRANSPORT, Race
from efficient_ai.transplantation.figures._palette import paint

Races = Mapping[int, Sequence[Race]]
SHOWN = (
    "NT",
    TRANSPORT,
    "averaging",
    "random neurons",
    "weight matching",
    "zipped",
    "interpolated",
    "distillation",
)


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
    """``draw(moment)``: points above the member trained on, by width."""
    when = moments(races)
    values = [gain(rs, m, e)[0] for rs in races.values() for m in SHOWN[:4] for e in when.values()]

    def draw(moment: str) -> tuple[go.Figure, str]:
        fig = figure(x="width of the hidden layers", y="points above the member trained on", height=420)
        for method in (m for m in SHOWN if m in races[min(races)][0].curves):
            rows = [gain(rs, method, when[moment]) for rs in races.values()]
            middle, low, high = (np.array(r).round(2).tolist() for r in zip(*rows, strict=True))
            if method in SHOWN[:2]:
                fig.add_trace(interval_band(list(races), low, high, paint(method)))
            fig.add_scatter(
                x=list(races),
                y=middle,
                name=method,
                mode="lines+markers",
                line=dict(color=paint(method), width=2.5),
            )
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
        wide = races[max(races)]
        nt, ot = gain(wide, "NT", when[moment]), gain(wide, TRANSPORT, when[moment])
        return fig, (
            f"{moment.capitalize()}, width {max(races)}: transplantation {nt[0]:+.1f} [{nt[1]:.1f}, {nt[2]:.1f}] points, "
            f"optimal transport {ot[0]:+.1f} [{ot[1]:.1f}, {ot[2]:.1f}], from the member trained on for all epochs."
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


def race_figure(races: Races, methods: Sequence[str] = SHOWN):
    """``draw(k)``: accuracy against epoch of fine-tuning, for every number of members."""

    def draw(k: int) -> tuple[go.Figure, str]:
        found = races[k]
        fig = figure(x="epoch of fine-tuning", y="test accuracy (%)", height=420)
        epochs = list(range(len(found[0].curves["NT"])))
        for name in (*methods, MEMBER, "copies of one"):
            if name not in found[0].curves:
                continue
            curves = np.array([r.curves[name] for r in found])
            fig.add_scatter(
                x=epochs, y=curves.mean(0).round(2).tolist(), name=name, mode="lines", line=dict(color=paint(name), width=2.5),
            )  # fmt: skip
            if name in ("NT", TRANSPORT):
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
