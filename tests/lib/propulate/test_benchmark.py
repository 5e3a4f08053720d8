"""The benchmark's own logic: what is measured again, how windows, ratios and break-even costs come about. No peer runs here."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from efficient_ai import parallel
from efficient_ai.propulate.functions import FUNCTIONS, HARDER

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    """The script ``benchmarks/propulate.py`` as a module, under a name that hides nothing."""
    sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location("benchmark_of_propulate", FOLDER / "propulate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(FOLDER))


def line(
    side="ours",
    ms=0.1,
    part="overhead",
    evaluations=4000,
    processes=2,
    repeat=0,
    function="sphere",
    grows=0.0,
):
    """A finished job of a constant overhead, or one that grows by ``grows`` ms per thousand evaluations."""
    seconds = [n * ms / 1000 + grows * n**2 / 2e6 for n in range(1, evaluations + 1)]
    clock = [
        [n, seconds[n - 1], seconds[n - 1]] for n in range(1, evaluations + 1, max(1, evaluations // 500))
    ]
    if clock[-1][0] < evaluations:
        clock.append([evaluations, seconds[-1], seconds[-1]])
    return {
        "part": part, "side": side, "function": function, "evaluations": evaluations, "processes": processes,
        "repeat": repeat, "done": evaluations, "seconds": seconds[-1], "cpu": seconds[-1], "clock": clock,
        "best": [[1, 9.0], [3, 4.0], [300, 1.0]], "load": [0, 0], "date": "2026-01-01 00:00", "commit": "abc",
    }  # fmt: skip


def test_a_record_sorts_by_time_and_adds_up_the_processors_of_all_processes(bench):
    events = [(0.3, 5.0, 0, 0.25), (0.1, 7.0, 0, 0.08), (0.2, 2.0, 1, 0.15)]
    kept = bench.common.record(events, seconds=0.35, cpu=0.5)
    assert kept["done"] == 3
    assert kept["clock"] == [[1, 0.1, 0.08], [2, 0.2, 0.23], [3, 0.3, 0.4]]
    assert kept["best"] == [[1, 7.0], [2, 2.0], [3, 2.0]]


def test_a_window_is_the_mean_over_its_last_fifth(bench):
    growing = line(ms=0.1, grows=0.2)["clock"]
    wall, cpu = bench.report.window(growing, 1000)
    assert wall == cpu == pytest.approx((0.1 + 0.2 * 0.9) / 1000, rel=0.01)  # in the middle of 800 to 1 000
    assert bench.report.window(growing, 4000) is not None
    assert bench.report.window(growing, 4001) is None


@pytest.mark.parametrize("processes", [1, 4])
@pytest.mark.parametrize("difference", [0.01, 0.1])
def test_at_the_break_even_cost_total_times_differ_by_just_that_much(bench, processes, difference):
    theirs, ours = 0.050, 0.0001
    cost = bench.report.break_even(theirs, ours, processes, difference)
    total = [cost / processes + overhead for overhead in (theirs, ours)]
    assert total[0] / total[1] == pytest.approx(1 + difference)
    assert bench.report.break_even(ours, theirs, processes, difference) == 0


def test_ratios_compare_the_same_function_budget_and_number_of_processes(bench):
    lines = [
        line(ms=0.1),
        line(ms=0.3, repeat=1),
        line(ms=0.2, repeat=2),
        line(ms=0.5, processes=1),
        line("tpe-sqlite", ms=40),
        line("tpe-memory", ms=5, processes=1),
        line("tpe-journal", ms=8, function="rastrigin"),  # nothing of ours to compare with
    ]
    found = {row["side"]: row for row in bench.report.ratios(bench.report.overhead(lines))}
    assert found.keys() == {"tpe-sqlite", "tpe-memory"}
    assert found["tpe-sqlite"]["ratio"] == pytest.approx(200), "the median of ours is 0.2 ms"
    assert found["tpe-memory"]["ratio"] == pytest.approx(10)
    assert found["tpe-sqlite"]["break_even_s"]["1%"] == pytest.approx(
        2 * (0.040 - 1.01 * 0.0002) / 0.01, rel=1e-3
    )


def test_what_keeps_its_evaluations_in_files_is_compared_with_what_does_so_too(bench):
    lines = [line(ms=0.1), line("ours-checkpoint", ms=0.2)]
    lines += [line(side, ms=10) for side in ("tpe-sqlite", "tpe-memory")]
    report = bench.report.summarise(lines)
    found = {row["side"]: row for row in report["ratios"]}
    for row in found.values():
        assert row["ratio"] == pytest.approx(100) and row["ratio_checkpoint"] == pytest.approx(50)
    assert found["tpe-sqlite"]["break_even_s"]["1%"] == pytest.approx(
        2 * (0.010 - 1.01 * 0.0002) / 0.01, rel=1e-3
    )
    assert found["tpe-memory"]["break_even_s"]["1%"] == pytest.approx(
        2 * (0.010 - 1.01 * 0.0001) / 0.01, rel=1e-3
    )
    [rule] = report["required"]
    assert rule["value"] == pytest.approx(50) and not rule["holds"]


@pytest.mark.parametrize(("ms", "holds"), [(0.31, True), (0.29, False)])
def test_requirements_are_judged_by_the_worst_case(bench, ms, holds):
    lines = [line(), line(processes=4)]
    lines += [line("propulate-nodump", ms=5.0), line("propulate-nodump", ms=ms, processes=4)]
    [rule] = bench.report.summarise(lines)["required"]
    assert rule["value"] == pytest.approx(ms / 0.1) and rule["holds"] is holds


@pytest.mark.parametrize(("grows", "holds"), [(0.0, True), (0.01, False)])
def test_flat_means_the_same_at_a_hundred_thousand_as_at_a_thousand(bench, grows, holds):
    [rule] = bench.report.summarise([line(part="growth", evaluations=100_000, grows=grows)])["required"]
    assert rule["holds"] is holds


def test_the_newest_line_of_a_job_counts(bench):
    [row] = bench.report.overhead([line(ms=9.0), line(ms=0.1)])
    assert row["ms"] == pytest.approx(0.1) and len(row["repeats"]) == 1


def test_repeats_on_a_busy_machine_do_not_count_beside_calm_ones(bench):
    lines = [
        line(ms=0.1),
        line(ms=0.3, repeat=1) | {"load": [1.9, 9]},
        line(ms=9.0, repeat=2) | {"load": [8, 0]},
    ]
    [row] = bench.report.overhead(lines)
    assert row["ms"] == pytest.approx(0.2) and len(row["repeats"]) == 2
    [row] = bench.report.overhead(lines[2:])
    assert row["ms"] == pytest.approx(9.0), "better than nothing"


def test_a_ratio_must_hold_in_processor_time_too(bench):
    lines = [line(), line("propulate-nodump", ms=5.0) | {"cpu": 0.2 * 4}]
    [rule] = bench.report.summarise(lines)["required"]
    assert rule["value"] == pytest.approx(2) and not rule["holds"]


def test_quality_keeps_one_row_per_seed_and_leaves_out_what_is_unfinished(bench):
    lines = [line(part="quality", evaluations=400, repeat=seed) for seed in range(3)]
    lines[2]["done"] = 17
    side = bench.report.quality(lines)["sphere"]["ours"]
    assert len(side["best"]) == 2
    assert dict(zip(side["n"], side["best"][0], strict=True))[1] == 9.0
    assert dict(zip(side["n"], side["best"][0], strict=True))[2] == 9.0, "the best so far, not the next one"
    assert dict(zip(side["n"], side["best"][0], strict=True))[400] == 1.0


def test_what_is_finished_is_not_measured_again(bench, monkeypatch, tmp_path):
    jobs = [bench.plan.job("overhead", "tpe-sqlite", "sphere", 400, 2, repeat) for repeat in range(3)]
    kept = [jobs[0] | {"done": 400}, jobs[1] | {"done": 399}]
    text = (
        "".join(json.dumps(entry) + "\n" for entry in kept) + '{"part": "overhead", "si'
    )  # cut off while writing
    monkeypatch.setattr(bench, "LINES", tmp_path / "lines")
    bench.LINES.write_text(text)
    assert list(bench.wanted(jobs, "*", again=False)) == jobs[1:]
    assert list(bench.wanted(jobs, "*", again=True)) == jobs
    assert list(bench.wanted(jobs, "quality/*", again=True)) == []


def test_only_the_seeds_of_a_comparison_of_quality_share_a_start(bench):
    jobs = list(bench.plan.plan())
    names = {bench.common.name_of(job) for job in jobs}
    assert len(names) == len(jobs)
    for batch in bench.batches(jobs):
        assert len(batch) == (bench.plan.SEEDS if batch[0]["part"] == "quality" else 1)
        assert len({(job["side"], job["function"], job["processes"]) for job in batch}) == 1


def test_the_quick_plan_has_every_side_once(bench):
    quick = [job for job in bench.plan.plan(quick=True) if job["function"] == "sphere"]
    assert {job["evaluations"] for job in quick} == {400} and {job["repeat"] for job in quick} == {0}
    assert {job["side"] for job in quick} == {
        job["side"] for job in bench.plan.plan() if job["part"] == "overhead"
    }


def test_the_functions_are_the_books(bench):
    for name in bench.plan.NINE + bench.plan.HARDER:
        ours = (FUNCTIONS | HARDER)[name]
        theirs = bench.common.book_function(name)
        middle = np.linspace(-1, 1, ours.dimension)
        if name != "quartic":
            assert theirs(middle) == ours(middle) and theirs.bound == ours.bound
    noisy = [bench.common.book_function("quartic", seed)([0.0] * 30) for seed in (1, 1, 2)]
    assert noisy[0] == noisy[1] != noisy[2]


@pytest.mark.mpi
@pytest.mark.parametrize("part", ["overhead", "quality"])
def test_our_side_records_every_evaluation(bench, part):
    job = bench.plan.job(part, "ours", "sphere", 60, 2, 0)
    [kept] = parallel.run_ranks(bench.ours.run_all, 2, [job], timeout=60)[0]
    assert 60 <= kept["done"] < 120 and kept["clock"][-1][0] == kept["done"]
    assert 0 < kept["clock"][-1][1] <= kept["seconds"]
    assert 0 < kept["clock"][-1][2] <= kept["cpu"]
    if part == "quality":  # the evaluations slept
        assert kept["seconds"] >= 60 / 2 * bench.common.NAP


def test_every_requirement_of_the_peers_is_pinned():
    lines = (FOLDER / "propulate-requirements.txt").read_text().splitlines()
    assert all(entry.startswith("#") or entry.count("==") == 1 for entry in lines)


def test_the_recorded_report_is_complete_and_its_text_can_be_read_back(bench):
    report = json.loads((ROOT / "results" / "benchmarks" / "propulate.json").read_text())
    assert json.loads(bench.report.to_json(report)) == report
    for row in report["overhead"]:
        assert row["ms_low"] <= row["ms"] <= row["ms_high"] and row["repeats"]
    rules = " ".join(rule["rule"] for rule in report["required"])
    for peer in ("propulate", "tpe-journal", "tpe-sqlite", "1 000"):
        assert peer in rules
    assert report["quality"].keys() == {*bench.plan.NINE, *bench.plan.HARDER}
    assert len(bench.report.as_text(report)) > len(report["overhead"])
