"""Records: read with one message each, run job by job, written only when all of it was measured."""

import json
import os
import sys
import time

import psutil
import pytest

from efficient_ai import provenance, records
from efficient_ai.records import _peers, _sitting


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project of its own, at the clean commit ``c0ffee``."""
    monkeypatch.setenv("EFFICIENT_AI_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("EFFICIENT_AI_COMMIT", "c0ffee")
    (tmp_path / "results" / "benchmarks").mkdir(parents=True)
    (tmp_path / "benchmarks").mkdir()
    for module in ("efficient_ai.records._record", "efficient_ai.records._peers"):
        monkeypatch.setattr(f"{module}.project_root", lambda: tmp_path)
    return tmp_path


def put(place, name, content):
    text = content if isinstance(content, str) else json.dumps(content)
    (place / "results" / "benchmarks" / f"{name}.json").write_text(text)


def test_a_missing_broken_or_empty_record_says_how_to_make_one(place):
    with pytest.raises(FileNotFoundError, match=r"not there: .*python benchmarks/demo\.py"):
        records.read("demo")
    with pytest.raises(FileNotFoundError, match="run  make it so"):
        records.read("demo", "make it so")
    for broken in ("", "{", '{"rows": [1, 2', "\x00"):
        put(place, "demo", broken)
        with pytest.raises(ValueError, match=r"is broken .*python benchmarks/demo\.py"):
            records.read("demo")
    for empty in ({}, [], {"rows": []}, {"machine": "m", "rows": []}, {"machine": "m", "rows": None}, [1], 3):
        put(place, "demo", empty)
        with pytest.raises(ValueError, match="is empty"):
            records.read("demo")
    put(place, "demo", {"rows": [{"x": 1}]})
    assert records.read("demo") == {"rows": [{"x": 1}]}


def test_a_job_may_not_hide_under_what_a_row_notes(place):
    sitting = records.Sitting("demo")
    for taken in ("load", "date", "commit"):
        with pytest.raises(ValueError, match=f"rename {taken}"):
            sitting.run([{"side": "a", taken: 1}], lambda job: {})


def test_a_record_says_machine_day_and_load(place):
    rows = [{"side": "a", "n": 1, "load": 0.5}, {"side": "b", "n": 1, "load": [1.25, 2.0]}]
    record = records.Record({"machine": "box", "date": "2026-01-02T03:04:05+00:00", "rows": rows})
    assert record.loads == (0.5, 2.0)
    assert record.where == "box, 2026-01-02, load average 0.5 to 2.0"
    assert record.select(side="b") == [rows[1]] and record.select(n=1) == rows and record.select(n=2) == []
    assert record.commit == "unknown" and record.versions == {}
    quiet = records.Record({"machine": "box", "date": "2026-01-02 03:04", "load": [0.5, 0.5], "commit": "c"})
    assert quiet.where == "box, 2026-01-02, load average 0.5" and quiet.commit == "c"
    assert records.Record({"machine": "box", "date": "2026-01-02"}).where == "box, 2026-01-02"


def test_a_chapter_names_its_record_in_one_line(place):
    class Own(records.Record):
        NAME = "demo"

    put(place, "demo", {"rows": [{"x": 1}]})
    assert Own.load().rows == [{"x": 1}] and isinstance(Own.load(), Own)
    other = place / "other.json"
    other.write_text('{"rows": [{"x": 2}]}')
    assert Own.load(other).rows == [{"x": 2}]


def jobs(n=2):
    return [{"side": side, "repeat": r} for r in range(n) for side in ("ours", "theirs")]


def test_a_sitting_measures_each_job_in_order_and_notes_load_date_and_commit(place):
    seen = []
    sitting = records.Sitting("demo")
    rows = sitting.run(jobs(), lambda job: {"seconds": seen.append(job) or len(seen)})
    assert seen == jobs() and [row["seconds"] for row in rows] == [1, 2, 3, 4]
    assert all(len(row["load"]) == 2 and row["commit"] == "c0ffee" and row["date"] for row in rows)
    path = sitting.write({"rows": rows, "note": "x"})
    kept = records.read("demo")
    assert path == place / "results/benchmarks/demo.json" and kept["rows"] == rows and kept["note"] == "x"
    assert kept["commit"] == "c0ffee" and kept["machine"] == provenance.machine() and kept["versions"]


def fail_at(number):
    seen = []

    def measure(job):
        seen.append(job)
        if len(seen) == number:
            raise RuntimeError("it stopped early")
        return {"seconds": len(seen)}

    return measure


def test_an_interrupted_sitting_writes_no_record_and_goes_on_where_it_was(place):
    sitting = records.Sitting("demo")
    with pytest.raises(RuntimeError, match="early"):
        sitting.run(jobs(), fail_at(3))
    with pytest.raises(_sitting.Unfinished, match="2 jobs of demo"):
        sitting.write({"rows": []})
    assert not (place / "results/benchmarks/demo.json").exists()
    with open(sitting.lines, "a") as file:
        file.write('\n{"job": "cut')
    seen = []
    again = records.Sitting("demo")
    rows = again.run(jobs(), lambda job: {"seconds": 10 + len(seen), "x": seen.append(job)})
    assert seen == jobs()[2:] and [row["seconds"] for row in rows] == [1, 2, 10, 11]
    assert len(records.Sitting("demo").run(jobs(), fail_at(1))) == 4, "nothing is measured twice"
    assert records.Sitting("demo", fresh=True).run(jobs(), lambda job: {"seconds": 0})[0]["seconds"] == 0


@pytest.mark.parametrize("other", ["beef", "c0ffee-modified", "unknown"])
def test_a_record_mixes_no_commits_and_nothing_of_changed_files_is_kept(place, monkeypatch, other):
    records.Sitting("demo").run(jobs(1), lambda job: {"seconds": 1})
    monkeypatch.setenv("EFFICIENT_AI_COMMIT", other)
    for _ in range(2):
        rows = records.Sitting("demo").run(jobs(1), lambda job: {"seconds": 2})
        assert [row["commit"] for row in rows] == [other] * 2 and rows[0]["seconds"] == 2
    monkeypatch.setenv("EFFICIENT_AI_COMMIT", "c0ffee")
    assert records.Sitting("demo").run(jobs(1), fail_at(1))[0]["seconds"] == 1


def test_jobs_that_are_alike_are_refused(place):
    with pytest.raises(ValueError, match="alike: number the repeats"):
        records.Sitting("demo").run([{"a": 1}, {"a": 1}], lambda job: {})


def test_a_job_waits_for_a_quiet_machine_but_not_for_ever(place, monkeypatch):
    loads, naps = iter([5.0, 3.0, 0.5, 0.7]), []
    monkeypatch.setattr(_sitting.os, "getloadavg", lambda: (next(loads), 0, 0))
    monkeypatch.setattr(_sitting.time, "sleep", naps.append)
    rows = records.Sitting("demo", below=1.0).run(jobs(1)[:1], lambda job: {})
    assert len(naps) == 2 and rows[0]["load"] == [0.5, 0.7]
    monkeypatch.setattr(_sitting.os, "getloadavg", lambda: (9.0, 0, 0))
    assert records.Sitting("busy", below=1.0, patience=0.0).run(jobs(1)[:1], lambda job: {})[0]["load"] == [
        9.0,
        9.0,
    ]


def test_a_child_has_one_thread_and_answers_in_its_last_line(tmp_path):
    code = "import json, os; print('log'); print(json.dumps([os.environ['OMP_NUM_THREADS'], os.environ['X'], os.getcwd()]))"
    found = records.child([sys.executable, "-c", code], timeout=60, env={"X": "y"}, cwd=tmp_path)
    assert found == ["1", "y", str(tmp_path)]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("print('half'); raise SystemExit('broken')", r"(?s)ended with status 1.*half.*broken"),
        ("print('done')", "gave no JSON"),
        ("pass", "gave no JSON"),
        ("import time; time.sleep(60)", "was not finished after 1 s"),
    ],
)
def test_a_child_that_does_not_answer_is_explained(code, says):
    with pytest.raises(RuntimeError, match=says):
        records.child([sys.executable, "-c", code], timeout=1 if "sleep" in code else 60)


def test_nothing_of_a_child_stays_behind(tmp_path):
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
        f" stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); open({str(note)!r}, 'w').write(str(p.pid)); print(1)"
    )
    for more, timeout in (("", 60), ("; sys.stdout.flush(); time.sleep(60)", 5)):
        try:
            records.child([sys.executable, "-c", code + more], timeout=timeout)
        except RuntimeError:
            assert more
        pid = int(note.read_text())
        time.sleep(0.05)
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_environment_of_the_peers_is_made_once_and_again_for_other_requirements(place, monkeypatch):
    calls = []

    def run(command, **_):
        calls.append([str(word) for word in command])
        if "venv" in calls[-1]:
            python = place / "build/peers/demo/bin/python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.write_text("")
        elif len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(_peers.subprocess, "run", run)
    (place / "benchmarks/demo-requirements.txt").write_text("a==1\n")
    with pytest.raises(KeyboardInterrupt):
        _ = records.Peers("demo").python
    python = records.Peers("demo").python
    assert python == place / "build/peers/demo/bin/python" and len(calls) == 4, (
        "an interrupted one starts over"
    )
    assert records.Peers("demo").python == python and len(calls) == 4
    (place / "benchmarks/demo-requirements.txt").write_text("a==2\n")
    _ = records.Peers("demo").python
    assert len(calls) == 6 and calls[-1][-1].endswith("demo-requirements.txt")
    os.unlink(python)
    _ = records.Peers("demo").python
    assert len(calls) == 8
