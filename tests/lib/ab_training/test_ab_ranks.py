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


@pytest.mark.parametrize("at", [8, 15, 22, 40])
def test_a_run_that_was_stopped_goes_on_to_the_last_bit(ranks, at):
    assert ranks(rank_runs.stop_and_go_on, at) == [True] * 4


@pytest.mark.parametrize(("when", "who"), [(14, {2, 3}), (22, {0, 1, 2, 3})])
def test_a_step_with_nan_is_skipped_by_the_group_that_shares_it(ranks, when, who):
    for rank, (finite, skipped, spread) in enumerate(ranks(rank_runs.poisoned, when)):
        assert finite and spread == 0
        assert skipped == ([when] if rank in who else [])
