"""What a search found, from its folder: a summary, how much each gene matters, and a page with three figures.

``python -m efficient_ai.propulate report FOLDER`` needs neither the ranks nor the space: the folder says what was searched.
"""

import ast
import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from efficient_ai.propulate._checkpoint import read
from efficient_ai.propulate._population import Individual, by_loss
from efficient_ai.propulate._space import Choice, Float, Integer, LogFloat, Ordinal, Space

_KINDS = {kind.__name__: kind for kind in (Float, LogFloat, Integer, Ordinal, Choice)}
_BINS = 8  # of a gene that has more values, each with as many individuals


@dataclass(frozen=True)
class Report:
    """A search as its folder has it.

    Args:
        space: what was searched; a category that is no plain value stands there as its text.
        individuals: all that were evaluated, in order of time; one that failed has a loss of ``inf``.
        workers: how many ranks searched when the folder was begun.
    """

    space: Space
    individuals: list[Individual]
    workers: int

    @property
    def ranked(self) -> list[Individual]:
        """Best first, those that failed last."""
        return sorted(self.individuals, key=by_loss)

    @property
    def failed(self) -> int:
        return sum(math.isinf(individual.loss) for individual in self.individuals)

    @property
    def busy(self) -> float:
        """Share of the ranks' time until the last end that went into evaluations."""
        until = max(individual.finished for individual in self.individuals)
        return (
            sum(individual.seconds for individual in self.individuals) / (self.workers * until)
            if until
            else 1.0
        )

    def importance(self) -> dict[str, float]:
        """For each gene the share of the variance of the losses' ranks that its value alone explains, in [0, 1].

        The correlation ratio (Pearson 1905) over the values of the gene, or over eight groups of equal size, less what it would be by
        chance (Kelley 1935: epsilon squared). Ranks, so that one very bad candidate does not decide; alone, so that a gene which only
        matters together with another one shows nothing. What a search tried is no random sample: read it as a hint.
        """
        good = [individual for individual in self.individuals if math.isfinite(individual.loss)]
        if len(good) < 3:
            return dict.fromkeys(map(str, self.space.names), math.nan)
        ranks = np.argsort(np.argsort([individual.loss for individual in good])).astype(float)
        shares = {}
        for place, (name, gene) in enumerate(zip(self.space.names, self.space.genes, strict=True)):
            shares[str(name)] = _explained(
                ranks, _groups(gene, [individual.genes[place] for individual in good])
            )
        return shares

    def text(self) -> str:
        """The summary as a few lines."""
        best, shares = self.ranked[0], self.importance()
        lines = [
            f"{len(self.individuals)} evaluations on {self.workers} ranks in {max(i.finished for i in self.individuals):.1f} s, "
            f"{self.failed} failed, ranks busy {self.busy:.0%}",
            f"best loss {best.loss:.6g}, evaluation {self.individuals.index(best) + 1}, by rank {best.rank}",
        ]
        width = max(len(str(name)) for name in self.space.names)
        lines += [
            f"  {name!s:{width}}  {value!s:>12}   explains {shares[str(name)]:.0%} of the losses' ranks"
            for name, value in self.space.as_dict(best.genes).items()
        ]
        return "\n".join(lines)

    def page(self) -> str:
        """A page of its own, scripts included: loss over time, importance, parallel coordinates."""
        import plotly.io as pio

        parts = [
            pio.to_html(figure, full_html=False, include_plotlyjs=number == 0)
            for number, figure in enumerate(self._figures())
        ]
        return (
            "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>A search</title></head>"
            f"<body style='font-family:sans-serif;max-width:60rem;margin:auto'><h1>A search</h1><pre>{html.escape(self.text())}</pre>"
            f"{''.join(parts)}</body></html>"
        )

    def _figures(self) -> Sequence:
        import plotly.graph_objects as go

        good = [individual for individual in self.individuals if math.isfinite(individual.loss)]
        when, losses = [i.finished for i in good], [i.loss for i in good]
        history = go.Figure(layout=dict(title="Losses over time", xaxis_title="time (s)", yaxis_title="loss"))
        history.add_scatter(x=when, y=losses, mode="markers", name="evaluated", marker_size=5)
        history.add_scatter(
            x=when, y=np.minimum.accumulate(losses) if losses else [], name="best so far", line_shape="hv"
        )
        shares = self.importance()
        order = sorted(shares, key=lambda name: shares[name])
        importance = go.Figure(
            layout=dict(title="Share of the losses' ranks that a gene explains alone", xaxis_range=[0, 1])
        )
        importance.add_bar(x=[shares[name] for name in order], y=order, orientation="h")
        together = go.Figure(layout=dict(title="All candidates, coloured by the rank of their loss"))
        ranks = np.argsort(np.argsort(losses)).tolist()
        together.add_parcoords(
            line=dict(color=ranks, colorscale="Viridis", reversescale=True),
            dimensions=[*(_axis(name, gene, [i.genes[k] for i in good]) for k, (name, gene) in
                          enumerate(zip(self.space.names, self.space.genes, strict=True))),
                        dict(label="loss", values=losses)],
        )  # fmt: skip
        return history, importance, together


