"""The error table: right under shuffling, sampling, few bits and resume; refused where it would guess."""

import subprocess
import sys

import pytest
import torch
from torch.nn.functional import binary_cross_entropy, mse_loss

from efficient_ai import f3


def problem(n=7):
    rng = torch.Generator().manual_seed(0)
    return torch.randn(n, 3, generator=rng, dtype=torch.float64), f3.one_hot(
        torch.arange(n) % 2, 2, torch.float64
    )


def make(rule=None, n=7, lr=0.0, seed=0, adam=False):
    x, _ = problem(n)

    def optimiser(p):
        return torch.optim.Adam(p, lr=1e-2) if adam else torch.optim.SGD(p, lr=lr)

    blocks = f3.mlp([3, 4, 2], seed=0, dtype=torch.float64)
    return f3.Trainer(
        blocks, rule or f3.F3(), binary_cross_entropy, optimiser, sample=x, samples=n, seed=seed
    )


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_row_is_the_error_of_its_sample_in_any_order(batch, seed):
    x, y = problem()
    trainer = make(seed=seed)
    for _ in range(2):
        trainer.epoch(x, y, batch)
        assert torch.allclose(trainer.table.read(torch.arange(7), y), y - trainer.predict(x), atol=1e-15)


def test_a_delay_reads_what_was_written_so_many_visits_ago_and_knows_its_age():
    _, y = problem()
    table, index = f3.ErrorTable(7, 2, delay=3, dtype=torch.float64), torch.arange(7)
    for visit in range(6):
        read = table.read(index, y)
        wanted = y if visit < 3 else torch.full_like(y, float(visit - 3))
        assert torch.equal(read, wanted)
        ages = table.age(index, step=10 * visit)
        assert (ages == (-1 if visit < 3 else 30)).all()
        if visit:
            assert torch.equal(table.read(index, y, ahead=2), torch.full_like(y, float(visit - 1)))
        table.write(index, torch.full_like(y, float(visit)), y, step=10 * visit)
    with pytest.raises(ValueError, match="not known"):
        table.read(index, y, ahead=3)


def test_samples_that_are_left_out_or_come_twice_keep_their_own_age():
    _, y = problem()
    table = f3.ErrorTable(7, 2, dtype=torch.float64)
    index = torch.tensor([2, 5, 2])
    table.write(index, torch.tensor([[1.0, 1], [2, 2], [3, 3]], dtype=torch.float64), y[index], step=4)
    assert table.read(torch.tensor([2]), y[[2]]).tolist() == [[3.0, 3.0]]
    assert table.visits.tolist() == [0, 0, 1, 0, 0, 1, 0]
    assert table.age(torch.arange(7), 9).tolist() == [-1, -1, 5, -1, -1, 5, -1]


@pytest.mark.parametrize("store", ["float16", "8 bit"])
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 7e4, 1e30])
@pytest.mark.parametrize("components", [1, 3, 10])
def test_few_bits_hold_errors_of_any_scale(store, scale, components):
    rng = torch.Generator().manual_seed(0)
    error = scale * torch.randn(50, components, generator=rng, dtype=torch.float64)
    table, index = f3.ErrorTable(50, components, store=store, dtype=torch.float64), torch.arange(50)
    table.write(index, error, error)
    largest = error.abs().amax(1, keepdim=True)
    tolerance = 1 / 127 if store == "8 bit" else 1e-3
    assert ((table.read(index, error) - error).abs() <= tolerance * largest).all()
    assert table.nbytes == 50 * (components * (1 if store == "8 bit" else 2) + 2)


def test_signs_and_classes():
    error = torch.tensor([[0.2, -3.0, 0.0, 1e-9, -1e-9]], dtype=torch.float64)
    table, index = f3.ErrorTable(1, 5, store="sign", dtype=torch.float64), torch.tensor([0])
    table.write(index, error, error)
    assert table.read(index, error).tolist() == [[1.0, -1.0, 0.0, 1.0, -1.0]] and table.nbytes == 2
    target = torch.tensor([[0.0, 1.0, 0.0]])
    table = f3.ErrorTable(1, 3, store="class")
    table.write(index, target - torch.tensor([[0.7, 0.2, 0.1]]), target)
    assert table.read(index, target).tolist() == [[-1.0, 1.0, 0.0]]
    table.write(index, target - torch.tensor([[0.1, 0.8, 0.1]]), target)
    assert table.read(index, target).tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    "arguments",
    [dict(samples=0), dict(components=0), dict(delay=0), dict(samples=True), dict(samples=2.0), dict(store="4 bit"), dict(initial="one"),
     dict(store="class", components=1)],
)  # fmt: skip
def test_tables_that_are_none_are_refused(arguments):
    with pytest.raises(ValueError):
        f3.ErrorTable(**(dict(samples=3, components=2) | arguments))


@pytest.mark.parametrize(
    ("index", "error"),
    [(torch.tensor([0, 7]), IndexError), (torch.tensor([-1, 0]), IndexError), (torch.tensor([0]), IndexError),
     (torch.tensor([0.0, 1.0]), TypeError), (torch.tensor([True, False]), TypeError), ([0, 1], TypeError), (None, ValueError)],
)  # fmt: skip
def test_indices_that_fit_no_row_are_refused_and_nothing_changes(index, error):
    x, y = problem()
    trainer = make(lr=0.1)
    before = trainer.state_dict()["stage"]
    before = {k: v.clone() for k, v in before.items()}
    with pytest.raises(error):
        trainer.step(x[:2], y[:2], index)
    assert all(torch.equal(v, before[k]) for k, v in trainer.stage.state_dict().items())
    assert trainer.steps == 0 and int(trainer.table.visits.sum()) == 0


