"""The schedule, the algebra of a merge, and factors: no ranks needed."""

import pytest
import torch
from torch import nn

from efficient_ai import lowrank
from efficient_ai.ab_training import MODES, PUBLISHED, Place, Schedule, balanced, groups_of, merged, pooled

A0 = torch.tensor([[2.0, 0], [0, 1], [0, 0]], dtype=torch.float64)
B0 = torch.diag(torch.tensor([2.0, 1], dtype=torch.float64))


def _merge(mode, learns):
    a = [A0 + 0.1 if side == "a" else A0 for side in learns]
    b = [B0 + 0.2 if side == "b" else B0 for side in learns]
    return merged(mode, a, b, learns)


@pytest.mark.parametrize(("mode", "rows"), [
    ("full", [[4.30, 0.25], [0.20, 1.15], [0.10, 0.05]]),
    ("with-stale", [[4.31, 0.26], [0.21, 1.16], [0.11, 0.06]]),
    ("only-learned", [[4.64, 0.54], [0.44, 1.34], [0.24, 0.14]]),
])  # fmt: skip
def test_the_worked_example(mode, rows):
    assert torch.allclose(_merge(mode, "aabb"), torch.tensor(rows, dtype=torch.float64), atol=1e-14, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_where_nobody_learned_a_only_b_counts(mode):
    wanted = torch.tensor([[4.40, 0.40], [0.20, 1.20], [0, 0]], dtype=torch.float64)
    assert torch.allclose(_merge(mode, "bbb"), wanted, atol=1e-14, rtol=0)


@pytest.mark.parametrize(("learns", "stale", "full"), [
    ("aaabb", (4.2896, 0.2296), (4.28, 0.22)),
    ("aabbbb", (4.342222222222, 0.308888888889), (4.333333333333, 0.3)),
])  # fmt: skip
def test_groups_of_unequal_number_count_by_their_ranks(learns, stale, full):
    assert _merge("with-stale", learns)[0].tolist() == pytest.approx(stale, abs=1e-11)
    assert _merge("full", learns)[0].tolist() == pytest.approx(full, abs=1e-11)


@pytest.mark.parametrize(("numbers", "first_cut", "full", "merges"), [
    ((90000, 24000, 6000, 300), 30300, 27000, 11),
    ((2850, 581, 94, 19), 677, 1037, 24),
    ((60, 23, 20, 5), 45, 28, 2),
])  # fmt: skip
def test_the_first_phase_apart_is_never_cut(numbers, first_cut, full, merges):
    schedule = Schedule(*numbers)
    cuts = [t for t in range(numbers[0] + 1) if schedule.switch(t) == "cut"]
    assert cuts[0] == first_cut
    assert schedule.total - schedule.count("apart") == full
    assert len(schedule.merges) == merges
    assert schedule.merges == [t for t in range(numbers[0] + 1) if schedule.switch(t) == "merge"]


def test_the_small_schedule_and_its_switches():
    toy = Schedule(60, 10, 20, 4, 8)
    assert {t: toy.switch(t) for t in range(61) if toy.switch(t)} == {
        10: "factorise", 20: "merge", 24: "cut", 40: "merge", 44: "cut", 60: "merge",
    }  # fmt: skip


def test_a_run_shorter_than_its_warm_up_stays_together_and_none_begins_apart():
    assert Schedule(10, 20, 5, 2).count("warm-up") == 10
    assert Schedule(10, 0, 5, 2).switch(0) == "factorise"


@pytest.mark.parametrize("numbers", [
    (60, 10, 20, 0), (60, 10, 20, 20), (0, 1, 2, 1), (60, -1, 20, 4), (60.0, 10, 20, 4), (60, True, 20, 4), (60, 10, 20, 4, -1),
])  # fmt: skip
def test_schedules_that_are_none_are_refused(numbers):
    with pytest.raises(ValueError, match="steps"):
        Schedule(*numbers)


def test_the_shares_of_the_published_schedules():
    shares = [round(100 * s.share_at_full_rank, 1) for s in PUBLISHED.values()]
    assert shares == [30.0, 28.0, 34.0, 41.3, 40.0, 36.4, 37.3, 37.3, 34.5]
    assert [len(s.merges) for s in PUBLISHED.values()] == [11, 12, 11, 12, 10, 24, 15, 15, 14]


def test_the_rate_climbs_from_the_scheduled_rate_after_every_switch():
    schedule = Schedule(100, 2, 50, 10, 4)
    got = [schedule.rate(0.01, 0.01, t) for t in range(2, 7)]
    assert got == pytest.approx([0.0024975, 0.004995, 0.0074925, 0.00999, 0.01], abs=1e-15)
    got = [schedule.rate(0.001, 0.001, t) for t in range(2, 7)]
    assert got == pytest.approx([0.0002475, 0.000495, 0.0007425, 0.00099, 0.001], abs=1e-15)


@pytest.mark.parametrize(("shape", "kind", "wanted"), [
    ((64, 1, 3, 3), nn.Conv2d(64, 64, 3, groups=64), None),
    ((12, 2, 1, 1), nn.Conv2d(8, 12, 1, groups=4), (4, 3, 2)),
    ((6, 4, 5), nn.Conv1d(4, 6, 5), (1, 20, 6)),
    ((4, 6, 3, 3), nn.ConvTranspose2d(4, 6, 3), (1, 54, 4)),
    ((7, 5), nn.Linear(5, 7), (1, 7, 5)),
    ((5, 7), nn.Linear(7, 5), (1, 7, 5)),
])  # fmt: skip
def test_factors_of_full_rank_change_nothing_and_the_parameter_comes_back(shape, kind, wanted):
    kind = kind.double()
    found = lowrank.survey(nn.Sequential(kind)).layers
    if (
        wanted is None
    ):  # every output of a depthwise convolution sees one channel: its matrices have rank one already
        assert not found
        return
    model = nn.Sequential(kind)
    place = Place(model, lowrank.survey(model).layers[0])
    assert (place.view.count, place.view.rows, place.view.columns) == wanted
    before, weight = place.weight.detach().clone(), kind.weight
    place.install(*balanced(place.weight, place.view, None), "a")
    assert torch.allclose(kind.weight, before, atol=1e-12, rtol=0)
    assert place.a.requires_grad and not place.b.requires_grad
    place.remove((place.a @ place.b).detach())
    assert kind.weight is weight and torch.allclose(weight, before, atol=1e-12, rtol=0)


def test_a_cut_is_the_best_matrix_of_its_rank_in_the_weight_s_own_orientation():
    layer = nn.Linear(2, 2, bias=False).double()
    layer.weight.data = torch.tensor([[0.0, 4], [1, 0]], dtype=torch.float64)
    view = lowrank.MatrixView((2, 2))
    a, b = balanced(layer.weight, view, 0.3)
    assert a.shape[-1] == 1
    assert torch.allclose(view.join(a @ b), torch.tensor([[0.0, 4], [0, 0]], dtype=torch.float64), atol=1e-14)


@pytest.mark.parametrize("shape", [(10, 40), (40, 10), (6, 6)])
def test_the_error_of_a_cut_is_what_was_dropped_and_both_factors_weigh_the_same(shape):
    weight = torch.randn(shape, dtype=torch.float64)
    view, s = lowrank.MatrixView(shape), torch.linalg.svdvals(weight)
    a, b = balanced(weight, view, 0.5)
    k = a.shape[-1]
    assert k == int((s > 0.5 * s[0]).sum())
    assert torch.linalg.norm(view.join(a @ b) - weight) == pytest.approx(
        float(s[k:].square().sum().sqrt()), abs=1e-12
    )
    assert float(a.norm()) == pytest.approx(float(b.norm()), abs=1e-12)


def test_a_weight_of_zeros_keeps_one_singular_value_and_nan_is_refused():
    view = lowrank.MatrixView((4, 3))
    assert balanced(torch.zeros(4, 3), view, 0.15)[0].shape == (1, 4, 1)
    with pytest.raises(ValueError, match="NaN"):
        balanced(torch.full((4, 3), float("nan")), view, None)


@pytest.mark.parametrize(("world", "size", "wanted"), [
    (5, 2, [[0, 1, 2], [3, 4]]), (6, 2, [[0, 1], [2, 3], [4, 5]]), (3, 2, [[0, 1, 2]]), (1, 2, [[0]]), (2, 3, [[0, 1]]),
])  # fmt: skip
def test_groups_that_do_not_divide_the_world(world, size, wanted):
    assert groups_of(world, size) == wanted


@pytest.mark.parametrize("bad", [0, -1, 1.0, True, None])
def test_a_group_of_no_whole_number_of_ranks_is_refused(bad):
    with pytest.raises(ValueError, match="group"):
        groups_of(4, bad)


def test_the_variance_of_all_samples_is_no_mean_of_variances():
    mean, variance = pooled(torch.tensor([0.0, 0, 10, 10]), torch.full((4,), 2.0))
    assert (float(mean), float(variance)) == (5, 27)