def load(folder: str | PathLike) -> Report:
    """Read the folder of a search: finished, killed or under way.

    Raises:
        ValueError: there is no run in the folder, or it has evaluated nothing yet.
    """
    try:
        about = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"there is no run in {folder}: name the folder that was given as checkpoint"
        ) from None
    space = Space({name: _gene(text) for name, text in about["space"].items()})
    births = read(folder, space).births
    if not births:
        raise ValueError(f"the run in {folder} has evaluated nothing yet")
    return Report(space, births, about["workers"])


def _gene(text: str):
    """A gene from its text in ``run.json``; values that are no plain data become their texts."""
    call = ast.parse(text, mode="eval").body if _parses(text) else None
    if isinstance(call, ast.Call):
        values = {word.arg: word.value for word in call.keywords}
        if "values" in values:
            return _KINDS[call.func.id](*map(_plain, values["values"].elts))
        return _KINDS[call.func.id](*(ast.literal_eval(values[end]) for end in ("low", "high")))
    inside = text.partition("(values=(")[2].rstrip("),")  # objects whose text is no Python, <function f>
    return Choice(*(part.strip() for part in inside.split(", ")))


def _parses(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _plain(node: ast.expr):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _groups(gene, values: Sequence) -> np.ndarray:
    """The number of the group of each value."""
    if isinstance(gene, Choice | Ordinal):
        return np.array([gene.values.index(value) for value in values])
    distinct, place = np.unique(np.asarray(values, dtype=float), return_inverse=True)
    if len(distinct) <= _BINS:
        return place
    edges = np.quantile(np.asarray(values, dtype=float), np.linspace(0, 1, _BINS + 1)[1:-1])
    return np.searchsorted(edges, np.asarray(values, dtype=float), side="right")


def _explained(ranks: np.ndarray, groups: np.ndarray) -> float:
    """Epsilon squared: between-group variance less what chance gives, over all, not below 0."""
    kinds = np.unique(groups)
    total, n, k = float(((ranks - ranks.mean()) ** 2).sum()), len(ranks), len(kinds)
    if k < 2 or n <= k or total == 0:
        return 0.0
    within = sum(float(((ranks[groups == kind] - ranks[groups == kind].mean()) ** 2).sum()) for kind in kinds)
    return max(0.0, 1.0 - (within / (n - k)) / (total / (n - 1)))


def _axis(name, gene, values: Sequence) -> dict:
    if isinstance(gene, Choice | Ordinal):
        places = list(range(len(gene.values)))
        return dict(
            label=str(name),
            values=[gene.values.index(v) for v in values],
            tickvals=places,
            ticktext=list(map(str, gene.values)),
        )
    if isinstance(gene, LogFloat):
        return dict(label=f"log10 {name}", values=[math.log10(v) for v in values])
    return dict(label=str(name), values=list(values))
