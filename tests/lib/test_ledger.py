"""The ledger: verdicts follow from numbers, bad input is refused, files are whole or absent."""

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
from efficient_ai.ledger import Claim, LargerHardware, Ledger, LedgerError, Rule


def make_claim(id="A", rule=None, full=None, **changes):
    rule = rule or Rule(low=1.0, seeds=3)
    return Claim(
        id=id, claim="it is faster", source="Section 1", measured="ratio",
        rules={"smoke": rule, "laptop": rule, "full": full or Rule(low=1.0, seeds=3, paper_scale=True)}, **changes,
    )  # fmt: skip


def record(values, profile="laptop", **rule):
    claim = make_claim(rule=Rule(**rule) if rule else None)
    return Ledger("demo", [claim], profile).record("A", values, seeds=range(len(values)), baseline="serial")


def test_verdict_needs_the_whole_interval():
    assert record([1.5, 1.6, 1.7, 1.8]).verdict == ledger.REPLICATED_SMALL
    assert (
        record([0.9, 1.1, 1.3, 1.2]).verdict == ledger.NOT_REPLICATED
    )  # the mean is above 1, the interval is not
    assert record([0.2, 0.3, 0.25]).verdict == ledger.NOT_REPLICATED


def test_plain_replicated_only_at_the_scale_of_the_paper():
    assert record([1.5, 1.6, 1.7], profile="full").verdict == ledger.REPLICATED
    assert record([1.5, 1.6, 1.7], profile="smoke").verdict == ledger.REPLICATED_SMALL


@pytest.mark.parametrize(("values", "holds"), [([1, 1, 1], True), ([1, 0, 1], False)])
def test_equality_rule(values, holds):
    assert (record(values, low=1, high=1, seeds=3).verdict == ledger.REPLICATED_SMALL) is holds


def test_interval_contains_statistic_and_covers_the_truth():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        value, low, high = ledger.interval(rng.normal(3, 1, 15))
        assert low <= value <= high
        hits += low <= 3 <= high
    assert hits >= 82  # nominal 95; BCa with 15 values covers about 92


@example([0.0, 0.0, 1.6319794757996575e-251], "mean")
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12), st.sampled_from(["mean", "median"]))
def test_interval_is_ordered_and_repeatable(values, statistic):
    first = ledger.interval(values, statistic)
    assert first == ledger.interval(values, statistic)
    assert first[1] <= first[2] and all(map(math.isfinite, first))


@pytest.mark.parametrize(
    ("id", "values", "seeds", "message"),
    [
        ("B", [1, 2, 3], [0, 1, 2], "no claim 'B'; it has A"),
        ("A", [1, 2], [0, 1], "2 seed.s. are too few"),
        ("A", [1, math.nan, 3], [0, 1, 2], "seed number 1 is not a finite number"),
        ("A", [1, math.inf, 3], [0, 1, 2], "not a finite number"),
        ("A", [1, 2, 3], [0, 1, 1], "different seeds"),
        ("A", [1, 2, 3], [0, 1], "different seeds"),
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


def test_rules_that_cannot_fail_are_refused():
    with pytest.raises(LedgerError, match="can fail"):
        Rule()
    with pytest.raises(LedgerError, match="can fail"):
        Rule(low=2, high=1)
    with pytest.raises(LedgerError, match="a rule for each"):
        Claim(id="A", claim="c", source="s", measured="m", rules={"smoke": Rule(low=1)})


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


def test_a_run_file_from_before_energy_was_written_is_still_read(tmp_path):
    book = Ledger("demo", [make_claim()], "laptop")
    book.record("A", [1.5, 1.6, 1.7], seeds=[4, 5, 6], baseline="serial")
    run = json.loads(book.write(tmp_path / "demo.json").read_text())
    del run["energy"]
    (tmp_path / "old.json").write_text(json.dumps(run))
    assert "energy" not in ledger.load(tmp_path / "old.json")


def test_larger_hardware_is_a_verdict_and_takes_no_value():
    book = Ledger("demo", [make_claim(full=LargerHardware("256 GPUs"))], "full")
    assert book.entries[0].verdict == ledger.NEEDS_HARDWARE
    with pytest.raises(LedgerError, match="256 GPUs"):
        book.record("A", [1, 2, 3], seeds=[0, 1, 2], baseline="serial")


def test_file_has_the_documented_shape(tmp_path):
    book = Ledger("demo", [make_claim(), make_claim("B", paper_value=2.0)], "laptop")
    book.record("A", [1.5, 1.6, 1.7], seeds=[4, 5, 6], baseline="serial <b>")
    with pytest.raises(LedgerError, match=r"no value recorded for claim.s. B"):
        book.write(tmp_path / "demo.json")
    assert not list(tmp_path.iterdir())
    book.record("B", [0.5, 0.6, 0.7], seeds=[4, 5, 6], baseline="serial")
    run = json.loads(book.write(tmp_path / "demo.json").read_text())
    assert {
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
    wanted = {
        "id",
        "claim",
        "source",
        "paper_value",
        "value",
        "low",
        "high",
        "n",
        "unit",
        "baseline",
        "rule",
        "verdict",
    }
    assert wanted <= set(run["claims"][0])
    assert [claim["verdict"] for claim in run["claims"]] == [ledger.REPLICATED_SMALL, ledger.NOT_REPLICATED]
    assert run["claims"][0]["paper_value"] == "not available" and run["claims"][1]["paper_value"] == 2.0
    assert ledger.load(tmp_path / "demo.json") == run
    assert "serial &lt;b&gt;" in book._repr_html_()


def test_load_refuses_what_is_not_a_ledger(tmp_path):
    path = tmp_path / "demo.json"
    path.write_text('{"claims": [')
    with pytest.raises(LedgerError, match="not a ledger file"):
        ledger.load(path)


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
