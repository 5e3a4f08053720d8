"""A file is whole or not there; a process ends with all that it started; a commit with changes says so."""

import json
import os
import stat
import subprocess
import sys
import time

import psutil
import pytest

from efficient_ai import _files, processes, provenance


def test_a_file_is_replaced_whole_and_readable_by_others(tmp_path):
    path = tmp_path / "new" / "a.json"
    _files.write_atomic(path, b"old")
    _files.write_atomic(path, b"new")
    assert path.read_bytes() == b"new" and os.listdir(path.parent) == ["a.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    _files.write_atomic(path, b"old")
    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
            patch.setattr(_files.os, call, lambda *_: (_ for _ in ()).throw(OSError("the disk is full")))
            _files.write_atomic(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.json"]


def test_json_is_written_without_nan_and_in_utf8(tmp_path):
    provenance.write_json(tmp_path / "a.json", {"°": [1.5]})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"°": [1.5]}
    with pytest.raises(ValueError):
        provenance.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"°": [1.5]}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.delenv("EFFICIENT_AI_COMMIT", raising=False)
    monkeypatch.setattr(provenance, "project_root", lambda: tmp_path)
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return tmp_path


def test_a_commit_with_changed_files_is_marked_and_a_clean_one_is_not(repository):
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert provenance.commit() == head and len(head) == 40
    (repository / "file.py").write_text("x = 1\n")
    assert provenance.commit() == provenance.commit(repository) == f"{head}-modified"
    assert (
        provenance.short(provenance.commit()) == f"{head[:10]}-modified"
        and provenance.short(head) == head[:10]
    )


def test_without_a_repository_the_commit_is_the_one_told_or_unknown(tmp_path, monkeypatch):
    monkeypatch.delenv("EFFICIENT_AI_COMMIT", raising=False)
    monkeypatch.setattr(provenance, "project_root", lambda: tmp_path)
    assert provenance.commit() == "unknown"
    monkeypatch.setattr(provenance, "project_root", lambda: None)
    assert provenance.commit() == "unknown"
    monkeypatch.setenv("EFFICIENT_AI_COMMIT", "abc")
    assert provenance.commit() == "abc"


def test_peak_memory_is_in_megabytes_and_that_of_the_larger_of_us_and_our_children():
    held = bytearray(200_000_000)
    ours = provenance.peak_memory_mb()
    assert 200 < ours < 8_000, "megabytes, neither kilobytes nor gigabytes"
    assert ours >= psutil.Process().memory_info().rss / 1e6 * 0.9 and len(held)
    subprocess.run([sys.executable, "-c", f"x = bytearray({int(ours * 1e6) + 300_000_000})"], check=True)
    assert provenance.peak_memory_mb() >= ours + 250


def test_versions_name_python_and_what_decides_a_result():
    found = provenance.versions()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"numpy", "torch", "mpi4py"} <= found.keys() and "not-a-package" not in found


def lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


TREE = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = [sys.executable, '-c', 'import time; time.sleep(60)']
print(subprocess.Popen(child).pid, subprocess.Popen(child, start_new_session=True).pid, flush=True)
time.sleep(60 if sys.argv[1] == 'stays' else 0)
"""


def start(how):
    process = subprocess.Popen(
        [sys.executable, "-c", TREE, how], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    return process, list(map(int, process.stdout.readline().split()))


@pytest.mark.parametrize("grace", [0.0, 0.3])
def test_a_process_that_ignores_requests_ends_with_its_children_in_whatever_session(grace):
    process, children = start("stays")
    assert all(map(lives, [process.pid, *children]))
    assert processes.end_tree(process.pid, grace) >= 3
    assert not any(map(lives, [process.pid, *children]))
    assert process.wait(5) == -9
    assert processes.end_tree(process.pid, waited_for=True) == 0


def test_what_an_ended_process_left_in_its_session_is_found():
    process, (same_session, other_session) = start("ends")
    assert process.wait(10) == 0
    assert lives(same_session)
    processes.end_tree(process.pid, waited_for=True)
    assert not lives(same_session)
    psutil.Process(other_session).kill()


def test_a_request_comes_first_where_there_is_grace():
    code = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print(1, flush=True); time.sleep(60)"
    for grace, status in ((5.0, 7), (0.0, -9)):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
        )
        process.stdout.readline()
        began = time.monotonic()
        processes.end_tree(process.pid, grace)
        assert process.wait(5) == status and time.monotonic() - began < 30
