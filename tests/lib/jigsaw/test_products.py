"""The distributed products: equal to the serial ones, balanced, counted, on any grid and over both transports."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai.jigsaw import Grid, elements_sent, plan, products_per_step, work
from efficient_ai.jigsaw._plan import OPS, operand_messages, result_messages, transpose_plan
from efficient_ai.jigsaw._traffic import transpose_elements
from efficient_ai.parallel import run_ranks

GRIDS = [
    Grid(1, 1),
    Grid(1, 2),
    Grid(2, 1),
    Grid(2, 2),
    Grid(1, 2, "paper"),
    Grid(2, 2, "paper"),
    Grid(1, 3),
    Grid(1, 4),
    Grid(4, 1),
]
SIDES = st.integers(1, 6)


def check_all(comm, grids, seeds, transport="mpi"):
    """Worst error of every product on every grid, and whether sent elements match the formula."""
    import numpy as np
    import torch

    from efficient_ai import jigsaw
    from efficient_ai.jigsaw.experiments import block, first_ranks

    torch.set_num_threads(1)
    worst, counts = 0.0, []
    for grid in grids:
        part = first_ranks(comm, grid.size, counted=True)
        if part is None:
            continue
        way = jigsaw.MPITransport(part)
        for seed in seeds:
            rng, gen = np.random.default_rng(seed), torch.Generator().manual_seed(seed)

            def draw(*shape, gen=gen):
                return torch.randn(*shape, generator=gen, dtype=torch.float64)

            m, k, n = (grid.units * int(s) for s in rng.integers(1, 6, 3))
            b = int(rng.integers(1, 4))
            cases = [
                ("XW", (b, m, k), (k, n), False), ("XW", (b, m, k), (b, k, n), True), ("XW", (m, k), (k, n), False),
                ("XWT", (b, m, k), (n, k), False), ("XWT", (m, k), (b, n, k), False), ("XWT", (m, k), (n, k), False),
                ("XTW", (b, k, m), (k, n), False), ("XTW", (k, m), (k, n), False),
            ]  # fmt: skip
            for op, xs, ws, summed in cases:
                x, w = draw(*xs), draw(*ws)
                whole = {"XW": x @ w if op == "XW" else 0, "XWT": x @ w.mT if op == "XWT" else 0,
                         "XTW": x.mT @ w if op == "XTW" else 0}[op]  # fmt: skip
                whole = whole.sum(0) if summed else whole
                before = part.record.sent_bytes
                mine = jigsaw.multiply(
                    op, block(x, grid, part.rank), block(w, grid, part.rank), grid, way, summed
                )
                sent = (part.record.sent_bytes - before) // 8
                expected = block(whole, grid, part.rank)
                worst = max(worst, float((mine - expected).abs().max() / whole.abs().max()))
                sizes = (x.numel() // grid.size, w.numel() // grid.size, whole.numel() // grid.size)
                counts.append((sent, jigsaw.elements_sent(op, grid, *sizes)[part.rank]))
            x = draw(b, m, k)
            for _ in range(2):  # the second must not change the first
                first = jigsaw.transpose(block(x, grid, part.rank), grid, way)
                second = jigsaw.transpose(block(-x, grid, part.rank), grid, way)
                expected = block(x.mT.contiguous(), grid, part.rank)
                worst = max(
                    worst, float((first - expected).abs().max()), float((second + expected).abs().max())
                )
    return worst, counts


@pytest.mark.mpi
def test_products_and_traffic_on_up_to_four_ranks(ranks):
    for worst, counts in ranks(check_all, GRIDS, [0, 1, 2]):
        assert worst < 1e-13
        assert all(sent == expected for sent, expected in counts)


@pytest.mark.mpi
@pytest.mark.parametrize("grid", [Grid(2, 3), Grid(2, 4)], ids=["2x3", "2x4"])
def test_products_on_six_and_eight_ranks(grid):
    for worst, counts in run_ranks(check_all, grid.size, [grid], [0], timeout=150):
        assert worst < 1e-13 and counts
        assert all(sent == expected for sent, expected in counts)


@pytest.mark.parametrize("op", OPS)
@given(rows=SIDES, cols=SIDES)
@settings(max_examples=25, deadline=None)
def test_every_rank_does_the_same_work_and_every_product_is_there_once(op, rows, cols):
    grid = Grid(rows, cols)
    shares = work(op, grid)
    assert max(shares) == pytest.approx(min(shares)) and sum(shares) == pytest.approx(
        grid.size * max(rows, cols)
    )
    products = plan(op, grid)
    assert max(Counter(products).values()) == 1
    for p in products:
        assert p.at in (p.x.owner, p.w.owner, p.y.owner), "one of the three stays"


@pytest.mark.parametrize("op", OPS)
@given(rows=SIDES, cols=SIDES)
@settings(max_examples=25, deadline=None)
def test_the_closed_formula_counts_the_messages_of_the_plan(op, rows, cols):
    grid, sizes, sent = Grid(rows, cols), {"x": 7, "w": 11}, Counter()
    for name, owner, _ in operand_messages(plan(op, grid)):
        sent[owner] += sizes[name]
    for source, _ in result_messages(plan(op, grid)):
        sent[source] += 13
    assert [sent[r] for r in range(grid.size)] == elements_sent(op, grid, 7, 11, 13)


@pytest.mark.parametrize(("op", "totals"), [("XW", (4, 4, 0)), ("XWT", (2, 4, 2)), ("XTW", (4, 2, 2))])
def test_the_papers_schedule_has_the_traffic_of_its_table(op, totals):
    x, w, c = 1000, 100, 10
    sent = elements_sent(op, Grid(2, 2, "paper"), x, w, c)
    assert sum(sent) == totals[0] * x + totals[1] * w + totals[2] * c
    two = elements_sent(op, Grid(1, 2, "paper"), x, w, c)
    assert two == [{"XW": x, "XWT": c, "XTW": x}[op]] * 2
    balanced = elements_sent(op, Grid(2, 2), x, w, c)
    assert sum(balanced) == {"XW": 4 * x + 4 * w, "XWT": 4 * w + 4 * c, "XTW": 4 * x + 4 * c}[op]


def test_the_cap_of_three_and_how_it_is_lifted():
    assert work("XWT", Grid(2, 2, "paper")) == work("XTW", Grid(2, 2, "paper")) == [1, 3, 3, 1]
    assert products_per_step(Grid(2, 2, "paper")) == [4, 8, 8, 4]
    assert products_per_step(Grid(2, 2)) == [6, 6, 6, 6]


@given(rows=SIDES, cols=SIDES)
@settings(max_examples=25, deadline=None)
def test_a_transpose_moves_every_part_once(rows, cols):
    grid = Grid(rows, cols)
    area = sum((m.rows[1] - m.rows[0]) * (m.cols[1] - m.cols[0]) for m in transpose_plan(grid))
    assert area == grid.units**2
    if rows == cols == 2:
        assert transpose_elements(8, 12, grid) == [0, 24, 24, 0]
    if (rows, cols) == (1, 2):
        assert sum(transpose_elements(8, 12, grid)) == 8 * 12 // 2


def test_wrong_grids_are_refused():
    with pytest.raises(ValueError, match="no schedule for 2 x 3"):
        Grid(2, 3, "paper")
    with pytest.raises(ValueError, match="at least one"):
        Grid(0, 2)
    with pytest.raises(ValueError, match="neither"):
        Grid(1, 2, "fast")
    with pytest.raises(ValueError, match="must be a multiple of 6"):
        Grid(2, 3).check_axis("the width", 8)
    assert (Grid.ways(8).rows, Grid.ways(8).cols) == (2, 4)


MICRO = {  # Section 3.10 of our reading: tokens 16, channels 8, hidden 12 and 8; sent elements per rank
    Grid(1, 2, "paper"): ([272, 272], [784, 784]),
    Grid(2, 2, "paper"): ([248, 256, 256, 248], [736, 736, 736, 736]),
}


@pytest.mark.parametrize("grid", MICRO, ids=["2-way", "4-way"])
def test_the_micro_block_of_the_paper_sends_what_was_counted(grid):
    from efficient_ai.jigsaw._traffic import Layer, layer_elements

    block = [
        Layer("a", "XTW", 8, 16, 12),
        Layer("b", "XW", 8, 12, 16),
        Layer("c", "XWT", 16, 8, 8),
        Layer("d", "XWT", 16, 8, 8),
    ]
    there, back = [0] * grid.size, [0] * grid.size
    for layer in block:
        forward, backward = layer_elements(layer, 1, grid)
        there = [a + b for a, b in zip(there, forward, strict=True)]
        back = [a + b for a, b in zip(back, backward, strict=True)]
    turn, again = transpose_elements(8, 16, grid), transpose_elements(16, 8, grid)
    there = [a + b for a, b in zip(there, turn, strict=True)]
    back = [a + b for a, b in zip(back, again, strict=True)]
    assert there == MICRO[grid][0]
    assert [a + b for a, b in zip(there, back, strict=True)] == MICRO[grid][1]


def over_gloo(comm, folder):
    """The same products and one training step over torch.distributed; worst difference to MPI."""
    import torch
    import torch.distributed as dist

    from efficient_ai import jigsaw
    from efficient_ai.jigsaw import experiments

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=comm.rank, world_size=comm.size)
    grid, worst = jigsaw.Grid.ways(comm.size), 0.0
    gloo, mpi = jigsaw.TorchTransport(), jigsaw.MPITransport(comm)
    gen = torch.Generator().manual_seed(comm.rank)
    for op in ("XW", "XWT", "XTW"):
        x, w = (torch.randn(4, 4, generator=gen, dtype=torch.float64) for _ in range(2))
        worst = max(
            worst,
            float((jigsaw.multiply(op, x, w, grid, gloo) - jigsaw.multiply(op, x, w, grid, mpi)).abs().max()),
        )
    losses = []
    for way in (gloo, mpi):
        model = jigsaw.WeatherMixer(experiments.SMALL, jigsaw.Sharded(grid, way))
        x, t, a, v = experiments._on_ranks._batch(experiments.SMALL, grid, comm.rank, 2, 0)
        losses.append(float(jigsaw.train_step(model, jigsaw.adam(model), x, t, a, v)))
    half = gloo.split(comm.rank % 2)
    one = torch.ones(3)
    half.sum_(one)
    dist.destroy_process_group()
    return worst, losses, half.size, one.tolist()


@pytest.mark.mpi
def test_torch_distributed_gives_the_same(ranks, tmp_path):
    for worst, (gloo, mpi), size, summed in ranks(over_gloo, str(tmp_path)):
        assert worst == 0 and gloo == mpi and size == 2 and summed == [2.0] * 3
