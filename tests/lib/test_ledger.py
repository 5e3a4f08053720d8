"""The ledger: verdicts follow from numbers, intervals keep their level, bad input is refused, files are whole or absent."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from efficient_ai import ledger
from efficient_ai.ledger import (
    Claim,
    Experiment,
    LargerHardware,
    Ledger,
    LedgerError,
    Measured,
    Published,
    Rule,
)


def make_claim(id="A", rule=None, full=None, kind="ours", **changes):
    rule = rule or Rule(low=1.0, n=3)
    return Claim(
        id=id, kind=kind, claim="it is faster", source="Section 1", measured="ratio",
        rules={"smoke": rule, "laptop": rule, "full": full or Rule(low=1.0, n=3, paper_scale=True)}, **changes,
    )  # fmt: skip


def judge(values, *, low=-math.inf, high=math.inf, n=3, **changes):
    rule = Rule(low=low, high=high, n=n)
    return ledger.judge(make_claim(rule=rule, full=rule, **changes), rule, values)


def record(values, profile="laptop", claim=None):
    return Ledger("demo", [claim or make_claim()], profile).record(
        "A", values, seeds=range(len(values)), baseline="serial"
    )


# ----- verdicts at their edges: values with mean m and an interval of half width h, made exactly


def spread(middle, half, n=5):
    """``n`` values with this mean whose 95 % interval ends at ``middle ± half``."""
    unit = np.linspace(-1, 1, n)
    _, low, high = ledger.interval(unit)
    return middle + unit * half / ((high - low) / 2)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.5, 2.5, ledger.REPLICATED_SMALL),
        (1.1, math.inf, ledger.UNDECIDED),  # the lower bound lies inside the interval
        (-math.inf, 1.9, ledger.UNDECIDED),  # the upper one does
        (1.1, 1.9, ledger.UNDECIDED),  # both do
        (2.1, math.inf, ledger.NOT_REPLICATED),
        (-math.inf, 0.9, ledger.NOT_REPLICATED),
        (0.1, 0.9, ledger.NOT_REPLICATED),
        (2.1, 3.0, ledger.NOT_REPLICATED),
        (0.5, 1.5, ledger.UNDECIDED),  # a verdict that forgets its upper bound would say yes
        (1.5, 2.5, ledger.UNDECIDED),
    ],
)
def test_a_verdict_looks_at_both_bounds_and_at_the_whole_interval(low, high, verdict):
    values = spread(1.5, 0.5)  # interval [1, 2]
    assert judge(values, low=low, high=high).verdict == verdict


def test_an_interval_that_touches_a_bound_from_inside_holds_and_from_outside_is_open():
    low, high = ledger.interval(spread(1.5, 0.5))[1:]
    assert judge(spread(1.5, 0.5), low=low).verdict == ledger.REPLICATED_SMALL
    assert judge(spread(1.5, 0.5), high=high).verdict == ledger.REPLICATED_SMALL
    assert judge(spread(1.5, 0.5), low=high).verdict == ledger.UNDECIDED
    assert judge(spread(1.5, 0.5), high=low).verdict == ledger.UNDECIDED
    assert judge(spread(1.5, 0.5), low=np.nextafter(high, 9)).verdict == ledger.NOT_REPLICATED


def test_the_row_that_was_called_not_replicated_is_undecided():
    """0.015 [-0.003, 0.033] against "at least 0": the interval contains the bound."""
    found = judge(spread(0.015, 0.018, n=3), low=0.0)
    assert found.verdict == ledger.UNDECIDED and "contains the bound 0" in found.why


def test_an_open_verdict_says_how_many_repeats_would_decide_it_and_they_do():
    values = spread(0.015, 0.018, n=3)
    why = judge(values, low=0.0).why
    n = int(why.split("n = ")[1].split()[0])
    half = (n - 1) / n * np.var(values, ddof=1)  # the same spread at n values
    more = spread(0.015, 1, n)
    more = 0.015 + (more - 0.015) * math.sqrt(half / np.var(more))
    assert judge(more, low=0.0).verdict == ledger.REPLICATED_SMALL
    assert "10,000" in judge([1.0, 2.0, 3.0], low=2.0).why
    # A median is not moved by one wild value, nor is the number of repeats that it needs.
    timings = [0.8, 0.82, 0.84, 0.86, 0.88, 0.9, 1.02, 1.1, 60.0]
    assert "n = " in judge(timings, low=1.0, statistic="median").why


def test_too_few_repeats_leave_it_open_and_a_single_one_has_no_interval():
    assert judge([5.0, 5.1], low=1).verdict == ledger.UNDECIDED
    single = judge([5.0], low=1)
    assert single.verdict == ledger.UNDECIDED and single.low is None and "1 of 3 seeds" in single.why
    assert "2 of 3 days" in judge([5.0, 5.1], low=1, repeats="days").why


def test_equal_values_are_shown_as_a_single_value():
    entry = record([1.5, 1.5, 1.5])
    assert entry.verdict == ledger.REPLICATED_SMALL and entry.interval == ""
    assert ledger.format_value(vars(entry)) == "1.5"
    assert "[" in ledger.format_value(vars(record([1.5, 1.6, 1.7])))


def test_plain_replicated_only_at_the_scale_of_the_paper():
    assert record([1.5, 1.6, 1.55], profile="full").verdict == ledger.REPLICATED
    assert record([1.5, 1.6, 1.55], profile="smoke").verdict == ledger.REPLICATED_SMALL


@pytest.mark.parametrize(
    ("values", "verdict", "shown"),
    [([1, 1, 1], ledger.HOLDS, 1), ([1, 0.99, 1], ledger.FAILS, 0.99), ([1, 1, 1.2], ledger.FAILS, 1.2)],
)
def test_a_property_must_hold_for_every_value_and_shows_the_worst(values, verdict, shown):
    found = judge(values, low=1, high=1, kind="property")
    assert (found.verdict, found.value) == (verdict, shown)
    # The mean of a thousand good values must not hide a bad one.
    assert judge([*[0.0] * 1000, 1.0], high=1e-9, kind="property").verdict == ledger.FAILS


def test_a_property_with_too_few_values_is_open_unless_one_of_them_breaks_it():
    assert judge([1.0], low=1, high=1, n=3, kind="property").verdict == ledger.UNDECIDED
    assert judge([2.0], low=1, high=1, n=3, kind="property").verdict == ledger.FAILS


def test_exact_values_are_judged_one_by_one_with_the_words_of_a_claim():
    assert judge([1.0], low=1, n=1, exact=True).verdict == ledger.REPLICATED_SMALL
    assert judge([0.9, 1.2], low=1, n=1, exact=True).verdict == ledger.NOT_REPLICATED


@pytest.mark.parametrize(
    ("low", "verdict"),
    [(1.0, ledger.SHOWN_ON_MODEL), (2.0, ledger.UNDECIDED), (4.0, ledger.NOT_REPLICATED)],
)
def test_what_follows_from_assumptions_is_never_called_replicated(low, verdict):
    draws = np.linspace(1.0, 3.0, 1000)
    claim = make_claim(
        rule=Rule(low=low), assumption="idle boards draw nothing", repeats="draws of assumptions"
    )
    entry = record(draws, claim=claim)
    assert entry.verdict == verdict
    assert (entry.low, entry.high, entry.interval) == (1.0, 3.0, "range of assumptions")


# ----- intervals


@pytest.mark.parametrize("n", [3, 4, 5, 6, 8, 12, 20, 30])
@pytest.mark.parametrize("statistic", ["mean", "median", "geometric mean"])
def test_an_interval_covers_the_truth_in_93_of_100_cases_or_more(n, statistic):
    rng = np.random.default_rng(n)
    draws = rng.normal(3, 1, (2000, n))
    truth = 3.0
    if statistic == "geometric mean":
        draws, truth = np.exp(draws), math.exp(3)
    found = [ledger.interval(row, statistic) for row in draws]
    assert all(low <= value <= high for value, low, high in found)
    assert np.mean([low <= truth <= high for _, low, high in found]) >= 0.93


@pytest.mark.parametrize(("seeds", "units"), [(3, 5), (5, 20), (10, 4), (4, 50)])
@pytest.mark.parametrize(("of_seeds", "of_units"), [(1.0, 0.1), (0.1, 1.0), (1.0, 1.0), (0.0, 1.0)])
def test_a_matrix_has_the_noise_of_seeds_and_of_the_test_set(seeds, units, of_seeds, of_units):
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        values = rng.normal(0, of_seeds, (seeds, 1)) + rng.normal(0, of_units, (1, units))
        _, low, high = ledger.interval(values + rng.normal(0, 0.3, (seeds, units)))
        hits += low <= 0 <= high
    assert hits >= 930


def test_an_interval_is_students_own():
    from scipy.stats import t

    values = [1.0, 2.0, 4.0, 8.0]
    low, high = t.interval(0.95, 3, loc=np.mean(values), scale=np.std(values, ddof=1) / 2)
    assert ledger.interval(values) == pytest.approx((3.75, low, high))
    assert ledger.interval([0.5, 2.0], "geometric mean")[0] == pytest.approx(1.0)
    assert ledger.interval(list(range(1, 10)), "median") == (5, 2, 8)  # order statistics 2 and 8 of nine


@example([0.0, 0.0, 1.6319794757996575e-251], "mean")
@example([0.1, 0.1, 0.1], "mean")
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12),
    st.sampled_from(["mean", "median", "geometric mean"]),
)
def test_interval_is_ordered_and_repeatable(values, statistic):
    if statistic == "geometric mean":
        values = [abs(value) + 1e-3 for value in values]
    first = ledger.interval(values, statistic)
    assert first == ledger.interval(values, statistic)
    value, low, high = first
    assert low <= value <= high and all(map(math.isfinite, first))
    if len(set(values)) == 1:
        assert low == high


@pytest.mark.parametrize("values", [[], [[]], [math.nan], [1, math.inf], "abc", [[1, 2], [3]], 3.0, [[[1]]]])
def test_an_interval_of_what_is_no_list_of_numbers_is_refused(values):
    with pytest.raises(LedgerError):
        ledger.interval(values)


def test_a_geometric_mean_of_what_is_not_positive_is_refused():
    with pytest.raises(LedgerError, match="positive"):
        ledger.interval([1.0, 0.0], "geometric mean")


def test_the_stated_coverage_is_computed():
    normal = ledger.coverage(lambda rng, shape: rng.normal(0, 1, shape), 0.0, 3)
    skewed = ledger.coverage(lambda rng, shape: rng.lognormal(0, 1, shape), math.exp(0.5), 3)
    assert 0.94 < normal < 0.96 and skewed < 0.93


# ----- what is refused


@pytest.mark.parametrize(
    ("id", "values", "seeds", "message"),
    [
        ("B", [1, 2, 3], [0, 1, 2], "no claim 'B'; it has A"),
        ("A", [1, math.nan, 3], [0, 1, 2], "repeat number 1 is not a finite number"),
        ("A", [1, math.inf, 3], [0, 1, 2], "not a finite number"),
        ("A", [[1, 2], [math.nan, 3]], [0, 1], "repeat number 1 is not a finite number"),
        ("A", [1, 2, 3], [0, 1, 1], "different seeds"),
        ("A", [1, 2, 3], [0, 1], "different seeds"),
        ("A", [], [], "list of numbers"),
        ("A", ["fast", "slow"], [0, 1], "give numbers"),
        ("A", [[1, 2], [3]], [0, 1], "without gaps"),
        ("A", 3.0, [0], "list of numbers"),
    ],
)
def test_refused(id, values, seeds, message):
    with pytest.raises(LedgerError, match=message):
        Ledger("demo", [make_claim()], "laptop").record(id, values, seeds=seeds, baseline="serial")


def test_refuses_missing_baseline_and_unknown_profile():
    with pytest.raises(LedgerError, match="baseline"):
        Ledger("demo", [make_claim()], "laptop").record("A", [1, 2, 3], seeds=[0, 1, 2], baseline=" ")
    with pytest.raises(LedgerError, match="unknown profile"):
        Ledger("demo", [make_claim()], "huge")
    with pytest.raises(LedgerError, match="share an id"):
        Ledger("demo", [make_claim(), make_claim()], "laptop")


@pytest.mark.parametrize("bounds", [{}, {"low": 2, "high": 1}, {"low": 1, "n": 0}, {"low": math.nan}])
def test_rules_that_cannot_fail_are_refused(bounds):
    with pytest.raises(LedgerError):
        Rule(**bounds)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "nonsense"}, "kind 'nonsense' is not one of"),
        ({"kind": "abstract"}, "names its sentence"),
        ({"sentence": "s1"}, "names its sentence"),
        ({"statistic": "mode"}, "statistic 'mode'"),
        ({"repeats": " "}, "repeats of"),
        ({"kind": "property", "assumption": "x"}, "neither a property"),
        ({"rule": Rule(low=1, n=1)}, "one value has no interval"),
    ],
)
def test_claims_that_say_too_little_are_refused(changes, message):
    with pytest.raises(LedgerError, match=message):
        make_claim(**changes)


def test_every_sentence_of_an_abstract_needs_a_claim_and_every_claim_a_known_sentence():
    one, two = ledger.Sentence("s1", "it is fast"), ledger.Sentence("s2", "it is small")
    claim = make_claim(kind="abstract", sentence="s1")
    ledger.check([claim], [one])
    with pytest.raises(LedgerError, match="without a claim: s2"):
        ledger.check([claim], [one, two])
    with pytest.raises(LedgerError, match="has not: s1"):
        ledger.check([claim], [two])
    with pytest.raises(LedgerError, match="two sentences share"):
        ledger.check([claim], [one, one])


# ----- beside the paper


@pytest.mark.parametrize(
    ("published", "ratio", "direction"),
    [
        (Published(2.0, neutral=1), 0.75, "same"),
        (Published(0.5, neutral=1), 3.0, "opposite"),
        (Published(2.0), 0.75, None),
        (Published(0.0, neutral=0), None, None),
        (ledger.NOT_READABLE, None, None),
    ],
)
def test_ratio_and_direction_beside_the_published_number(published, ratio, direction):
    entry = record([1.5, 1.5, 1.5], claim=make_claim(published=published))
    assert (entry.ratio, entry.direction) == (ratio, direction)
    assert entry.paper_value == published.value and entry.paper_note == published.which


# ----- files


def test_a_run_file_says_what_the_run_took_and_where_that_number_comes_from(tmp_path):
    book = Ledger("demo", [make_claim()], "laptop")
    book.record("A", [1.5, 1.6, 1.7], seeds=[4, 5, 6], baseline="serial")
    sum(i * i for i in range(200_000))
    run = ledger.load(book.write(tmp_path / "demo.json"))
    used = run["energy"]
    assert used["joules"] > 0 and used["low"] <= used["joules"] <= used["high"]
    assert used["source"].startswith(("measured:", "estimated:")) and "g/kWh" in used["intensity"]
    assert used["watts"] == pytest.approx(used["joules"] / used["seconds"])
    assert used["notes"] or used["source"].startswith("measured:"), (
        "an estimate says why there is nothing better"
    )


def test_larger_hardware_is_a_verdict_and_takes_no_value():
    book = Ledger("demo", [make_claim(full=LargerHardware("256 GPUs"))], "full")
    assert book["A"].verdict == ledger.NEEDS_HARDWARE
    with pytest.raises(LedgerError, match="256 GPUs"):
        book.record("A", [1, 2, 3], seeds=[0, 1, 2], baseline="serial")


def test_file_has_every_value_and_the_documented_shape(tmp_path):
    book = Ledger("demo", [make_claim(), make_claim("B", published=Published(2.0, "of three"))], "laptop")
    book.record("A", [[1.5, 1.6], [1.7, 1.8]], seeds=[4, "five"], baseline="serial <b>", recorded="x.json")
    with pytest.raises(LedgerError, match=r"no value recorded for claim.s. B"):
        book.write(tmp_path / "demo.json")
    assert not list(tmp_path.iterdir())
    book.record("B", np.array([0.5, 0.6, 0.55]), seeds=np.arange(3), baseline="serial")
    run = json.loads(book.write(tmp_path / "demo.json").read_text())
    assert {
        "schema",
        "chapter",
        "profile",
        "commit",
        "machine",
        "date",
        "seconds",
        "peak_memory_mb",
        "versions",
        "energy",
        "claims",
    } == set(run)
    first, second = run["claims"]
    assert first["values"] == [[1.5, 1.6], [1.7, 1.8]] and first["seeds"] == [4, "five"]
    assert first["recorded"] == "x.json" and first["n"] == 2
    assert second["values"] == [0.5, 0.6, 0.55] and second["seeds"] == [0, 1, 2]
    assert (second["paper_value"], second["paper_note"]) == (2.0, "of three")
    assert [claim["verdict"] for claim in run["claims"]] == [ledger.UNDECIDED, ledger.NOT_REPLICATED]
    assert ledger.load(tmp_path / "demo.json") == run
    page = book._repr_html_()
    assert "serial &lt;b&gt;" in page and "recorded</strong>: x.json" in page and "n = 3 seeds (few)" in page
    again = ledger.interval(first["values"])
    assert again == (first["value"], first["low"], first["high"]), "anybody can compute it again"


def test_load_refuses_what_is_not_a_ledger(tmp_path):
    path = tmp_path / "demo.json"
    with pytest.raises(LedgerError, match="execute the chapter first"):
        ledger.load(path)
    for text, message in (
        ('{"claims": [', "not a ledger file"),
        ("[]", "not a ledger file"),
        ('{"claims": []}', "other rules"),
        ('{"schema": 2, "claims": [{"id": "A"}]}', "not a ledger file"),
    ):
        path.write_text(text)
        with pytest.raises(LedgerError, match=message):
            ledger.load(path)


@pytest.mark.parametrize(("key", "value"), [("verdict", "fine"), ("kind", "other"), ("value", math.nan)])
def test_load_refuses_rows_that_say_what_no_run_writes(tmp_path, key, value):
    book = Ledger("demo", [make_claim()], "laptop")
    book.record("A", [1.5, 1.6, 1.7], seeds=[4, 5, 6], baseline="serial")
    run = json.loads(book.write(tmp_path / "demo.json").read_text())
    run["claims"][0][key] = value
    (tmp_path / "demo.json").write_text(json.dumps(run))
    with pytest.raises(LedgerError, match="claim A"):
        ledger.load(tmp_path / "demo.json")


def test_write_survives_a_kill(tmp_path):
    """Kill a process that writes the same file again and again: what is left is always a whole file."""
    path = tmp_path / "demo.json"
    code = f"""
        from pathlib import Path
        from efficient_ai.provenance import write_json
        n = 0
        while True:
            n += 1
            write_json(Path({str(path)!r}), {{"n": n, "filler": ["x" * 100] * 2000}})
    """
    for wait in (0.05, 0.11, 0.17):
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=os.environ)
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(json.loads(path.read_text())["filler"]) == 2000


# ----- one experiment, several claims; agreement with the record


def test_an_experiment_answers_its_claims():
    experiment = Experiment(
        "double", lambda size: size * 2, {"A": lambda r: Measured([r, r + 0.1, r + 0.2], [0, 1, 2], "serial")}
    )
    book = Ledger("demo", [make_claim()], "laptop")
    assert book.take(experiment, experiment.run(2))["A"].n == 3
    assert ledger.find([experiment], "A") is experiment
    with pytest.raises(LedgerError, match="no experiment answers claim 'Z'"):
        ledger.find([experiment], "Z")


def row(value, low, high, verdict, kind="ours", interval="95 %"):
    return {"value": value, "low": low, "high": high, "verdict": verdict, "kind": kind, "interval": interval}


@pytest.mark.parametrize(
    ("ours", "record", "expected"),
    [
        (row(1, 0.9, 1.1, ledger.REPLICATED_SMALL), row(1.05, 1, 1.2, ledger.REPLICATED), ledger.AGREES),
        (row(1, 0.9, 1.1, ledger.UNDECIDED), row(1.05, 1, 1.2, ledger.REPLICATED_SMALL), ledger.WITHIN),
        (row(1, 0.9, 1.1, ledger.UNDECIDED), row(2, 1.9, 2.2, ledger.UNDECIDED), ledger.DIFFERS),
        (row(2, 1.9, 2.1, ledger.UNDECIDED), row(1, 0.9, 1.1, ledger.UNDECIDED), ledger.DIFFERS),
        (
            row(1, 1, 1, ledger.HOLDS, "property", ""),
            row(1, 1, 1, ledger.FAILS, "property", ""),
            ledger.DIFFERS,
        ),
        (row(1, 1, 2, ledger.HOLDS, "property"), row(1, 3, 4, ledger.HOLDS, "property"), ledger.AGREES),
        (
            row(1, None, None, ledger.UNDECIDED, interval=""),
            row(1.05, 1, 1.2, ledger.UNDECIDED),
            ledger.AGREES,
        ),
        (
            row(None, None, None, ledger.NEEDS_HARDWARE),
            row(None, None, None, ledger.NEEDS_HARDWARE),
            ledger.AGREES,
        ),
        (row(1, 0.9, 1.1, ledger.UNDECIDED), None, ledger.NOT_RECORDED),
    ],
)
def test_agreement_with_a_record(ours, record, expected):
    assert ledger.agreement(ours, record) == expected
