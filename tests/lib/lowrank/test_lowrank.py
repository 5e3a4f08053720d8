"""Weights as matrices, factors, ranks, and moments in another basis: properties in float64, refusals by name."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from efficient_ai import lowrank


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


sizes = st.integers(1, 6)


@given(sizes, sizes, sizes, st.lists(st.integers(1, 3), max_size=3))
def test_a_view_and_back_is_the_weight_and_its_matrices_are_tall(count, out, inside, kernel):
    weight = draw(count * out, inside, *kernel)
    view = lowrank.MatrixView(weight.shape, count)
    matrices = view.split(weight)
    assert matrices.shape == (count, view.rows, view.columns) and view.rows >= view.columns
    assert torch.equal(view.join(matrices), weight)


def test_a_convolution_with_groups_is_one_matrix_for_each():
    layer = nn.Conv1d(4, 6, 3, groups=2, bias=False).double()
    view = lowrank.survey(layer).layers[0].view
    assert (view.count, view.rows, view.columns, view.turned) == (2, 6, 3, True)
    x = draw(1, 4, 3)
    blocks = [
        m.mT @ part.reshape(-1) for m, part in zip(view.split(layer.weight), x[0].chunk(2), strict=True)
    ]
    torch.testing.assert_close(torch.cat(blocks), layer(x).flatten())


@pytest.mark.parametrize(("shape", "count"), [((3,), 1), ((0, 3), 1), ((3, 2), 2), ((4, 2), 0)])
def test_what_is_no_matrix_is_refused(shape, count):
    with pytest.raises(ValueError):
        lowrank.MatrixView(shape, count)


def test_other_shapes_than_the_views_are_refused():
    view = lowrank.MatrixView((2, 6))
    for call, shape in ((view.split, (6, 2)), (view.join, (1, 2, 6)), (view.join, (6, 2))):
        with pytest.raises(ValueError, match="this view"):
            call(draw(*shape))


@given(
    st.integers(1, 3),
    st.integers(1, 7),
    st.integers(1, 7),
    st.integers(0, 9),
    st.sampled_from([1e-200, 1, 1e200]),
)
@settings(deadline=None)
def test_the_factors_are_orthonormal_and_give_the_matrix_whatever_its_size(batch, m, n, seed, scale):
    matrices = scale * draw(batch, m, n, seed=seed)
    found = lowrank.thin_svd(matrices)
    eye = torch.eye(min(m, n), dtype=torch.float64).expand(batch, -1, -1)
    torch.testing.assert_close(found.u.mT @ found.u, eye)
    torch.testing.assert_close(found.vh @ found.vh.mT, eye)
    torch.testing.assert_close(found.matrix() / scale, matrices / scale)
    a, b = found.balanced()
    torch.testing.assert_close(a @ b / scale, matrices / scale)
    assert (found.s >= 0).all() and (found.s.diff() <= 0).all()
    assert (found.u.gather(-2, found.u.abs().argmax(-2, keepdim=True)) > 0).all()


@given(st.integers(1, 6), st.integers(0, 9))
@settings(deadline=None)
def test_what_is_cut_is_what_eckart_and_young_say(rank, seed):
    matrix = draw(9, 6, seed=seed)
    found = lowrank.thin_svd(matrix)
    lost = torch.linalg.norm(matrix - found.cut(rank).matrix())
    torch.testing.assert_close(lowrank.dropped(found.s, rank), lost)


def test_degenerate_matrices_have_factors_and_nonsense_has_none():
    found = lowrank.thin_svd(torch.zeros(4, 3))
    assert found.s.tolist() == [0, 0, 0] and lowrank.rank_above(found.s, 0.1) == 1
    torch.testing.assert_close(found.u.mT @ found.u, torch.eye(3))
    assert lowrank.thin_svd(torch.ones(3, 2, dtype=torch.bfloat16)).u.dtype == torch.bfloat16
    for wrong in (
        torch.tensor([[1.0, float("nan")]]),
        torch.tensor([[float("inf")]]),
        torch.ones(3),
        torch.ones(0, 2),
    ):
        with pytest.raises(ValueError):
            lowrank.thin_svd(wrong)
    with pytest.raises(ValueError, match="real numbers"):
        lowrank.thin_svd(torch.ones(2, 2, dtype=torch.int64))
    for rank in (0, 4):
        with pytest.raises(ValueError, match="from 1 to 3"):
            found.cut(rank)


@pytest.mark.parametrize(
    ("s", "share", "above", "energy"),
    [
        ([4.0, 2, 1], 0.5, 2, 1), ([4.0, 2, 1], 0.0, 3, 1), ([4.0, 2, 1], 1.0, 1, 3), ([2.0, 2, 2], 1.0, 3, 3),
        ([0.0, 0, 0], 0.5, 1, 1), ([4.0, 2, 0], 0.0, 2, 1), ([3.0], 0.9, 1, 1), ([3.0, 4e-200], 1.0, 1, 1),
        ([[4.0, 2], [4, 1]], 0.5, 2, 1), ([4.0, 3, 0, 0], 0.7, 2, 2), ([4.0, 3, 0, 0], 0.64, 2, 1),
    ],
)  # fmt: skip
def test_ranks_by_size_and_by_energy(s, share, above, energy):
    s = torch.tensor(s, dtype=torch.float64)
    assert lowrank.rank_above(s, share) == above
    assert lowrank.rank_for_energy(s, share) == energy


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_shares_outside_0_to_1_and_infinite_values_are_refused(share):
    for policy in (lowrank.rank_above, lowrank.rank_for_energy):
        with pytest.raises(ValueError, match="0 and 1"):
            policy(torch.ones(2), share)
        with pytest.raises(ValueError, match="finite"):
            policy(torch.tensor([float("inf"), 1.0]), 0.5)


@pytest.mark.parametrize(
    ("wanted", "rank", "floor", "kept"),
    [(1, 8, 1, 4), (1, 5, 1, 3), (1, 1, 1, 1), (0, 1, 0, 1), (6, 8, 1, 6), (9, 8, 1, 8), (1, 8, 6, 6), (1, 4, 9, 4), (1, 2, 0, 1)],
)  # fmt: skip
def test_a_rank_falls_by_half_at_most_and_never_below_its_floor_or_one(wanted, rank, floor, kept):
    assert lowrank.guarded(wanted, rank, floor=floor) == kept


def test_a_rank_may_fall_at_once_where_that_is_asked():
    assert lowrank.guarded(1, 8, share=0.0) == 1
    for rank, share in ((0, 0.5), (3, 1.5)):
        with pytest.raises(ValueError):
            lowrank.guarded(1, rank, share=share)


@given(st.integers(0, 20))
@settings(deadline=None)
def test_the_first_moment_moves_exactly_and_the_second_stays_positive(seed):
    left, right = draw(5, 3, seed=seed), draw(2, 4, seed=seed + 100)
    gradients = draw(7, 5, 4, seed=seed + 200)
    new = torch.stack([left.T @ g @ right.T for g in gradients])
    torch.testing.assert_close(lowrank.first_moment(gradients.mean(0), left, right), new.mean(0))
    assert (lowrank.second_moment(gradients.square().mean(0), left, right) >= 0).all()


def test_the_second_moment_is_that_of_independent_entries():
    left, right = draw(5, 3), draw(2, 4, seed=1)
    spread = draw(5, 4, seed=2).abs()
    gradients = spread * draw(100_000, 5, 4, seed=3)
    seen = (left.T @ gradients @ right.T).square().mean(0)
    torch.testing.assert_close(lowrank.second_moment(spread.square(), left, right), seen, rtol=0.05, atol=0)


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), "plain SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.1, amsgrad=True), "Adagrad": lambda p: torch.optim.Adagrad(p),
    "RMSprop": lambda p: torch.optim.RMSprop(p, centered=True), "Adamax": lambda p: torch.optim.Adamax(p),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_goes_on_with_the_new_parameter_in_the_same_group(name):
    old, other = nn.Parameter(draw(4, 3, 2)), nn.Parameter(draw(3))
    optimizer = OPTIMIZERS[name]([{"params": [other], "lr": 0.5}, {"params": [old, nn.Parameter(draw(2))]}])
    for step in range(3):
        old.grad, other.grad = draw(4, 3, 2, seed=step), draw(3, seed=step)
        optimizer.step()
    before = {key: value for key, value in optimizer.state[old].items()}
    view = lowrank.MatrixView(old.shape)
    factors = lowrank.thin_svd(view.split(old))
    new = nn.Parameter(torch.diag_embed(factors.s))
    lowrank.move_state(optimizer, old, new, factors.u, factors.vh, view)
    assert optimizer.param_groups[1]["params"][0] is new and optimizer.param_groups[0]["params"] == [other]
    assert old not in optimizer.state and len(optimizer.param_groups[1]["params"]) == 2
    state = optimizer.state[new]
    for key, value in before.items():
        if value is None or value.shape != old.shape:
            assert state[key] is value
        else:
            assert state[key].shape == new.shape
            assert key in ("exp_avg", "momentum_buffer", "grad_avg") or (state[key] >= 0).all()
    for key in {"exp_avg", "momentum_buffer"} & before.keys():
        if before[key] is not None:
            expected = factors.u.mT @ view.split(before[key]) @ factors.vh.mT
            torch.testing.assert_close(state[key], expected)
    new.grad = torch.ones_like(new)
    optimizer.step()


def test_sgd_with_momentum_in_a_rotated_basis_takes_the_steps_of_the_old_one():
    weight, target = draw(4, 4), draw(4, 4, seed=1)
    p, q = (torch.linalg.qr(draw(4, 4, seed=seed))[0] for seed in (2, 3))
    plain, moved = nn.Parameter(weight.clone()), nn.Parameter(weight.clone())
    one, two = (torch.optim.SGD([x], lr=0.1, momentum=0.9) for x in (plain, moved))
    for step in range(10):
        if step == 5:
            new = nn.Parameter(p.T @ moved.detach() @ q.T)
            lowrank.move_state(two, moved, new, p, q)
            moved = new
        for optimizer, matrix in ((one, plain), (two, moved if step < 5 else p @ moved @ q)):
            optimizer.zero_grad()
            (matrix - target).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(p @ moved @ q, plain.detach(), check_dtype=False)


def test_a_state_that_does_not_fit_is_refused_before_anything_changes():
    old, new = nn.Parameter(draw(4, 3)), nn.Parameter(draw(2, 2))
    optimizer = torch.optim.Adadelta([old])
    old.grad = draw(4, 3)
    optimizer.step()
    left, right = draw(4, 2), draw(2, 3)
    wrong = [
        ((nn.Parameter(draw(1)), new, left, right), "does not train"), ((old, old, left, right), "already"),
        ((old, new, draw(3, 2), right), "do not fit"), ((old, nn.Parameter(draw(3, 2)), left, right), "new parameter has"),
        ((old, new, left, right), "no rule for 'acc_delta' of Adadelta"),
    ]  # fmt: skip
    for arguments, says in wrong:
        with pytest.raises(ValueError, match=says):
            lowrank.move_state(optimizer, *arguments)
        assert optimizer.param_groups[0]["params"] == [old] and optimizer.state[old]["square_avg"].shape == (
            4,
            3,
        )


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.tied = nn.Embedding(5, 4), nn.Linear(4, 5)
        self.tied.weight = self.embedding.weight
        self.first, self.again = nn.Linear(4, 4), nn.Linear(4, 4)
        self.again.weight = self.first.weight
        self.frozen, self.lazy = nn.Linear(3, 3).requires_grad_(False), nn.LazyLinear(3)
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
        self.attention, self.split = nn.MultiheadAttention(4, 2), nn.MultiheadAttention(4, 2, kdim=3, vdim=3)
        self.conv, self.depth = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3, groups=4)
        self.recurrent, self.head = nn.LSTM(3, 3), nn.Linear(4, 1)


def test_a_survey_lists_every_weight_with_its_reason():
    found = lowrank.survey(Model())
    assert {layer.names: layer.view.count for layer in found.layers} == {
        ("first.weight", "again.weight"): 1, ("attention.in_proj_weight",): 3, ("attention.out_proj.weight",): 1,
        ("split.q_proj_weight",): 1, ("split.k_proj_weight",): 1, ("split.v_proj_weight",): 1,
        ("split.out_proj.weight",): 1, ("conv.weight",): 1,
    }  # fmt: skip
    reasons = {name: reason for name, reason in found.dense.items() if "recurrent" not in name}
    assert reasons == {
        **dict.fromkeys(("embedding.weight", "tied.weight"), "Embedding does not multiply by it as by a matrix"),
        "frozen.weight": "it is frozen",
        **dict.fromkeys(("lazy.weight", "lazy.bias"), "it has no shape before the first batch"),
        **{f"normed.parametrizations.weight.original{i}": "it is parametrised" for i in (0, 1)},
        **dict.fromkeys(("depth.weight", "head.weight"), "its rank is one already"),
    }  # fmt: skip
    assert len([name for name in found.dense if name.startswith("recurrent.weight")]) == 2
    packed = lowrank.survey(Model(), packed=True)
    assert next(x for x in packed.layers if x.names == ("attention.in_proj_weight",)).view.count == 1


def test_named_weights_and_modules_stay_dense():
    found = lowrank.survey(Model(), keep=["attention", "again.weight"])
    assert not any(name.startswith(("attention", "first")) for x in found.layers for name in x.names)
    assert found.dense["first.weight"] == "it was named to stay dense"
    with pytest.raises(ValueError, match="nothing that is called 'nope'"):
        lowrank.survey(Model(), keep=["nope"])
