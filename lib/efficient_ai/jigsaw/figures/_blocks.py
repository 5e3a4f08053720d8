"""The block animator: who multiplies what, when, and what travels."""

from collections import defaultdict

from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._plan import plan, transpose_plan, work
from efficient_ai.plotting import INK, OKABE_ITO, figure

LAYOUTS = {
    "2 ranks": Grid(1, 2),
    "4 ranks, paper": Grid(2, 2, "paper"),
    "4 ranks, balanced": Grid(2, 2),
    "6 ranks, 2 x 3": Grid(2, 3),
}
OPS = {"XW": "Y = X W", "XWT": "Y = X Wᵀ", "XTW": "Y = Xᵀ W", "T": "Xᵀ"}
STEPS = list(range(8))
_UNIT = 2  # ticks that a block product takes; a message takes one
_COLOURS = (*OKABE_ITO.values(),)


def history(op: str, grid: Grid) -> tuple[list[dict], int]:
    """What happens in each tick: products by rank, messages (source, dest, text); and after how many ticks all is done.

    A block product takes two ticks (a part of one its part), a message one. Operands leave at time 0, in rounds.
    """
    if op == "T":
        moves = {(m.source, m.dest) for m in transpose_plan(grid) if m.source != m.dest}
        first = {"work": {}, "messages": [(s, d, f"X{name(s, grid)}") for s, d in sorted(moves)]}
        return [first, {"work": {}, "messages": []}], 1
    products = plan(op, grid)
    arrival = {}
    frames: dict[int, dict] = defaultdict(lambda: {"work": {}, "messages": []})
    for p in products:
        for kind, piece in (("X", p.x), ("W", p.w)):
            key = kind, piece.owner, p.at
            if piece.owner != p.at and key not in arrival:
                arrival[key] = grid.distance(piece.owner, p.at)
                note = (piece.owner, p.at, f"{kind}{name(piece.owner, grid)}")
                frames[arrival[key] - 1]["messages"].append(note)
    busy: dict[int, float] = defaultdict(float)
    left: dict[tuple, float] = {}
    for p in sorted(products, key=lambda p: (_ready(p, arrival), p.at == p.y.owner)):
        begin = max(busy[p.at], _ready(p, arrival))
        size = _UNIT * _size(op, p, grid)
        busy[p.at] = begin + size
        for t in range(int(begin), max(int(begin) + 1, int(begin + size + 0.999))):
            frames[t]["work"].setdefault(p.at, []).append(_text(op, p, grid))
        if p.at != p.y.owner:
            left[p.at, p.y.owner] = busy[p.at]
    for (source, dest), when in left.items():
        frames[int(when)]["messages"].append((source, dest, f"part of Y{name(dest, grid)}"))
        busy[dest] = max(busy[dest], int(when) + 1)
    end = int(max(busy.values()) + 0.999)
    return [frames[t] for t in range(end + 1)], end


def _ready(p, arrival) -> int:
    return max(arrival.get(("X", p.x.owner, p.at), 0), arrival.get(("W", p.w.owner, p.at), 0))


def _size(op: str, p, grid: Grid) -> float:
    part = p.x.cols if op in ("XW", "XTW") else p.w.rows
    return max(grid.rows, grid.cols) * (part[1] - part[0]) / grid.units


def _text(op: str, p, grid: Grid) -> str:
    x, w = f"X{name(p.x.owner, grid)}", f"W{name(p.w.owner, grid)}"
    return {"XW": f"{x}·{w}", "XWT": f"{x}·{w}ᵀ", "XTW": f"{x}ᵀ·{w}"}[op]


def name(rank: int, grid: Grid) -> str:
    """Row and column of a rank as subscripts."""
    return "".join(map(str, grid.place(rank))).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def blocks(op: str, layout: str, step: int):
    """The ranks as squares, coloured by owner, with the product that each computes now and the messages on their way."""
    grid = LAYOUTS[layout]
    frames, end = history(op, grid)
    now = frames[step] if step < len(frames) else {"work": {}, "messages": []}
    done = [sum(len(f["work"].get(r, ())) > 0 for f in frames[: step + 1]) / _UNIT for r in range(grid.size)]
    squares, texts = [], []
    for rank in range(grid.size):
        i, j = grid.place(rank)
        doing = "<br>".join(now["work"].get(rank, [])) or ("waits" if step < end and op != "T" else "")
        look = dict(
            fillcolor=_COLOURS[rank], opacity=0.85 if now["work"].get(rank) else 0.3, line=dict(width=0)
        )
        squares.append(dict(type="rect", x0=j - 0.36, x1=j + 0.36, y0=-i - 0.36, y1=-i + 0.36, **look))
        texts.append(dict(x=j, y=-i, text=f"<b>rank {rank}</b><br>{doing}", showarrow=False))
    texts += [_arrow(grid.place(source), grid.place(dest)) for source, dest, _ in now["messages"]]
    fig = figure(
        height=360, showlegend=False, shapes=squares, annotations=texts,
        xaxis=dict(visible=False, range=[-0.5, grid.cols - 0.5], domain=[0, 0.62]),
        yaxis=dict(visible=False, range=[0.5 - grid.rows, 0.5]),
        xaxis2=dict(domain=[0.84, 1], range=[0, 3.2], title="done", dtick=1, anchor="y2"),
        yaxis2=dict(anchor="x2", autorange="reversed"),
    )  # fmt: skip
    fig.add_bar(
        x=done, y=[f"rank {r}" for r in range(grid.size)], orientation="h", marker_color=_COLOURS[: grid.size],
        xaxis="x2", yaxis="y2",
    )  # fmt: skip
    sent = ", ".join(f"{what} from {s} to {d}" for s, d, what in now["messages"]) or "nothing"
    state = f"All done after {end / _UNIT:g} block products' time." if step >= end else f"Under way: {sent}."
    return fig, f"{OPS[op]}, {layout}, time {step / _UNIT:g} to {(step + 1) / _UNIT:g}. {state}"


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> dict:
    """A message from rank to rank, a little to one side so that the answer has room."""
    (i, j), (k, m) = start, end
    side = 0.07 if start < end else -0.07
    right, down = side * (k != i), side * (m != j)
    return dict(
        x=m - (m - j) * 0.3 + right, y=-k - (i - k) * 0.3 + down, ax=j + (m - j) * 0.3 + right, ay=-i + (i - k) * 0.3 + down,
        xref="x", yref="y", axref="x", ayref="y", showarrow=True, arrowhead=2, arrowwidth=3, arrowcolor=INK, text="",
    )  # fmt: skip


def blocks_table() -> dict[str, list]:
    """Products per rank and time of each layout and product."""
    rows: dict[str, list] = {
        "layout": [],
        "product": [],
        "block products per rank": [],
        "time (block products)": [],
    }
    for layout, grid in LAYOUTS.items():
        for op in ("XW", "XWT", "XTW"):
            rows["layout"].append(layout)
            rows["product"].append(OPS[op])
            rows["block products per rank"].append(", ".join(f"{w:g}" for w in work(op, grid)))
            rows["time (block products)"].append(history(op, grid)[1] / _UNIT)
    return rows
