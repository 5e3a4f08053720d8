"""Memory, traffic and time of five ways to share one layer."""

from efficient_ai.jigsaw.peers import SIDES, Record
from efficient_ai.plotting import INK, OKABE_ITO, figure

MEASURES = {
    "peak": ("peak memory (MB)", 1e6),
    "sent": ("sent per step (MB)", 1e6),
    "seconds": ("step (ms)", 1e-3),
}
_COLOURS = {
    "DDP": INK, "FSDP2": OKABE_ITO["orange"], "DTensor": OKABE_ITO["green"], "Megatron-style": OKABE_ITO["vermilion"],
    "Jigsaw": OKABE_ITO["blue"],
}  # fmt: skip


def peers_bars(record: Record, measure: str, ranks: int):
    """One bar for each side."""
    title, unit = MEASURES[measure]
    values = {side: getattr(record, measure)(side, ranks) / unit for side in SIDES}
    fig = figure(x=title, height=300, showlegend=False)
    fig.add_bar(
        x=[round(v, 2) for v in values.values()], y=list(values), orientation="h", marker_color=list(_COLOURS.values()),
        texttemplate="%{x:.3g}",
    )  # fmt: skip
    fig.update_yaxes(autorange="reversed")
    fig.update_layout(margin_l=120)
    shared = ", more ranks than cores" if ranks > record.cores else ""
    best = min(values, key=values.get)
    return (
        fig,
        f"{ranks} ranks{shared}: least is {best} with {values[best]:.3g}; Jigsaw {values['Jigsaw']:.3g} {title.split('(')[1][:-1]}.",
    )


def peers_table(record: Record) -> dict[str, list]:
    """All numbers of the benchmark."""
    rows: dict[str, list] = {"ranks": [], "side": [], "peak (MB)": [], "sent (MB)": [], "step (ms)": []}
    for ranks in (2, 4):
        for side in SIDES:
            line = (
                ranks,
                side,
                record.peak(side, ranks) / 1e6,
                record.sent(side, ranks) / 1e6,
                1000 * record.seconds(side, ranks),
            )
            for column, value in zip(rows, line, strict=True):
                rows[column].append(value)
    return rows
