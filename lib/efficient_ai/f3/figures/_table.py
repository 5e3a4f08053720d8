"""Figures of the error table, and the widget in which a reader takes bits away from it."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai import plotting
from efficient_ai.f3._angles import angles
from efficient_ai.f3._feedback import FEEDBACK, draw_feedback
from efficient_ai.f3._rules import F3
from efficient_ai.f3._runs import Job, make_trainer, train
from efficient_ai.f3._table import STORES
from efficient_ai.f3._tasks import load_task
from efficient_ai.training import generator


def error_history(job: Job, shown: int = 60) -> np.ndarray:
    """Largest component of the stored error of some samples after each epoch, ``(epochs, shown)``; the hardest ones last."""
    rows = []

    def note(trainer, _):
        y = load_task(job.task, job.share).train[1]
        rows.append(trainer.table.read(torch.arange(len(y)), y).abs().amax(1).numpy())

    train(job, note)
    history = np.stack(rows)
    order = np.argsort(history[-1])
    return history[:, order[:: max(1, len(order) // shown)]]


def heat_figure(history: np.ndarray) -> Callable[[int], tuple[go.Figure, str]]:
    """``draw(epoch)``: the table up to an epoch."""

    def draw(epoch: int) -> tuple[go.Figure, str]:
        part = np.full(history.shape, np.nan)
        part[:epoch] = history[:epoch]
        z = [[None if np.isnan(v) else round(float(v), 2) for v in row] for row in part]
        figure = plotting.figure(x="sample, easiest first", y="epoch")
        figure.add_trace(
            go.Heatmap(
                z=z,
                y=list(range(1, len(z) + 1)),
                zmin=0,
                zmax=1,
                colorscale="Cividis",
                colorbar={"title": "|e|"},
            )
        )
        large = float((history[epoch - 1] > 0.5).mean())
        return (
            figure,
            f"After epoch {epoch}: {100 * large:.0f} % of the shown errors are above 0.5. DRTP's signal would be 1 everywhere.",
        )

    return draw


def heat_table(history: np.ndarray) -> dict[str, list]:
    """Quartiles of the shown errors by epoch."""
    return {
        "epoch": list(range(1, len(history) + 1)),
        "quarter below": np.percentile(history, 25, axis=1).round(3).tolist(),
        "half below": np.percentile(history, 50, axis=1).round(3).tolist(),
        "largest": history.max(1).round(3).tolist(),
    }


SHOWN_FEEDBACK = ("trinomial", "kaiming uniform", "binomial", "plus minus identity")


def feedback_figure(kind: str) -> tuple[go.Figure, str]:
    """The first 40 columns of a feedback matrix for ten classes and a width of 100."""
    matrix = draw_feedback(kind, 10, 100, generator(0)).numpy()
    figure = plotting.figure(x="unit of the block", y="component of the error", height=260)
    figure.add_trace(
        go.Heatmap(
            z=matrix[:, :40].round(2).tolist(), zmin=-1, zmax=1, colorscale="RdBu", colorbar={"title": "B"}
        )
    )
    gram = matrix @ matrix.T
    off = np.abs(gram - np.diag(np.diag(gram))).max() / np.diag(gram).max()
    return figure, f"{kind}: mean {matrix.mean():.2f}, largest overlap of two rows {off:.2f} of a row's own."


def feedback_table() -> dict[str, list]:
    """Mean and spread of the entries of each kind that fits ten classes and a width of 100."""
    rows = []
    for kind in FEEDBACK:
        if kind == "all products":
            continue
        matrix = draw_feedback(kind, 10, 100, generator(0))
        rows.append((kind, round(float(matrix.mean()), 3), round(float(matrix.std()), 3)))
    return dict(zip(("kind", "mean", "spread"), map(list, zip(*rows, strict=True)), strict=True))


def bits_draw(seed: int = 0, width: int = 40) -> Callable[[str, int], tuple[go.Figure, str]]:
    """``draw(store, epochs)``: train a small network with a table of few bits and measure its angle. Live: it trains when asked."""
    kept: dict[str, list] = {}

    def run(store: str, epochs: int) -> list:
        if store not in kept or len(kept[store]) < epochs + 1:
            x, y = load_task("digits", 0.25).train
            index = torch.arange(len(x))
            job = Job("digits", F3(store=store), 3e-3, seed, depth=2, width=width, epochs=epochs, share=0.25)
            rows = [angles(make_trainer(job), x, y, index)]
            result = train(job, lambda t, _: rows.append(angles(t, x, y, index)))
            kept[store] = rows
            kept[store + " error"] = result.valid
        return kept[store]

    def draw(store: str, epochs: int) -> tuple[go.Figure, str]:
        rows = np.array(run(store, epochs))[: epochs + 1]
        figure = plotting.figure(x="epoch", y="angle (°)", height=300)
        for block in range(rows.shape[1]):
            figure.add_trace(
                go.Scatter(
                    x=list(range(len(rows))), y=rows[:, block].round(1).tolist(), name=f"block {block + 1}"
                )
            )
        figure.add_hline(y=90, line={"color": plotting.INK, "dash": "dash"})
        figure.update_yaxes(range=[0, 180])
        error = kept[store + " error"][epochs - 1]
        return (
            figure,
            f"Table '{store}': after {epochs} epochs {rows[-1].mean():.0f}° and {error:.1f} % wrong on validation.",
        )

    return draw


def bits_table(draw: Callable, epochs: int) -> dict[str, list]:
    """What the widget says for each store."""
    return {"table": list(STORES), "reading": [draw(store, epochs)[1] for store in STORES]}


def toy_figure(seed: int) -> Callable[[int], tuple[go.Figure, str]]:
    """``draw(epoch)``: two hidden units; the step BP would take and the one F³ takes, as arrows."""
    from torch.nn import functional

    from efficient_ai.f3._blocks import mlp
    from efficient_ai.f3._trainer import Trainer

    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(40, 2, generator=rng)
    y = (x[:, :1] + x[:, 1:] > 0).float()
    y = torch.cat([y, 1 - y], 1)
    trainer = Trainer(
        mlp([2, 2, 2], seed=seed), F3(feedback="kaiming uniform"), functional.binary_cross_entropy,
        lambda p: torch.optim.Adam(p, 0.02), sample=x, samples=40, seed=seed,
    )  # fmt: skip
    index, arrows = torch.arange(40), []
    for _ in range(41):
        h = trainer.blocks[0](x)
        out = trainer.blocks[1](h)
        (gradient,) = torch.autograd.grad(functional.binary_cross_entropy(out, y), h)
        told = trainer.stage.signal(0, trainer.told(y, index))
        arrows.append((-gradient.mean(0), -told.mean(0), angles(trainer, x, y, index)[0]))
        trainer.step(x, y, index)

    def draw(epoch: int) -> tuple[go.Figure, str]:
        exact, ours, angle = arrows[epoch]
        figure = plotting.figure(x="unit 1", y="unit 2", height=340)
        for name, arrow, colour in (("BP", exact, plotting.INK), ("F³", ours, plotting.OKABE_ITO["blue"])):
            unit = (arrow / (arrow.norm() + 1e-12)).numpy().round(3).tolist()
            figure.add_trace(
                go.Scatter(
                    x=[0, unit[0]],
                    y=[0, unit[1]],
                    mode="lines+markers",
                    name=name,
                    line={"color": colour, "width": 4},
                )
            )
        figure.update_xaxes(range=[-1.2, 1.2], scaleanchor="y")
        figure.update_yaxes(range=[-1.2, 1.2])
        return (
            figure,
            f"Epoch {epoch}: {angle:.0f}° between all signals and all gradients. The arrows are their means, drawn with equal length.",
        )

    return draw
