"""Multiplications against milliseconds, sparse against dense, masking against removing."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch
from torch.nn import functional as F

from efficient_ai.ledger import interval
from efficient_ai.plotting import INK, OKABE_ITO, figure
from efficient_ai.pruning.experiments import Found, Timing, speedup


def cost_figure(timing: Timing):
    """``draw(batch, threads)``: how many times faster over how many times fewer multiplications; the diagonal is ideal."""

    def draw(batch: int, threads: int) -> tuple[go.Figure, str]:
        fig = figure(x="times fewer multiplications", y="times faster", height=420)
        most = max(timing.work["dense"].total / w.total for w in timing.work.values()) * 1.2
        fig.add_scatter(
            x=[1, most], y=[1, most], mode="lines", name="ideal", line=dict(color=INK, dash="dash")
        )
        best = (1.0, "dense")
        for name, work in timing.work.items():
            middle, low, high = interval(speedup(timing, name, batch, threads).tolist(), "geometric mean")
            fewer = timing.work["dense"].total / work.total
            fig.add_scatter(
                x=[round(fewer, 2)], y=[round(middle, 3)], mode="markers", name=name, marker=dict(size=11),
                error_y=dict(type="data", symmetric=False, array=[high - middle], arrayminus=[middle - low]),
            )  # fmt: skip
            best = max(best, (fewer, name))
        middle = float(np.median(speedup(timing, best[1], batch, threads)))
        fig.update_yaxes(range=[0, most])
        return fig, (
            f"Batch of {batch}, {threads} thread{'s' * (threads > 1)}: {best[1]} has {best[0]:.1f} times fewer "
            f"multiplications and takes {1 / middle:.2f} of the time."
        )

    return draw


def cost_table(timing: Timing) -> dict[str, list]:
    """Counts by our formula and by torch's counter, and medians of the milliseconds with one thread."""
    names = list(timing.work)
    rows = {
        "version": names,
        "parameters": [timing.numbers[n] for n in names],
        "million multiplications": [round(timing.work[n].total / 1e6, 2) for n in names],
        "of these attention": [f"{timing.work[n].mixing / timing.work[n].total:.0%}" for n in names],
        "by torch's counter": [round(timing.work[n].counter / 1e6, 2) for n in names],
    }
    for (threads, batch), times in timing.times.items():
        if threads == 1:
            rows[f"ms, batch {batch}"] = [round(float(np.median(times[n])), 2) for n in names]
    return rows


def sparse_figure(timing: Timing):
    """Milliseconds of one product over density, dense and CSR."""
    densities = sorted(timing.csr[0])
    fig = figure(x="density of the matrix", y="milliseconds", height=380)
    for i, (name, colour) in enumerate((("dense", OKABE_ITO["blue"]), ("CSR", OKABE_ITO["vermilion"]))):
        times = [float(np.median([run[d][i] for run in timing.csr])) for d in densities]
        fig.add_scatter(x=densities, y=times, name=name, mode="lines+markers", line=dict(color=colour))
    fig.update_xaxes(type="log")
    fig.update_yaxes(type="log")
    return fig


def sparse_reading(timing: Timing) -> str:
    """From which density on CSR was faster, as measured."""
    faster = [
        d
        for d in timing.csr[0]
        if np.median([r[d][1] for r in timing.csr]) < np.median([r[d][0] for r in timing.csr])
    ]
    if not faster:
        return "The sparse product was faster at no density that was measured."
    return f"The sparse product was faster at densities of {max(faster):g} and below, as far as measured."


def sparse_table(timing: Timing) -> dict[str, list]:
    """Medians."""
    densities = sorted(timing.csr[0], reverse=True)
    return {
        "density": densities,
        "dense, ms": [round(float(np.median([r[d][0] for r in timing.csr])), 3) for d in densities],
        "CSR, ms": [round(float(np.median([r[d][1] for r in timing.csr])), 3) for d in densities],
    }


NORMS = ("layer norm", "batch norm", "none")
DROPPED = (0, 4, 8, 16, 24, 32, 48)


def masking_difference(dropped: int, norm: str, width: int = 64) -> float:
    """Relative difference of a layer's outputs between zeroed and removed channels, ``norm`` before the layer."""
    rng = torch.Generator().manual_seed(0)
    x, weight = torch.randn(256, width, generator=rng) + 0.5, torch.randn(10, width, generator=rng)
    keep = torch.arange(width) >= dropped
    zeroed, removed = x * keep, x[:, keep]
    if norm == "layer norm":
        zeroed, removed = F.layer_norm(zeroed, (width,)) * keep, F.layer_norm(removed, (int(keep.sum()),))
    elif norm == "batch norm":
        zeroed, removed = (z - z.mean(0) for z in (zeroed, removed))
        zeroed, removed = (z / (z.var(0, correction=0) + 1e-5).sqrt() for z in (zeroed, removed))
    a, b = zeroed @ weight.T, removed @ weight[:, keep].T
    return float((a - b).norm() / b.norm())


def masking_figure(norm: str) -> tuple[go.Figure, str]:
    """Difference between zeroing and removing, over the number of channels that go."""
    fig = figure(x="channels that go, of 64", y="relative difference of the outputs", height=340)
    values = [masking_difference(d, norm) for d in DROPPED]
    fig.add_scatter(x=DROPPED, y=values, mode="lines+markers", line=dict(color=OKABE_ITO["purple"]))
    fig.update_yaxes(range=[-0.02, 0.6])
    return (
        fig,
        f"{norm.capitalize()}: at 32 channels the outputs differ by {masking_difference(32, norm):.1%}.",
    )


def masking_table() -> dict[str, list]:
    """All norms."""
    return {"channels that go": list(DROPPED)} | {
        n: [f"{masking_difference(d, n):.1%}" for d in DROPPED] for n in NORMS
    }


def channel_table(found: Sequence[Found]) -> dict[str, list]:
    """What was removed, parameters, and test error over the dense model's."""
    names = list(found[0].parts)

    def row(name):
        values = [f.parts[name][1] / f.parts["dense"][1] for f in found]
        return interval(values, "geometric mean")

    count = {n: found[0].numbers.get(n, found[0].numbers["pruned"]) for n in names}
    return {
        "version": names,
        "parameters": [count[n] for n in names],
        "error over the dense": [round(row(n)[0], 3) for n in names],
        "95 % interval": [f"{row(n)[1]:.3f} to {row(n)[2]:.3f}" for n in names],
    }


def scratch_figure(found: Sequence[Found]) -> go.Figure:
    """Test error over parameters: small models from scratch, and the pruned one."""
    fig = figure(x="parameters", y="test error", height=380)
    sizes = list(found[0].scratch)
    for name, points, colour in (
        ("from scratch", [(n, [f.scratch[n][1] for f in found]) for n in sizes], OKABE_ITO["blue"]),
        (
            "cut and trained on",
            [(found[0].numbers["pruned"], [f.parts["pruned, trained on"][1] for f in found])],
            OKABE_ITO["vermilion"],
        ),
    ):
        rows = [(n, *interval(v)) for n, v in points]
        fig.add_scatter(
            x=[r[0] for r in rows], y=[round(r[1], 4) for r in rows], name=name, mode="lines+markers",
            marker=dict(size=9, color=colour), line=dict(color=colour),
            error_y=dict(
                type="data", symmetric=False, array=[r[3] - r[1] for r in rows], arrayminus=[r[1] - r[2] for r in rows]
            ),
        )  # fmt: skip
    fig.update_xaxes(type="log")
    return fig
