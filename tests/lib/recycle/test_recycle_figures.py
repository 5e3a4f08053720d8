"""Figures and sentences: within the budget of a page, and words that follow from the numbers."""

import numpy as np
import plotly.io as pio
import pytest
import torch

from efficient_ai import recycle
from efficient_ai.recycle import figures
from efficient_ai.recycle.figures import _fold, _palette, _readings


def test_only_the_true_cycle_and_its_multiples_leave_little_inside_the_columns():
    hours = _fold.hours()
    shares = {width: figures.inside_share(hours, width) for width in figures.WIDTHS}
    true = {24, 48, 168}
    assert max(shares[w] for w in true) < 0.5 < 0.9 < min(shares[w] for w in shares if w not in true)


@pytest.mark.parametrize("width", [20, 24, 168])
def test_fold_figure_draws_whole_rows(width):
    fig, said = figures.fold_figure(width)
    assert np.shape(fig.data[1].z) == (2016 // width, width) and f"Rows of {width} hours" in said


def test_the_profile_explorer_shows_holidays_and_fits_a_page():
    known, unknown = (
        np.abs(np.subtract(*figures.left_over(3, "last", t)))[2].mean() for t in figures.TWISTS[1:3]
    )
    assert known < 0.5 * unknown, "a holiday in the calendar is followed"
    size = 0
    for n in figures.COUNTS:
        for variant in figures.VARIANTS:
            fig, _ = figures.profile_figure(n, variant, figures.TWISTS[0])
            fig.update_layout(template=None)
            size += len(pio.to_json(fig, validate=False)) * len(figures.TWISTS)
    assert size < 300_000


def test_attention_rows_sum_to_one_and_leave_the_forecast_alone():
    model = recycle.build("ReCycle", 24, 0).eval()
    x = torch.randn(3, 28, 33, generator=torch.Generator().manual_seed(0))
    before = model(x)
    weights = figures.attention(model, x)
    assert weights.shape == (3, 7, 21) and torch.allclose(weights.sum(-1), torch.ones(3, 7), atol=1e-5)
    assert torch.equal(model(x), before)


def plain(value):
    return recycle.Plain(np.full(7, value), np.full(7, value), np.full(1, value))


def result(value, curve=(2.0, 1.0)):
    job = recycle.Job("europe", "ReCycle", 0, recycle.Budget())
    days = np.full(7, value)
    return recycle.Result(
        job,
        days,
        days,
        list(curve),
        1,
        20_312,
        1,
        1,
        1.0,
        1.0,
        "estimated:cpu-time",
        0.5,
        days,
        days[:1],
        days[:1],
    )


def test_better_by_is_per_cent_below_and_pairs_seeds():
    mine, theirs = [result(0.9), result(0.5)], [result(1.0), result(1.0)]
    assert np.allclose(figures.better_by(mine, theirs), [10, 50])
    assert np.allclose(figures.better_by(mine, plain(1.0)), [10, 50])


def contest(ours, raw):
    return {
        "ReCycle": [result(v) for v in ours],
        "ReCycle, zero head": [result(v) for v in ours],
        "days, no residual": [result(v) for v in raw],
    }


@pytest.mark.parametrize(
    ("ours", "linear", "says"),
    [
        ((0.69, 0.70, 0.71), 0.6, "A linear map in closed form beats the best ReCycle variant"),
        ((0.49, 0.50, 0.51), 0.6, "The best ReCycle variant beats a linear map"),
        ((0.55, 0.60, 0.65), 0.6, "A linear map in closed form is as good as"),
    ],
)
def test_the_first_sentence_follows_from_the_numbers(ours, linear, says):
    without = {"ridge with profile and calendar": plain(linear), "profile": plain(0.73)}
    text = figures.opening(contest(ours, (0.8, 0.81, 0.82)), without)
    assert says in text and "is better than its own profile" in text
    worse = figures.opening(contest((0.9, 0.91, 0.92), (0.8, 0.81, 0.82)), without)
    assert "is worse than its own profile" in worse and "above it" in worse


def test_worst_ratio_includes_the_untrained_network():
    assert figures.worst_ratio([result(1.0, curve=(3.0, 0.4, 0.6))]) == [6.0]


def test_every_method_has_a_colour():
    names = [*recycle.METHODS, "ridge", "ridge on residuals", "profile", "persistence", "last week"]
    assert all(_palette.paint(name).startswith("#") for name in names)


def test_few_days_reading_says_where_the_curves_cross():
    few = {"net": {30: [result(2.0)], 60: [result(0.5)]}}
    for results in few["net"].values():
        for r in results:
            r.profile_mase = np.full(7, 1.0)
    assert "below the profile from 60 training days on" in _readings.few_days_reading(few)


def test_the_cost_figure_names_every_method_and_the_best_one():
    methods = contest((0.7, 0.71, 0.72), (0.8, 0.81, 0.82)) | {"profile": plain(0.75), "ridge": plain(0.6)}
    fig, said = figures.cost_figure({"countries": methods})("countries")
    assert {trace.text[0] for trace in fig.data} == set(methods)
    assert "the smallest error has ridge (0.600)" in said and "'ReCycle'" in said
    table = figures.results_table(methods)
    assert table["method"][0] == "ridge" and table["seeds"][0] == "no randomness"
