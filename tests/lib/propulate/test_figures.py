"""Figures of the chapter against known answers."""

import numpy as np
import pytest

from efficient_ai.propulate import durations, figures, schedule
from efficient_ai.propulate.figures import _knowledge


def test_mail_is_opened_when_an_own_evaluation_ends():
    """Two workers; durations by hand: worker 0 ends at 1, 2, 3 and worker 1 at 2.5."""
    plan = schedule([1, 2.5, 1, 1], 2, synchronous=False)
    when = _knowledge.taken_in(plan, delay=0.0)
    assert when[0].tolist() == [1, 3, 2, 3]
    assert when[1].tolist() == [2.5, 2.5, 2.5, np.inf]  # the last one ends after worker 1's last look
    late = _knowledge.taken_in(plan, delay=1.0)
    assert late[1].tolist() == [2.5, 2.5, np.inf, np.inf] and late[0, 1] == np.inf


def test_without_delay_a_worker_that_breeds_knows_all_that_is_evaluated():
    plan = schedule(durations(60, 1.0, np.random.default_rng(0)), 4, synchronous=False)
    assert _knowledge.missing_at_birth(plan, 0.0) == 0
    missing = [_knowledge.missing_at_birth(plan, delay) for delay in (0.5, 1.0, 2.0)]
    assert 0 < missing[0] < missing[1] < missing[2]
    # Little's law: the others finish (W - 1) / 1 per unit of time, so about 3 per unit of delay are under way
    assert missing[1] == pytest.approx(3, abs=0.8)


def test_the_picture_shows_what_the_readout_counts():
    fig, readout = figures.knowledge(time=4, delay=1.0)
    known = (np.asarray(fig.data[0].z) == 3).sum(axis=1)
    assert ", ".join(map(str, known)) in readout


def test_wins_by_hand():
    assert figures.wins([1, 2, 3], [2, 2, 1]) == [1, 0.5, 0]
    losses = {"f": {"a": [1, 2], "b": [2, 1]}, "g": {"a": [1, 5], "b": [2, 5]}}
    assert figures.mean_wins(losses, "a", "b") == [1, 0.25]


def test_two_samples_of_one_law_win_equally_often():
    rng = np.random.default_rng(0)
    losses = {f"f{i}": {"a": rng.random(40), "b": rng.random(40)} for i in range(9)}
    assert np.mean(figures.mean_wins(losses, "a", "b")) == pytest.approx(0.5, abs=0.08)
    better = {"f": {"a": rng.random(40), "b": rng.random(40) + 2}}
    assert set(figures.mean_wins(better, "a", "b")) == {1.0}
    assert figures.quartiles([1, 2, 3, 4, 5]) == "3 [2, 4]"


def test_wilson_against_the_textbook():
    """Wilson (1927): 3 of 20 gives 5.2 % to 36.0 %, none of 20 gives 0 to 16.1 %."""
    assert figures.wilson([True] * 3 + [False] * 17) == pytest.approx((0.15, 0.0524, 0.3604), abs=1e-4)
    assert figures.wilson([False] * 20) == pytest.approx((0, 0, 0.1611), abs=1e-4)


def test_position_between_the_funnels():
    from efficient_ai.propulate import FUNCTIONS
    from efficient_ai.propulate.figures._islands import between_funnels

    bisphere = FUNCTIONS["bisphere"]
    assert between_funnels(bisphere, bisphere.second) == pytest.approx(0)
    assert between_funnels(bisphere, bisphere.minimiser) == pytest.approx(1)


def test_nobody_travels_with_probability_zero_and_topologies_differ():
    fig, readout = figures.archipelago("ring", "migration", 0.0, 80)
    assert "0 moves" in readout and "0 of the 100 drawn were born elsewhere" in readout
    assert "0 moves" not in figures.archipelago("all to all", "migration", 0.9, 80)[1]
    assert np.asarray(fig.data[-1].z).sum() == 4


def test_time_to_find_by_hand():
    """Four candidates; the best one takes 2 h. One worker finds it at the latest after all four."""
    from efficient_ai.propulate import Ordinal, Space, default_propagator, simulate
    from efficient_ai.propulate.tables import Table

    table = Table(
        "demo", Space({"a": Ordinal(1, 2, 3, 4)}), np.array([0.4, 0.3, 0.2, 0.1]), np.full(4, 7200.0)
    )
    runs = [
        simulate(table.space, table, default_propagator(table.space, 2), workers=1, evaluations=40, seed=s)
        for s in range(3)
    ]
    fig, readout = figures.time_to_find({"asynchronous": {1: runs}}, table, 0.01)
    hours = sorted(run.seconds_to(0.1) / 3600 for run in runs)
    assert fig.data[0].y[0] == pytest.approx(hours[1]) and "none" not in readout