def test_what_is_not_finite_is_not_stored():
    x, y = problem()
    trainer = make(lr=0.1)
    spoiled = x.clone()
    spoiled[0, 0] = float("nan")
    with pytest.raises(ValueError, match="not finite"):
        trainer.step(spoiled, y, torch.arange(7))
    with pytest.raises(FloatingPointError):
        trainer.table.write(torch.arange(7), spoiled[:, :2], y)
    assert int(trainer.table.visits.sum()) == 0
    diverging = f3.Trainer(
        f3.mlp([3, 4, 2], output="linear"), f3.F3(), mse_loss, lambda p: torch.optim.SGD(p, lr=1e30),
        sample=x.float(), samples=7,
    )  # fmt: skip
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        for _ in range(5):
            diverging.epoch(x.float(), y.float(), 3)


@pytest.mark.parametrize("store", ["full", "8 bit"])
@pytest.mark.parametrize("stop", [None, 2])
def test_a_resumed_run_is_the_run(tmp_path, store, stop):
    x, y = problem()
    rule = f3.F3(delay=2, store=store)
    whole, first = make(rule, adam=True), make(rule, adam=True)
    for _ in range(4):
        whole.epoch(x, y, 3)
    first.epoch(x, y, 3)
    first.epoch(x, y, 3, batches=stop)
    first.save(tmp_path / "f3.pt")
    second = make(rule, adam=True)
    second.load(tmp_path / "f3.pt")
    while second.epochs < 4:
        second.epoch(x, y, 3)
    a, b = whole.state_dict(), second.state_dict()
    assert a["place"] == b["place"]
    for part in ("stage", "table"):
        assert all(torch.equal(v, b[part][k]) for k, v in a[part].items() if isinstance(v, torch.Tensor))
    moments = (a["optimisers"][0]["state"][0]["exp_avg_sq"], b["optimisers"][0]["state"][0]["exp_avg_sq"])
    assert torch.equal(*moments)


def test_a_resume_in_a_fresh_process_is_the_run(tmp_path):
    script = (
        "import sys, torch; sys.path.insert(0, {here!r}); import test_f3_table as t; torch.set_num_threads(1)\n"
        "from efficient_ai import f3\n"
        "x, y = t.problem(); m = t.make(f3.F3(delay=2), adam=True); m.load({path!r})\n"
        "m.epoch(x, y, 3); m.epoch(x, y, 3); m.save({path!r})"
    )
    x, y = problem()
    whole, first = make(f3.F3(delay=2), adam=True), make(f3.F3(delay=2), adam=True)
    for _ in range(4):
        whole.epoch(x, y, 3)
    for _ in range(2):
        first.epoch(x, y, 3)
    path = str(tmp_path / "f3.pt")
    first.save(path)
    here = str(__import__("pathlib").Path(__file__).parent)
    subprocess.run([sys.executable, "-c", script.format(here=here, path=path)], check=True, timeout=120)
    second = make(f3.F3(delay=2), adam=True)
    second.load(path)
    assert all(torch.equal(v, second.stage.state_dict()[k]) for k, v in whole.stage.state_dict().items())


def test_checkpoints_of_something_else_are_refused_and_nothing_changes(tmp_path):
    trainer = make(lr=0.1)
    good = trainer.state_dict()
    no_table = good | {"table": None}
    lacking = {k: v for k, v in good.items() if k != "table"}
    other_rule = make(f3.F3(delay=2)).state_dict()
    smaller = make(n=6).state_dict()
    x, y = problem()
    trainer.epoch(x, y, 3)
    before = {k: v.clone() for k, v in trainer.stage.state_dict().items()}
    for state in (no_table, lacking, other_rule, smaller):
        with pytest.raises(ValueError, match="checkpoint"):
            trainer.load_state_dict(state)
    with pytest.raises(FileNotFoundError):
        trainer.load(tmp_path / "none.pt")
    assert all(torch.equal(v, before[k]) for k, v in trainer.stage.state_dict().items())


@pytest.mark.parametrize(
    "arguments",
    [dict(signal="yesterday"), dict(delay=-1), dict(delay=True), dict(delay=1.0), dict(feedback="gaussian"), dict(scale="none"), dict(sign=2),
     dict(store="2 bit"), dict(initial="mean"), dict(feedback_scale=0.0), dict(feedback_scale=float("nan"))],
)  # fmt: skip
def test_rules_that_are_none_are_refused(arguments):
    with pytest.raises(ValueError):
        f3.F3(**arguments)


def test_batches_that_do_not_fit_are_refused():
    x, y = problem()
    trainer = make()
    for bad in ((x, torch.arange(7) % 2), (x, y[:3]), (x[:0], y[:0]), (x, y.long()), (x, y[:, :1])):
        with pytest.raises(ValueError):
            trainer.step(*bad, torch.arange(len(bad[0])))
    with pytest.raises(ValueError, match="made for 7 samples"):
        trainer.epoch(x[:5], y[:5], 3)
    for size in (0, True, 2.5):
        with pytest.raises(ValueError, match="batch_size"):
            trainer.epoch(x, y, size)
    with pytest.raises(ValueError, match="needs classes"):
        make(f3.F3(signal="error one-hot")).step(x, y * 0.5, torch.arange(7))


def test_feedback_kinds_have_the_shape_c_by_n():
    for kind in f3.FEEDBACK:
        n = 27 if kind == "all products" else 11
        c = 3
        matrix = f3.draw_feedback(kind, c, n, torch.Generator().manual_seed(0))
        assert matrix.shape == (c, n) and torch.isfinite(matrix).all()
    with pytest.raises(ValueError, match="needs a width of 27"):
        f3.draw_feedback("all products", 3, 26, torch.Generator())
    with pytest.raises(ValueError, match="not one of"):
        f3.draw_feedback("gauss", 3, 5, torch.Generator())
