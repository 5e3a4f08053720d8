"""WeatherMixer in pieces equals WeatherMixer whole: forward, gradients, steps of Adam, dropout, clipping, data parallelism."""

import pytest
import torch

from efficient_ai import jigsaw
from efficient_ai.jigsaw import Grid, experiments, published
from efficient_ai.jigsaw._random import uniform_at
from efficient_ai.parallel import run_ranks

pytestmark = pytest.mark.mpi
SHORT = [Grid(2, 1), Grid(1, 4), Grid(1, 2, "paper"), Grid(2, 2, "paper")]


def all_equal(comm, grids, seed, steps):
    return [experiments.equality(comm, grid, seed, steps) for grid in grids]


def test_ten_steps_of_adam_on_two_and_four_ranks(ranks):
    for found in ranks(all_equal, [Grid(1, 2), Grid(2, 2)], 1, 10)[0] + ranks(all_equal, SHORT, 2, 2)[0]:
        assert max(found.forward, found.gradients, found.weights) < 1e-10


def six(comm):
    from dataclasses import replace

    config = replace(experiments.SMALL, inputs=6, outputs=6, lat=6, lon=24)
    return experiments.equality(comm, Grid(2, 3), 0, 2, config)


def test_a_grid_of_two_by_three():
    found = run_ranks(six, 6, timeout=150)[0]
    assert max(found.forward, found.gradients, found.weights) < 1e-10


def layers_against_autograd(comm):
    """Gradients of each hand-written layer against autograd of the serial one, batch of 3, float64."""
    from efficient_ai.jigsaw.experiments import block

    grid, worst = Grid(2, 2), {}
    ops, serial = jigsaw.Sharded(grid, jigsaw.MPITransport(comm)), jigsaw.Serial()
    gen = torch.Generator().manual_seed(3)

    def draw(*shape):
        return torch.randn(*shape, generator=gen, dtype=torch.float64)

    shapes = {
        "xwt": ((3, 8, 4), (6, 4), 6),
        "xtw": ((3, 8, 4), (8, 6), 6),
        "xw": ((3, 4, 6), (6, 8), 8),
        "norm": ((3, 8, 4), (4,), 4),
    }
    for name, (xs, ws, n) in shapes.items():
        x, w, b = draw(*xs), draw(*ws), draw(n)
        col = grid.place(comm.rank)[1]

        def vector(t, col=col):
            return t.chunk(2)[col]

        def cut(t):
            return vector(t) if t.ndim == 1 else block(t, grid, comm.rank)

        whole = [t.clone().requires_grad_() for t in (x, w, b)]
        mine = [cut(t).clone().requires_grad_() for t in (x, w, b)]
        y, yw = getattr(ops, name)(*mine), getattr(serial, name)(*whole)
        g = draw(*yw.shape)
        y.backward(block(g, grid, comm.rank))
        yw.backward(g)
        for p in mine:
            if p.ndim == 1:
                p.grad = sum(jigsaw.gather_small(ops.place.transport, p.grad, grid.column_of(comm.rank)))
        pairs = [
            (y, block(yw, grid, comm.rank)),
            *((a.grad, cut(b.grad)) for a, b in zip(mine, whole, strict=True)),
        ]
        worst[name] = max(float((a - b).abs().max()) for a, b in pairs)
    return worst


def test_the_hand_written_gradients_are_those_of_autograd(ranks):
    for worst in ranks(layers_against_autograd):
        assert set(worst) == {"xwt", "xtw", "xw", "norm"} and max(worst.values()) < 1e-12


def norm_traffic(comm):
    from efficient_ai.parallel import CountingComm

    counting = CountingComm(comm)
    ops = jigsaw.Sharded(Grid(2, 2), jigsaw.MPITransport(counting))
    x = torch.randn(5, 7, 3, requires_grad=True)
    y = ops.norm(x, torch.ones(3, requires_grad=True), torch.zeros(3, requires_grad=True))
    forward = counting.record.sent_bytes
    y.sum().backward()
    return forward, counting.record.sent_bytes - forward


def test_a_norm_sends_two_numbers_per_token_each_way(ranks):
    assert ranks(norm_traffic) == [(2 * 35 * 4, 2 * 35 * 4)] * 4


def counting_messages(comm, schedule):
    """Messages of the backward pass of one layer on 1 x 2."""
    from efficient_ai.parallel import CountingComm

    part = experiments.first_ranks(comm, 2)
    if part is None:
        return None
    counting = CountingComm(part)
    ops = jigsaw.Sharded(Grid(1, 2, schedule), jigsaw.MPITransport(counting))
    x, w = torch.randn(4, 2, requires_grad=True), torch.randn(6, 2, requires_grad=True)
    y = ops.xwt(x, w, torch.zeros(3, requires_grad=True))
    before = counting.record.sent_messages
    y.sum().backward()
    return counting.record.sent_messages - before


