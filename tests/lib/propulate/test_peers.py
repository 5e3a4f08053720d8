"""Reading the recorded benchmark, and the figures drawn from it."""

import json

import numpy as np
import pytest

from efficient_ai._paths import project_root
from efficient_ai.propulate import figures, peers


def row(side, function, evaluations, processes, seconds, part="overhead"):
    windows = {str(n): 1000 * seconds[0] / evaluations for n in (100, evaluations)}
    repeats = [{"repeat": i, "done": evaluations, "seconds": s} for i, s in enumerate(seconds)]
    return {
        "part": part, "side": side, "function": function, "evaluations": evaluations, "processes": processes,
        "ms": float(np.median([1000 * s / evaluations for s in seconds])), "windows": windows, "repeats": repeats,
    }  # fmt: skip


@pytest.fixture
def record(tmp_path):
    """Ours at 0.1 ms, TPE with a journal at 2 ms, SQLite at 30 ms, on both free functions."""
    rows = []
    for function in figures.FUNCTIONS:
        rows.append(row("ours", function, 400, 2, [0.04, 0.05, 0.03]))
        rows.append(row("ours-checkpoint", function, 400, 2, [0.08, 0.1, 0.06]))
        rows.append(row("cmaes-memory", function, 400, 2, [0.4]))
        rows += [row("ours", function, 100_000, 2, [10.0], "growth")]
        for side, seconds in (
            ("tpe-journal", 0.8),
            ("cmaes-journal", 0.6),
            ("random-journal", 0.4),
            ("tpe-sqlite", 12.0),
        ):
            rows.append(row(side, function, 400, 2, [seconds, 2 * seconds, seconds / 2]))
    ratios = [
        {"side": "tpe-sqlite", "function": f, "evaluations": 400, "done": 400, "processes": 2, "ratio": 300.0,
         "cpu_ratio": 250.0, "ratio_checkpoint": 150.0, "break_even_s": {"1%": 6.0, "10%": 0.6}}
        for f in figures.FUNCTIONS
    ]  # fmt: skip
    falling = {
        "n": [1, 100, 400],
        "processes": 1,
        "best": [[9.0, 4.0, 1.0], [8.0, 3.0, 2.0], [7.0, 5.0, 3.0]],
    }
    sides = ("ours", "tpe-memory", "cmaes-memory", "random-memory")
    report = {
        "machine": "a machine", "date": "2026-11-24 04:00", "overhead": rows, "ratios": ratios,
        "required": [{"rule": "flat", "at_most": 1.5, "value": 1.1, "holds": True}],
        "defects": {"better_parent_share": 0.05, "misread_categories": 0.5},
        "quality": {function: dict.fromkeys(sides, falling) for function in figures.CONTEST},
    }  # fmt: skip
    (tmp_path / "record.json").write_text(json.dumps(report))
    return peers.Record.load(tmp_path / "record.json")


def test_ratios_are_taken_over_our_median(record):
    assert record.milliseconds("ours", "sphere", 400, 2) == pytest.approx([0.1, 0.125, 0.075])
    assert record.ratios("cmaes-memory", "sphere", 400, 2) == pytest.approx([10])
    assert record.ratios("tpe-journal", "sphere", 400, 2) == pytest.approx([10, 20, 5])  # both write files
    with pytest.raises(KeyError, match="not in the record"):
        record.row("tpe-journal", "sphere", 4000, 2)
    assert record.where == "a machine, 2026-11-24"


def test_growth_comes_from_the_longest_run(record):
    assert max(record.growth("ours", "sphere", 2)) == 100_000
    assert record.growth("nobody", "sphere", 2) == {}


def test_a_missing_record_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"benchmarks/propulate\.py"):
        peers.Record.load(tmp_path / "none.json")


def test_time_in_the_contest_is_price_and_overhead(record):
    """400 evaluations by two processes: 400 (1 s / 2 + 2 ms) for TPE, 400 (1 s / 2 + 0.1 ms) for ours."""
    fig, readout = figures.contest(figures.recorded(record, "rastrigin"), 1.0)
    lines = {trace.name: trace for trace in fig.data if trace.mode == "lines" and trace.name}
    right = [trace for trace in fig.data if trace.mode == "lines" and trace.xaxis == "x2"]
    assert lines["Propulate (this chapter)"].y[-1] == 2.0  # the median of 1, 2 and 3
    assert [trace.x[-1] for trace in right][:2] == pytest.approx([200, 201], abs=0.6)
    assert "Propulate (this chapter) 2 after 200 s" in readout


def test_figures_of_the_overhead(record):
    fig, readout = figures.overhead(record, "sphere")
    assert [trace.name for trace in fig.data][:2] == ["this chapter", "this chapter, every result on disk"]
    assert {trace.name for trace in fig.data} >= {"Optuna TPE, journal file", "Optuna TPE, SQLite"}
    assert "0.1 ms at 100000" in readout
    assert figures.overhead_table(record, 400)["1 % from (s)"] == [6.0, 6.0]
    assert "300 times ours" in figures.break_even_reading(record)
    assert figures.required_table(record)["holds"] == ["yes"]


def test_the_record_of_this_checkout_has_what_the_chapter_draws():
    record = peers.Record.load(project_root() / "results" / "benchmarks" / "propulate.json")
    for function in figures.CONTEST:
        figures.contest(figures.recorded(record, function), 0.0)
    for function in figures.FUNCTIONS:
        assert figures.overhead(record, function)[0].data
        assert len(record.ratios("tpe-journal", function, 400, 2)) >= 3
        assert len(record.ratios("tpe-sqlite", function, 400, 2)) >= 3
    assert figures.overhead_table(record)["compared with"]


def test_defects_of_the_package_are_not_ours(record):
    """1 / (1 + exp(-3)) = 95.3 % of the genes come from the better parent, and no category is lost."""
    from efficient_ai.propulate.figures import _defects

    assert _defects.better_parent_share() == pytest.approx(0.9526, abs=0.01)
    assert _defects.misread_categories() == 0
    assert figures.defect_table(record)["the package"] == ["5%", "50%"]
