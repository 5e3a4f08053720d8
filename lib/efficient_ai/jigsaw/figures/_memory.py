"""What a rank holds: by kind, against data parallelism and Megatron-style tensor parallelism."""

from efficient_ai.jigsaw._config import MixerConfig, parameters
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._traffic import memory
from efficient_ai.plotting import OKABE_ITO, figure

WIDTHS = [1024, 2048, 4320, 8192, 10368]
RANKS = [1, 2, 4, 8, 16]
_KINDS = ("input and target", "weights", "gradients", "Adam moments", "activations", "buffers")
_COLOURS = dict(
    zip(
        _KINDS, [OKABE_ITO[c] for c in ("sky", "blue", "orange", "vermilion", "green", "purple")], strict=True
    )
)


def _config(width: int) -> MixerConfig:
    return MixerConfig(
        width=width, patch=45
    ).padded()  # 32 patches a circle: rows of up to 16 ranks can share them


def methods(ranks: int, width: int) -> dict[str, dict[str, float]]:
    """Bytes per rank by method and kind, batch 1."""
    config = _config(width)
    whole = memory(config, Grid(1, 1))
    jigsaw = memory(config, Grid.ways(ranks))
    n, d = config.tokens, config.width
    # hidden layers of both mixing networks, before and after their GELU, are all that Megatron's cut divides
    hidden = 4 * config.blocks * 2 * (d * config.token_hidden + n * config.channel_hidden)
    held = {kind: whole[kind] / ranks for kind in ("weights", "gradients", "Adam moments")}
    kept = whole["activations"] - hidden * (1 - 1 / ranks)
    megatron = whole | held | {"activations": kept, "buffers": 4 * n * d if ranks > 1 else 0}
    return {"data parallel": whole, "Megatron-style": megatron, "Jigsaw": jigsaw}


def memory_bars(ranks: int, width: int):
    """Stacked bars of the bytes per rank."""
    found = methods(ranks, width)
    fig = figure(x="GB per rank", height=300, barmode="stack")
    for kind in _KINDS:
        fig.add_bar(
            x=[found[m][kind] / 1e9 for m in found], y=list(found), orientation="h", name=kind,
            marker_color=_COLOURS[kind],
        )  # fmt: skip
    fig.update_yaxes(autorange="reversed")
    fig.update_layout(margin_l=110, legend_y=1.05)
    gb = {m: sum(kinds.values()) / 1e9 for m, kinds in found.items()}
    config = _config(width)
    told = "; ".join(f"{m} {value:.2f} GB" for m, value in gb.items())
    return fig, f"{parameters(config) / 1e9:.2f} billion parameters on {ranks} ranks: {told} per rank."


def memory_table() -> dict[str, list]:
    """GB per rank at width 4320."""
    rows: dict[str, list] = {"ranks": []}
    for ranks in RANKS:
        rows["ranks"].append(ranks)
        for method, kinds in methods(ranks, 4320).items():
            rows.setdefault(f"{method} (GB)", []).append(sum(kinds.values()) / 1e9)
    return rows


def holdings_table(measured: dict[str, list[dict]]) -> dict[str, list]:
    """Measured bytes of rank 0 by number of ranks."""
    kinds = ("input and target", "activations", "weights", "gradients", "Adam moments", "largest")
    rows: dict[str, list] = {"": [*kinds[:-1], "elements of the largest tensor"]}
    for name, ranks in measured.items():
        rows[name] = [ranks[0][kind] for kind in kinds]
    return rows
