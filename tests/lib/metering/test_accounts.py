"""Accounts of processes: waited for or not, ended or alive, none is lost and none is counted twice."""

import os
import signal
import subprocess
import sys
import time

import pytest

from efficient_ai import metering
from efficient_ai.metering._accounts import Accounts

BURN = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"
WAIT = "import sys; print(1, flush=True); sys.stdin.read()"


def child(code):
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_grandchild_that_nobody_waits_for_stays_in_the_sum():
    """Its parent dies first, so it is waited for by a stranger: in no account of ours, and used 0.4 s."""
    accounts = Accounts()
    begin = accounts.look(0.0)
    inner = BURN.format(0.4) + "import sys, os; os.write(1, b'1'); time.sleep(60)"
    parent = child(f"import subprocess, sys, os\np = subprocess.Popen([sys.executable, '-c', {inner!r}])\nos.write(1, str(p.pid).encode() + b' ')\nsys.stdin.read()")  # fmt: skip
    text = b""
    while not text.endswith(b" 1"):
        text += os.read(parent.stdout.fileno(), 100)
    grandchild = int(text.split()[0])
    alive = accounts.look(1.0) - begin
    parent.kill()
    parent.wait()
    strayed = accounts.look(2.0) - begin
    os.kill(grandchild, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{grandchild}") and "Z" not in open(f"/proc/{grandchild}/stat").read().split()[2] and time.monotonic() < deadline:  # fmt: skip
        time.sleep(0.01)
    ended = accounts.look(3.0) - begin
    assert alive >= 0.35 and strayed >= alive and ended >= strayed
    assert ended < alive + 0.3, "and no second time"
    parent.stdout.close()
    parent.stdin.close()


def test_children_that_are_waited_for_between_two_looks_count_once():
    accounts = Accounts()
    begin = accounts.look(0.0)
    for i in range(3):
        one = child(BURN.format(0.2) + WAIT)
        one.stdout.readline()
        accounts.look(i + 0.3)
        one.stdin.close()
        one.wait()
        one.stdout.close()
        accounts.look(i + 0.6)
    used = accounts.totals[-1] - begin
    assert 0.55 <= used < 1.2 and accounts.ended == 0


def test_a_tree_of_files_settles_every_case(tmp_path, monkeypatch):
    """Ours is 1; 2 and 3 are its children, 4 a child of 2. 4 ends unwaited-for with 2; 3 is waited for by us."""
    from efficient_ai.metering import _accounts

    tick, waited = _accounts._TICK, [0.0]
    monkeypatch.setattr(
        _accounts, "_rusage", lambda who: waited[0] if who != _accounts.resource.RUSAGE_SELF else 1.0
    )

    def put(pid, parent, own, children=0, born=None):
        (tmp_path / str(pid)).mkdir(exist_ok=True)
        (tmp_path / str(pid) / "stat").write_text(
            f"{pid} (x) S {parent} "
            + "0 " * 9
            + f"{own * tick:.0f} 0 {children * tick:.0f} 0 20 0 1 0 {born or pid}"
        )

    def end(pid):
        (tmp_path / str(pid) / "stat").unlink()
        (tmp_path / str(pid)).rmdir()

    accounts = Accounts(tmp_path)
    accounts.pid = 1
    put(1, 0, 99)
    put(2, 1, 10)
    put(3, 1, 20)
    put(4, 2, 40)
    assert accounts.look(0) == 1 + 70
    end(3)
    waited[0] = 21.0  # its last second is in the account of who waited
    assert accounts.look(1) == 1 + 71 and accounts.ended == 0
    end(2)
    end(4)
    assert accounts.look(2) == 1 + 71 and accounts.ended == 2, "nobody waited: the last account seen is kept"
    waited[0] = 31.0 + 40.0  # we waited a moment after the look
    assert accounts.look(3) == 1 + 71
    put(2, 1, 5, born=77)  # the number of an ended process is given away again
    assert accounts.look(4) == 1 + 76


@pytest.mark.mpi
def test_the_engines_of_a_cluster_that_has_come_down_are_in_the_account():
    """Shorter than any period of a sampler: what the guard reaps is in our account when it is over."""
    from efficient_ai.parallel import run_ranks

    with metering.measure("ranks", source=metering.cpu_time().source, period=None) as m:
        run_ranks(burn, 2, timeout=60)
    assert m.cpu_seconds >= 2 * 0.5


def burn(comm):
    import time

    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass


@pytest.mark.mpi
@pytest.mark.timeout(120)
def test_engines_that_are_killed_are_in_the_account_too():
    from efficient_ai import parallel

    with metering.measure("cluster", source=metering.cpu_time().source, period=None) as m:
        with parallel.start_cluster(2) as cluster:
            cluster.run(burn, timeout=60)
    assert m.cpu_seconds >= 2 * 0.5


def test_stop_in_a_copy_of_the_process_says_where_to_stop_it():
    with metering.measure("x", source=metering.cpu_time().source, period=None) as m:
        pid = os.fork()
        if pid == 0:
            try:
                m.stop()
            except metering.EnergyError as error:
                os._exit(7 if "is a copy of it" in str(error) else 8)
            os._exit(9)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert m.joules > 0


def test_what_a_measurement_cannot_see_can_be_remarked():
    with metering.measure("x", source=metering.cpu_time().source, period=None) as m:
        metering.remark("4 engines ran in a Slurm job of their own")
    metering.remark("too late")
    assert "4 engines ran in a Slurm job of their own" in m.notes and "too late" not in m.notes


def test_what_lasts_is_remarked_of_measurements_that_begin_later_too():
    def notes():
        with metering.measure("x", source=metering.cpu_time().source, period=None) as m:
            pass
        return m.notes

    metering.remark("4 engines run elsewhere", of="engines-1")
    try:
        assert "4 engines run elsewhere" in notes()
    finally:
        metering.withdraw("engines-1")
    assert "4 engines run elsewhere" not in notes()
    metering.withdraw("engines-1")  # a cluster may stop twice


@pytest.mark.parametrize(
    ("version", "files", "expected"),
    [
        (2, {"cpu.max": "150000 100000"}, 1.5),
        (2, {"cpu.max": "max 100000"}, float("inf")),
        (1, {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"}, 0.5),
        (1, {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, float("inf")),
    ],
)
def test_the_cores_of_a_container_are_its_quota(tmp_path, version, files, expected):
    controllers = "cpu,cpuacct" if version == 1 else ""
    top = tmp_path / "fs" / controllers
    (top / "outer" / "inner").mkdir(parents=True)
    for name, content in files.items():
        (top / "outer" / name).write_text(content + "\n")  # the outer group limits what is in the inner one
    (tmp_path / "cgroup").write_text(f"{1 if version == 1 else 0}:{controllers}:/outer/inner\n")
    assert metering.quota(tmp_path / "fs", tmp_path / "cgroup")[1] == expected
    assert metering.usable_cores(tmp_path / "fs", tmp_path / "cgroup") == min(
        expected, len(os.sched_getaffinity(0))
    )
