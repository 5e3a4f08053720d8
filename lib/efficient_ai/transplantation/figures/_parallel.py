"""Parallel training on ranks, by what makes one network of several after each epoch."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.plotting import figure
from efficient_ai.transplantation.experiments import OnRanks
from efficient_ai.transplantation.figures._palette import paint

_SHOWN = {"test accuracy": "test accuracy (%)", "near copies": "hidden neurons with a near copy (%)"}
SYNC_VIEWS = tuple(_SHOWN)
_NAMES = {"alone": "rank 0 alone"}
_DASHES = {"alone": "dot"}


def together(found: OnRanks) -> str:
    """The fusion on ranks in three sentences."""
    *members, fused = found.accuracy
    sent = max(found.sent) / found.whole
    return (
        f"{len(members)} ranks trained a member each, between {min(members):.1f} and {max(members):.1f} % on test images. "
        f"The network that came together on rank 0 has {fused:.1f} % before fine-tuning and differs from the one fused in a "
        f"single process by **{found.difference:.2g}**. No rank sent more than {100 * sent:.0f} % of the bytes of its member."
    )


def sync_figure(found: OnRanks):
    """``draw(what)``: accuracy, or share of near copies, after each epoch of parallel training."""

    def draw(what: str) -> tuple[go.Figure, str]:
        source = found.curves if what == "test accuracy" else found.copies
        fig, ends = figure(x="epoch", y=_SHOWN[what], height=400), {}
        for how in next(iter(source.values())):
            mean = np.mean([runs[how] for runs in source.values()], axis=0)
            ends[how] = float(mean[-1])
            fig.add_scatter(
                x=list(range(1, len(mean) + 1)), y=mean.round(2).tolist(), name=_NAMES.get(how, how), mode="lines+markers",
                line=dict(color=paint("member trained on" if how == "alone" else how), width=2.5, dash=_DASHES.get(how)),
            )  # fmt: skip
        unit = "on test images" if what == "test accuracy" else "of the hidden neurons have a near copy"
        return fig, (
            f"Last epoch, mean of {len(source)} seeds: averaging {ends['averaging']:.1f} %, transplantation {ends['NT']:.1f} %, "
            f"diverse fusion {ends['NT, diverse']:.1f} %, one rank alone {ends['alone']:.1f} % {unit}."
        )

    return draw


def sync_table(found: OnRanks) -> dict[str, list]:
    rows: dict[str, list] = {
        "after each epoch": [],
        "first epoch (%)": [],
        "last epoch (%)": [],
        "near copies, last epoch (%)": [],
    }
    for how in next(iter(found.curves.values())):
        curves = np.array([runs[how] for runs in found.curves.values()])
        copies = np.mean([runs[how][-1] for runs in found.copies.values()])
        entries = (
            _NAMES.get(how, how),
            *(f"{v:.1f}" for v in (curves[:, 0].mean(), curves[:, -1].mean(), copies)),
        )
        for key, value in zip(rows, entries, strict=True):
            rows[key].append(value)
    return rows
