"""One token on four ranks: where it lies, who holds it, and who must talk to whom about it."""

from efficient_ai.data import SurfaceWeather
from efficient_ai.jigsaw._config import MixerConfig
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._plan import plan, transpose_plan
from efficient_ai.jigsaw.figures._blocks import _COLOURS, _arrow
from efficient_ai.plotting import INK, figure

_GRID = Grid(2, 2)
_CONFIG = MixerConfig()
_EVERY = 6  # degrees between two points of the map that are drawn
_PLACES = {"45° N, 0° to 15° E": (45, 0), "0°, 90° to 105° E": (0, 6), "0°, 180° to 195° E": (0, 12), "45° S, 285° to 300° E": (-45, 19)}  # fmt: skip
TOKENS = {
    place: round((90 - lat) / 180 * _CONFIG.lat) * (_CONFIG.lon // _CONFIG.patch) + patch
    for place, (lat, patch) in _PLACES.items()
}
STAGES = {
    "norm": "norm over its channels",
    "first": "mix tokens, first layer",
    "second": "mix tokens, second layer",
    "transpose": "transpose back",
    "channels": "mix channels, each layer",
}


def half(token: int) -> int:
    """The half of the longitudes in which a token lies, and so the row of the grid that reads it."""
    patches = _CONFIG.lon // _CONFIG.patch
    return token % patches * _GRID.rows // patches


def talk(stage: str, token: int) -> tuple[set[int], set[tuple[int, int]]]:
    """Ranks that hold numbers of the token after a stage, and the messages ``(source, destination)`` that bear on it.

    The messages are those of the plan by which the products are carried out: blocks with numbers of this token, blocks that
    it is multiplied with, and partial sums to which it adds.
    """
    i = half(token)
    row = {_GRID.rank(i, j) for j in range(_GRID.cols)}  # as rows of X: tokens x channels
    column = {_GRID.rank(k, i) for k in range(_GRID.rows)}  # as columns of the transpose: channels x tokens
    if stage == "norm":
        return row, {(a, b) for a in row for b in row if a != b}
    if stage == "transpose":
        moves = {(m.source, m.dest) for m in transpose_plan(_GRID) if m.source in column and m.dest in row}
        return row, {move for move in moves if move[0] != move[1]}
    op = {"first": "XTW", "second": "XW", "channels": "XWT"}[stage]
    holders = column if stage == "second" else row
    messages = set()
    for p in plan(op, _GRID):
        mine = p.y.owner in column if stage == "second" else p.x.owner in row
        if mine:
            messages |= {(p.x.owner, p.at), (p.w.owner, p.at), (p.at, p.y.owner)}
    # After the first layer no number belongs to a token any more: each hidden number is a sum over all of them.
    return (set() if stage == "first" else holders), {m for m in messages if m[0] != m[1]}


def follow(weather: SurfaceWeather, place: str, stage: str):
    """A token on the map, and what ranks say to each other about it at one stage of a mixer block."""
    token = TOKENS[place]
    patches = _CONFIG.lon // _CONFIG.patch
    lat, patch = divmod(token, patches)
    north = 90 - (lat + 0.5) * 180 / _CONFIG.lat
    west, wide = patch * 360 / patches, 360 / patches
    fig = figure(height=470, showlegend=False)
    fig.add_heatmap(
        z=weather.fields[0, 3, ::_EVERY, ::_EVERY].round().astype(int).tolist(),
        x=weather.longitude[::_EVERY].tolist(), y=weather.latitude[::_EVERY].tolist(), showscale=False,
        colorscale="Greys", opacity=0.6, hovertemplate="%{y}° N, %{x}° E: %{z} K<extra></extra>",
    )  # fmt: skip
    fig.add_scatter(
        x=[west, west + wide], y=[north, north], mode="lines", hoverinfo="skip",
        line=dict(color=_COLOURS[_GRID.rank(half(token), 0)], width=8),
    )  # fmt: skip
    holders, messages = talk(stage, token)
    squares, texts = [], []
    for rank in range(_GRID.size):
        i, j = _GRID.place(rank)
        look = dict(fillcolor=_COLOURS[rank], opacity=0.85 if rank in holders else 0.25, line=dict(width=0))
        corners = dict(x0=j - 0.3, x1=j + 0.3, y0=-i - 0.3, y1=-i + 0.3)
        squares.append(dict(type="rect", xref="x2", yref="y2", **corners, **look))
        texts.append(dict(x=j, y=-i, xref="x2", yref="y2", text=f"<b>rank {rank}</b>", showarrow=False))
    across = dict(xref="x2", yref="y2", axref="x2", ayref="y2")
    texts += [_arrow(_GRID.place(a), _GRID.place(b)) | across for a, b in sorted(messages)]
    fig.update_layout(
        shapes=squares, annotations=texts,
        xaxis=dict(domain=[0, 1], range=[0, 360], tickvals=[0, 90, 180, 270, 360]),
        yaxis=dict(domain=[0.56, 1], range=[-90, 90], tickvals=[-90, 0, 90]),
        xaxis2=dict(visible=False, domain=[0.1, 0.9], range=[-0.5, 1.5], anchor="y2"),
        yaxis2=dict(visible=False, domain=[0, 0.46], range=[-1.5, 0.5], anchor="x2"),
    )  # fmt: skip
    fig.add_vline(x=180, line=dict(color=INK, width=1, dash="dot"))
    return fig, f"Token {token:,}. {_said(stage, holders, messages)}"


def _said(stage: str, holders: set[int], messages: set[tuple[int, int]]) -> str:
    pairs = sorted({tuple(sorted(m)) for m in messages})
    who = ", ".join(f"{a} and {b}" for a, b in pairs) or "nobody"
    width = f"{_CONFIG.width // _GRID.cols:,}"
    held = " and ".join(map(str, sorted(holders)))
    return {
        "norm": f"Ranks {held} hold {width} of its numbers each; they exchange two sums, and nobody else takes part.",
        "first": f"It becomes a part of sums over all tokens, which belong to none. Ranks that exchange blocks: {who}.",
        "second": f"From these sums it gets its numbers back, in ranks {held}. Ranks that exchange blocks: {who}.",
        "transpose": f"Rows become columns; its numbers end in ranks {held}. Ranks that exchange blocks: {who}.",
        "channels": f"It is mixed with no other token. Weights and partial results travel between ranks {who}.",
    }[stage]


def follow_table() -> dict[str, list]:
    """Holders and messages of each token at each stage."""
    rows: dict[str, list] = {"token": [], "stage": [], "held by ranks": [], "messages": []}
    for place, token in TOKENS.items():
        for stage, title in STAGES.items():
            holders, messages = talk(stage, token)
            line = (
                f"{token:,} ({place})", title, ", ".join(map(str, sorted(holders))) or "none",
                ", ".join(f"{a} to {b}" for a, b in sorted(messages)) or "none",
            )  # fmt: skip
            for column, value in zip(rows, line, strict=True):
                rows[column].append(value)
    return rows
