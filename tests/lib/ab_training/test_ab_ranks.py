"""The method on four ranks."""

import pytest
import rank_runs

from efficient_ai.parallel import RankError  # noqa: F401


@pytest.mark.parametrize(("mode", "group", "row"), [
    ("with-stale", 2, (4.31, 0.26)), ("full", 2, (4.30, 0.25)), ("only-learned", 2, (4.64, 0.54)),
    ("only-b", 2, (4.40, 0.40)), ("with-stale", 4, (4.40, 0.40)),
])  # fmt: skip
def test_the_worked_example_by_messages(ranks, mode, group, row):
    found = ranks(rank_runs.merge_of_the_worked_example, mode, group)
    assert found[0][0] == pytest.approx(row, abs=1e-12)
    assert all(rank == found[0] for rank in found)


@pytest.mark.parametrize("kind", ["ab", "local"])
@pytest.mark.parametrize("histories", ["average", "reset"])
def test_replicas_stay_one_model_through_the_steps_together(ranks, kind, histories):
    together, apart = ranks(rank_runs.drift, kind, histories)[0]
    assert together == [0.0] * 15 and apart[0] > 0


@pytest.mark.parametrize(
    ("at", "which"),
    [(8, "AB"), (15, "AB"), (22, "AB"), (40, "AB"), (15, "PowerSGD"), (15, "DiLoCo"), (22, "DiLoCo")],
)
def test_a_run_that_was_stopped_goes_on_to_the_last_bit(ranks, at, which):
    assert ranks(rank_runs.stop_and_go_on, at, which) == [True] * 4


def test_power_sgd_owes_what_it_did_not_send_and_sends_what_it_says(ranks):
    for difference, replicas, between in ranks(rank_runs.what_powersgd_sends):
        assert difference < 1e-12 and replicas == 0
        thin, plain = 2 * (7 + 9) * 8, (5 + 4 + 2) * 8 + 4  # bytes; a flag of each weight travels, too
        assert between == 4 * 2 * (thin + plain)


@pytest.mark.parametrize(("when", "who"), [(14, {2, 3}), (22, {0, 1, 2, 3})])
def test_a_step_with_nan_is_skipped_by_the_group_that_shares_it(ranks, when, who):
    for rank, (finite, skipped, spread) in enumerate(ranks(rank_runs.poisoned, when)):
        assert finite and spread == 0
        assert skipped == ([when] if rank in who else [])