def test_one_exchange_instead_of_two_in_the_backward_pass(ranks):
    assert ranks(counting_messages, "balanced")[0] == 1 and ranks(counting_messages, "paper")[0] == 2


def replicas(comm):
    """Two instances of two ranks with half a batch each, against one instance with the whole batch."""
    grid, world = Grid(1, 2), jigsaw.MPITransport(comm)
    instance, shards = world.split(comm.rank // 2), world.split(comm.rank % 2)
    config = experiments.SMALL.__class__(**{**experiments.SMALL.__dict__, "dropout": 0.0})
    model = jigsaw.WeatherMixer(config, jigsaw.Sharded(grid, instance), dtype=torch.float64)
    serial = jigsaw.WeatherMixer(config, dtype=torch.float64)
    gen = torch.Generator().manual_seed(0)
    x, t = (torch.randn(4, 8, 8, 32, generator=gen, dtype=torch.float64) for _ in range(2))
    a, v = torch.ones(8, dtype=torch.float64), torch.ones(8, dtype=torch.float64)
    mine = slice(2 * (comm.rank // 2), 2 * (comm.rank // 2) + 2)
    o1, o2 = jigsaw.adam(model), jigsaw.adam(serial)
    for _ in range(2):
        xs, ts = (experiments.field_block(z[mine], grid, instance.rank) for z in (x, t))
        jigsaw.train_step(model, o1, xs, ts, a, v.chunk(2)[instance.rank], replicas=shards)
        jigsaw.train_step(serial, o2, x, t, a, v)
    return experiments._on_ranks._compare(model, serial, lambda p: p.data), shards.size


def test_data_parallel_instances_on_top(ranks):
    for off, size in ranks(replicas):
        assert off < 1e-10 and size == 2


def replicated_bits(comm):
    """After some steps, the copies of biases and norms on both rows, as bytes."""
    model = jigsaw.WeatherMixer(experiments.SMALL, jigsaw.Sharded(Grid(2, 2), jigsaw.MPITransport(comm)))
    optimiser = jigsaw.adam(model, 1e-2, 1e-2)
    for step in range(3):
        x, t, a, v = experiments._on_ranks._batch(experiments.SMALL, Grid(2, 2), comm.rank, 2, step)
        jigsaw.train_step(model, optimiser, x, t, a, v)
    return torch.cat([p.detach() for p in model.replicated()]).numpy().tobytes()


def test_replicated_parameters_stay_equal_to_the_last_bit(ranks):
    bits = ranks(replicated_bits)
    assert bits[0] == bits[2] and bits[1] == bits[3] and bits[0] != bits[1]


def held(comm, batch):
    from dataclasses import replace

    config = replace(experiments.SMALL, dropout=0.0)
    found = {}
    for grid in (Grid(1, 1), Grid(1, 2), Grid(2, 2)):
        measured = experiments.holdings(comm, grid, config, batch)
        if measured:
            found[grid] = measured, jigsaw.memory(config, grid, batch)
    return found


def test_memory_is_serial_over_n_plus_the_named_terms_and_nothing_is_whole(ranks):
    by_rank = ranks(held, 3)
    serial, _ = by_rank[0][Grid(1, 1)]
    for found in by_rank:
        for grid, (measured, computed) in found.items():
            for kind in ("input and target", "activations", "weights", "gradients", "Adam moments"):
                assert measured[kind] == computed[kind], (grid, kind)
            assert measured["largest"] * grid.size <= serial["largest"], measured["largest shape"]
    _, one = by_rank[0][Grid(1, 1)]
    _, two = by_rank[0][Grid(1, 2)]
    config = experiments.SMALL
    statistics = 4 * 2 * 3 * (config.tokens * (2 * config.blocks + 1) + 2 * config.lat * config.lon)
    assert 2 * two["activations"] - one["activations"] == statistics
    assert 2 * two["weights"] == one["weights"]


def steps_counted(comm):
    grids = [Grid(1, 2), Grid(2, 2), Grid(2, 2, "paper"), Grid(1, 4)]
    return [experiments.counted_step(comm, g, experiments.SMALL, batch) for g in grids for batch in (1, 3)]


def test_a_whole_training_step_sends_what_the_formula_says(ranks):
    for step in ranks(steps_counted)[0]:
        assert step["sent"] == step["expected"] and min(step["sent"]) > 0


def test_parameters_and_operations_are_those_of_the_logs():
    for logged, config, grid in published.COUNTS.values():
        grid = grid and Grid(*grid)
        assert jigsaw.parameters(config if grid is None else config.padded(), grid) == logged
    for width, fraction, million, tera in published.LADDER:
        config = jigsaw.MixerConfig(width=width, token_fraction=fraction)
        assert jigsaw.parameters(config) / 1e6 == pytest.approx(million, rel=5e-3)
        assert jigsaw.forward_flops(config) / 1e12 == pytest.approx(tera, abs=0.06 if tera > 10 else 0.006)
    assert jigsaw.training_flops(config) == 3 * jigsaw.forward_flops(config)


def test_the_count_of_parameters_is_that_of_a_model():
    for config in (
        experiments.SMALL,
        jigsaw.MixerConfig(lat=4, lon=8, inputs=5, outputs=3, patch=4, width=6),
    ):
        model = jigsaw.WeatherMixer(config)
        assert sum(p.numel() for p in model.parameters()) == jigsaw.parameters(config)
        x = torch.randn(2, config.inputs, config.lat, config.lon)
        assert model(x).shape == (2, config.outputs, config.lat, config.lon)


def test_a_local_norm_is_another_function():
    x = torch.randn(2, 8, 8, 32)
    models = [
        jigsaw.WeatherMixer(experiments.SMALL, ops).eval()
        for ops in (jigsaw.Serial(), jigsaw.GroupedNorm(2), jigsaw.GroupedNorm(1))
    ]
    whole, halves, one = (m(x).detach() for m in models)
    assert torch.allclose(whole, one, atol=1e-5) and float((whole - halves).abs().max()) > 1e-3


def test_the_rollout_is_latent():
    model = jigsaw.WeatherMixer(experiments.SMALL).eval()
    x = torch.randn(1, 8, 8, 32)
    with torch.no_grad():
        assert not torch.allclose(model(x, 2), model(model(x)), atol=1e-3)


def test_random_numbers_by_position_are_uniform_and_unlike():
    index = torch.arange(200_000)
    u, other = uniform_at(index, 1, 2), uniform_at(index, 1, 3)
    assert 0 <= float(u.min()) and float(u.max()) < 1
    assert abs(float(u.mean()) - 0.5) < 5e-3 and abs(float(u.var()) - 1 / 12) < 2e-3
    assert abs(float(torch.corrcoef(torch.stack([u, other]))[0, 1])) < 0.01
    assert abs(float(torch.corrcoef(torch.stack([u[:-1], u[1:]]))[0, 1])) < 0.01
    assert torch.equal(u[500:600], uniform_at(index[500:600], 1, 2))


def test_models_that_cannot_be_cut_say_why():
    with pytest.raises(ValueError, match="as many outputs as inputs"):
        jigsaw.MixerConfig().check(Grid(1, 2))
    with pytest.raises(ValueError, match="patches of a circle"):
        jigsaw.MixerConfig(lon=180, patch=60).padded().check(Grid(2, 2))
    with pytest.raises(ValueError, match="the width has length 25"):
        jigsaw.MixerConfig(width=25).padded().check(Grid(1, 2))
    with pytest.raises(ValueError, match="does not divide"):
        jigsaw.MixerConfig(patch=7)
    with pytest.raises(ValueError, match="cannot be blended"):
        jigsaw.MixerConfig(inputs=3, outputs=4)


def frozen_on_ranks(comm, names):
    """Gradients with nothing frozen and with these layers frozen; bytes sent in both."""
    from efficient_ai.parallel import CountingComm

    grid, config, found = Grid(2, 2), experiments.SMALL, []
    for frozen in ((), names):
        counting = CountingComm(comm)
        model = jigsaw.WeatherMixer(config, jigsaw.Sharded(grid, jigsaw.MPITransport(counting)))
        for name, p in model.params.items():
            p.requires_grad_(not (frozen and name.startswith(frozen)))
        rng = torch.Generator().manual_seed(comm.rank)
        shape = 2, config.inputs // 2, config.lat, config.lon // 2
        x, target = (torch.randn(shape, generator=rng) for _ in range(2))
        a, v = torch.ones(config.lat), torch.ones(config.inputs // 2)
        jigsaw.weighted_loss(model, model(x), target, a, v).backward()
        jigsaw.finish_gradients(model)
        grads = {n: p.grad.numpy().copy() for n, p in model.params.items() if p.grad is not None}
        norm = jigsaw.clip_gradients(model, 1.0)
        assert bool(norm.isfinite())
        found.append((grads, sum(e.sent for e in counting.record.events if e.dest is not None)))
    return found


@pytest.mark.parametrize("names", [("embed",), ("embed", "blocks/0"), ("recover", "blocks/1")])
def test_frozen_layers_change_no_gradient_and_send_less(ranks, names):
    for (whole, sent), (partial, less) in ranks(frozen_on_ranks, names):
        assert set(partial) == {n for n in whole if not n.startswith(names)} and less < sent
        for name, gradient in partial.items():
            assert abs(gradient - whole[name]).max() < 1e-6
