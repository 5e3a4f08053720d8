"""The record of the benchmark beside neuralforecast is read as it was written."""

import pytest

from efficient_ai.recycle import peers


def row(side, method, seed, mase, **more):
    costs = {"cpu_seconds": 2.0, "steps": 10, "parameters": 7, "latency_ms": 1.5, "peak_mb": 300.4}
    return {"side": side, "method": method, "seed": seed, "mase": [mase, mase + 0.2]} | costs | more


RECORD = peers.Record(
    {
        "machine": "a node",
        "date": "2026-01-02T03:04",
        "profile": {"mase": [0.5, 0.7]},
        "rows": [
            row("this book", "A", 0, 0.4), row("this book", "A", 1, 0.6), row("neuralforecast", "B", 0, 0.3, version="3.3"),
            row("neuralforecast", "B", 1, 0.5, cpu_seconds=4.0, version="3.3"), row("neuralforecast", "C", 0, 0.9, version="3.3"),
        ],
    }
)  # fmt: skip


def test_sides_are_in_order_of_their_error():
    assert RECORD.sides() == [("neuralforecast", "B"), ("this book", "A"), ("neuralforecast", "C")]
    assert RECORD.mase("this book", "A") == [pytest.approx(0.5), pytest.approx(0.7)]
    assert RECORD.median("neuralforecast", "B", "cpu_seconds") == 3.0
    assert RECORD.profile == pytest.approx(0.6) and RECORD.version == "3.3"
    table = RECORD.table()
    assert table["network"] == ["B, neuralforecast", "A", "C, neuralforecast"] and table["peak (MB)"] == [
        300,
        300,
        300,
    ]
    assert table["MASE (range)"][1] == "0.600 (0.500 to 0.700)"


def test_the_reading_names_the_best_of_both_and_counts_who_beats_the_profile():
    said = RECORD.reading()
    assert "B with MASE 0.500" in said and "A with 0.600" in said and "1 of 3" in said


def test_a_missing_record_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"benchmarks/recycle\.py"):
        peers.Record.load(tmp_path / "none.json")
