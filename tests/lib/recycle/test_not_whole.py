"""Series that are not whole: late beginnings, constant parts, overlapping splits, counts, short histories."""

import numpy as np
import pytest
import torch

from efficient_ai import recycle
from efficient_ai.recycle import sources


def two(change=lambda days: days, days=240):
    """A panel of two loads of 240 days, the second one changed."""
    rng = np.random.default_rng(0)
    dates = np.datetime64("2018-01-01") + np.arange(days)
    values = rng.random((2, days, 24)) + 1
    change(values[1])
    known = [recycle.calendar(dates)] * 2
    return recycle.panel(["good", "other"], values, known, sources.shares(days))


def late(days):
    days[:100] = np.nan


def test_a_series_that_begins_later_has_a_run_up_of_its_own():
    cut = recycle.windows(two(late, 300), "train")
    mine = cut.series == 1
    assert cut.origin[mine].min() == 100 + 21 + 21 - 1, "21 days of run-up, 21 of history"
    assert torch.isfinite(cut.x).all() and (cut.profile[mine] != 0).any(dim=2).all()
    assert cut.left_out == {"good": 0, "other": 100}


def test_a_series_without_a_window_is_named():
    with pytest.raises(ValueError, match=r"'other' has no window.*leave it out"):
        recycle.windows(two(late), "train")


def test_a_history_with_too_many_missing_days_is_left_out_and_counted():
    def holes(days):
        days[60:63] = np.nan

    data = two(holes)
    cut = recycle.windows(data, (0, 240))
    mine = set(cut.origin[cut.series == 1].tolist())
    # Three of 21 historic days are more than a tenth, two are not; and no target day may be missing.
    assert 61 not in mine and 62 not in mine and 81 in mine and 80 not in mine
    assert cut.left_out["other"] == len(cut.origin[cut.series == 0]) - len(mine) > 0


@pytest.mark.parametrize(
    ("part", "scale_on"), [("train", "train"), ("valid", "each part"), ("test", "each part")]
)
def test_a_part_without_a_spread_names_the_series(part, scale_on):
    dates = np.datetime64("2018-01-01") + np.arange(100)
    split = sources.shares(100)
    for value in (3.0, np.nan):
        days = np.random.default_rng(0).random((2, 100, 24))
        days[1, slice(*getattr(split, part))] = value
        with pytest.raises(ValueError, match=f"part '{part}'.*: flat; leave it out"):
            recycle.panel(["good", "flat"], days, [recycle.calendar(dates)] * 2, split, scale_on=scale_on)


def constant_end(days):
    days[150:] = 1.5


def test_a_constant_test_part_does_not_spoil_the_scaled_error_of_the_others():
    cut = recycle.windows(two(constant_end), (192, 240))
    with pytest.warns(UserWarning, match="constant in all of these windows.*: other"):
        found = recycle.mase(cut.profile, cut)
    alone = cut.take(np.flatnonzero(cut.series == 0))
    assert np.isfinite(found).all() and np.allclose(found, recycle.mase(alone.profile, alone))
    still = cut.take(np.flatnonzero(cut.series == 1))
    with pytest.raises(ValueError, match="other; take the mean absolute error"):
        recycle.mase(still.profile, still)


@pytest.mark.parametrize("parts", [
    ((0, 180), (100, 180), (120, 180)), ((0, 10), (20, 30), (5, 9)), ((0, 0), (0, 5), (5, 9)), ((5, 2), (5, 7), (7, 9)),
    ((-3, 5), (5, 7), (7, 9)), ((0, 5.0), (5, 7), (7, 9)), ((False, 5), (5, 7), (7, 9)), ((0, 5, 6), (6, 7), (7, 9)),
])  # fmt: skip
def test_a_split_that_overlaps_is_refused(parts):
    with pytest.raises(ValueError, match="one after the other"):
        recycle.Split(*parts)


def test_a_split_beyond_the_record_and_other_dates_are_refused():
    dates = np.datetime64("2018-01-01") + np.arange(50)
    days, known = np.random.default_rng(0).random((1, 50, 24)), recycle.calendar(dates)
    with pytest.raises(ValueError, match="the same 50 days"):
        recycle.panel(["a"], days, [known], sources.shares(60))
    with pytest.raises(ValueError, match="the same 50 days"):
        recycle.panel(
            ["a", "b"], np.concatenate([days, days]), [known, recycle.calendar(dates + 1)], sources.shares(50)
        )
    with pytest.raises(ValueError, match="there twice"):
        recycle.panel(["a", "a"], np.concatenate([days, days]), [known] * 2, sources.shares(50))


def test_counts_are_averaged_as_numbers():
    days = np.repeat(np.arange(28)[:, None], 24, axis=1)
    types = np.array([0, 0, 0, 0, 0, 1, 2] * 4)
    types[16] = 2  # a holiday
    found = recycle.profile_table(days, types, 3)[20, :, 0]
    assert np.allclose(found, [50 / 3, 12, 49 / 3]), "not 16, 12, 16"
    assert np.array_equal(
        recycle.profile_table(recycle.fold(np.arange(48), 24), np.zeros(2, int))[1, 0], np.arange(24) + 12
    )


def test_the_mean_of_small_days_after_large_ones_keeps_its_digits():
    days = np.ones((20, 4))
    days[:5] = 1e17
    assert recycle.profile_table(days, np.zeros(20, int), 3)[-1, 0].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("n", [0, -1, True, 2.5])
def test_a_mean_of_no_days_is_refused(n):
    with pytest.raises(ValueError, match="at least one day"):
        recycle.profile_table(np.ones((9, 24)), np.zeros(9, int), n)


def test_types_that_are_none_are_refused():
    for types in (np.full(9, 3), np.zeros(8, int)):
        with pytest.raises(ValueError, match="one type each"):
            recycle.profile_table(np.ones((9, 24)), types)


@pytest.mark.parametrize("history", [3, 5, 6])
def test_a_history_of_less_than_a_week_has_no_week_before(history):
    recipe = recycle.Recipe(history=history, residual_input=False)
    train, valid, test = (recycle.windows(two(), part, recipe) for part in ("train", "valid", "test"))
    with pytest.raises(ValueError, match=f"history of {history}"):
        recycle.seasonal_naive(test)
    with pytest.raises(ValueError, match=f"history of {history}"):
        recycle.fit_ridge(train, valid, days=7)
    assert recycle.fit_ridge(train, valid, days=history)(test).shape == test.y.shape


def test_a_ridge_on_residuals_of_windows_without_residuals_is_refused():
    cuts = [recycle.windows(two(), part, recycle.Recipe(residual_input=False)) for part in ("train", "valid")]
    with pytest.raises(ValueError, match="residual_input=True"):
        recycle.fit_ridge(*cuts, residual=True)


@pytest.mark.parametrize(
    "wrong", [dict(history=0), dict(forecast=True), dict(n=2.0), dict(n=0), dict(variant="next")]
)
def test_a_recipe_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match=r"at least 1|unknown variant"):
        recycle.Recipe(**wrong)


@pytest.mark.parametrize(("part", "stride"), [("future", 1), ((-5, 90), 1), ((0, 900), 1), ((90, 90), 1), ("train", 0), ("train", True)])  # fmt: skip
def test_a_part_or_a_stride_that_is_none_is_refused(part, stride):
    with pytest.raises(ValueError, match=r"unknown part|the record has|the stride"):
        recycle.windows(two(), part, stride=stride)
