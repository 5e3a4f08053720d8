"""How a start is decided, and what is said when it fails."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai.parallel import ClusterError, _place, start_cluster
from efficient_ai.parallel import _cluster as module
from efficient_ai.parallel._cluster import Cluster
from efficient_ai.parallel._place import Place, choose, count_cpus, slurm_cpus
from efficient_ai.parallel._slurm import write_script

HERE = Place("laptop", 2, "on this machine")
JOB = {"SLURM_JOB_ID": "17", "SLURM_JOB_CPUS_PER_NODE": "4(x2)", "SLURM_JOB_NUM_NODES": "2"}


def start(n, timeout=60.0):
    """A cluster beside the shared one, which ``start_cluster`` would stop."""
    return Cluster(n, HERE, timeout, 60.0, None, None)


@pytest.fixture
def slurm_answers(monkeypatch):
    monkeypatch.setattr(_place, "slurm_cpus", lambda: (8, ""))


@pytest.fixture
def no_slurm(monkeypatch):
    monkeypatch.setattr(_place, "slurm_cpus", lambda: (0, "there is no sbatch or no sinfo on PATH"))


def test_without_slurm_it_is_this_machine(no_slurm):
    place = choose("auto", {})
    assert place.kind == "laptop" and place.cores == len(os.sched_getaffinity(0))


def test_inside_a_job_it_is_the_allocation_even_if_slurm_could_give_more(slurm_answers):
    place = choose("auto", JOB)
    assert (place.kind, place.cores, place.nodes) == ("allocation", 8, 2)
    assert place.text == "inside Slurm job 17, 2 nodes"


def test_where_slurm_answers_engines_get_a_job(slurm_answers):
    assert choose("auto", {}).kind == "slurm"
    assert choose("laptop", JOB).kind == "laptop"
    assert choose("auto", {"EFFICIENT_AI_WHERE": "laptop"} | JOB).kind == "laptop"


def test_a_place_that_does_not_exist_is_refused(no_slurm):
    with pytest.raises(ClusterError, match="SLURM_JOB_ID is not set"):
        choose("allocation", {})
    with pytest.raises(ClusterError, match="no sbatch or no sinfo"):
        choose("slurm", {})
    with pytest.raises(ValueError, match="where must be one of"):
        choose("cloud", {})


def test_more_ranks_than_slurm_has_cpus_are_refused(slurm_answers):
    with pytest.raises(ClusterError, match=r"asked for 9 ranks.*have 8 CPUs in all"):
        start_cluster(9, where="slurm")


def test_nodes_in_two_partitions_are_counted_once(tmp_path, monkeypatch):
    """``sinfo`` has one line a partition: allocated, idle, other, total."""
    for name, text in (("sbatch", ""), ("sinfo", "printf '4/8/3/15\\n10/6/0/16\\n'")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm_cpus() == (16, ""), (
        "the largest partition, what is free and what others use; no node that is down"
    )
    (tmp_path / "sinfo").write_text("#!/bin/sh\necho no controller >&2; exit 1\n")
    assert slurm_cpus() == (0, "no controller")
    (tmp_path / "sinfo").write_text("#!/bin/sh\n")
    assert slurm_cpus() == (0, "no node of the cluster responds")
    (tmp_path / "sbatch").unlink()
    assert slurm_cpus() == (0, "there is no sbatch or no sinfo on PATH")


@given(st.lists(st.tuples(st.integers(1, 256), st.integers(1, 99)), min_size=1, max_size=5))
def test_cpus_of_an_allocation(nodes):
    text = ",".join(f"{cpus}(x{count})" if count > 1 else str(cpus) for cpus, count in nodes)
    assert count_cpus(text) == sum(cpus * count for cpus, count in nodes)


@pytest.mark.parametrize("text", ["", "x", "4(2)", "4,,4"])
def test_text_that_is_no_list_of_cpus_counts_as_none(text):
    assert count_cpus(text) == 0


@pytest.mark.parametrize(
    "template, message",
    [
        ("#!/bin/sh\nsrun {programme}\n", "unknown placeholder"),
        ("#!/bin/sh\nsrun hostname\n", "does not contain {command}"),
    ],
)
def test_a_template_that_cannot_work_is_refused(tmp_path, template, message):
    with pytest.raises(ClusterError, match=message):
        write_script(tmp_path, "job", 2, ["python"], template)


@pytest.mark.mpi
def test_a_bad_template_leaves_no_controller_behind(monkeypatch, tmp_path, process_table):
    monkeypatch.setenv("EFFICIENT_AI_TEST_TAG", process_table.tag)
    monkeypatch.setenv("EFFICIENT_AI_BUILD", str(tmp_path))
    with pytest.raises(ClusterError, match="unknown placeholder"):
        Cluster(
            2, Place("slurm", 8, "as a Slurm job of their own"), 60.0, 60.0, "#!/bin/sh\n{programme}\n", None
        )
    assert process_table.alive() == []
    assert list((tmp_path / "parallel").iterdir()) == []


@pytest.mark.mpi
def test_an_engine_that_cannot_import_says_what(monkeypatch, tmp_path, process_table):
    (tmp_path / "ipykernel").mkdir()
    (tmp_path / "ipykernel" / "__init__.py").write_text("raise ImportError('libwidget.so.3 is missing')")
    monkeypatch.syspath_prepend(tmp_path)  # engines import what this process would
    monkeypatch.setenv("EFFICIENT_AI_TEST_TAG", process_table.tag)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    began = time.monotonic()
    with pytest.raises(ClusterError, match=r"did not come up: ImportError: libwidget\.so\.3 is missing"):
        start(2)
    assert time.monotonic() - began < 30, "the reason was known at once, the time limit was 60 s"
    process_table.wait_until_empty()
    assert list(tmp_path.glob("engines-*")) == []


@pytest.mark.mpi
def test_a_world_of_the_wrong_size_is_refused(monkeypatch, tmp_path, process_table):
    foreign = tmp_path / "mpiexec"
    foreign.write_text('#!/bin/sh\nshift 2\n"$@" &\n"$@" &\nwait\n')
    foreign.chmod(0o755)
    monkeypatch.setattr(module, "find_mpiexec", lambda: str(foreign))
    monkeypatch.setenv("EFFICIENT_AI_TEST_TAG", process_table.tag)
    with pytest.raises(
        ClusterError, match="asked for 2 ranks in one world, but each saw a world of size 1"
    ) as caught:
        start(2)
    assert str(foreign) in str(caught.value) and "MPICH" in str(caught.value)
    process_table.wait_until_empty()


@pytest.mark.mpi
def test_a_start_that_takes_too_long_ends_and_leaves_nothing(monkeypatch, tmp_path, process_table):
    sleeper = tmp_path / "mpiexec"
    sleeper.write_text("#!/bin/sh\necho waiting for a licence\nexec sleep 100\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(module, "find_mpiexec", lambda: str(sleeper))
    monkeypatch.setenv("EFFICIENT_AI_TEST_TAG", process_table.tag)
    with pytest.raises(ClusterError, match=r"(?s)did not come up in 2 s: .*waiting for a licence"):
        start(2, timeout=2)
    process_table.wait_until_empty()


@pytest.mark.mpi
def test_a_foreign_mpiexec_first_on_path_does_not_matter(monkeypatch, tmp_path):
    foreign = tmp_path / "mpiexec"
    foreign.write_text("#!/bin/sh\nexit 9\n")
    foreign.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    cluster = start(1)
    try:
        assert cluster.run(lambda comm: comm.size) == [1]
        folder = cluster.folder
    finally:
        cluster.stop()
    cluster.stop()  # again: harmless
    assert not Path(folder).exists()
    with pytest.raises(ClusterError, match="stopped"):
        cluster.run(lambda comm: comm.size)
