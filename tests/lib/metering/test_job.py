"""Totals of MPI jobs: one reader per host. Several hosts are played by ranks of this machine that are told other names."""

import pytest

from efficient_ai import metering
from efficient_ai.parallel import run_ranks

pytestmark = pytest.mark.mpi


def steady_job(comm, names, watts_of, scope="host"):
    """Each host has a counter of its own that rises by known watts; the clock is turned by hand, 10 s for all."""
    from efficient_ai import metering

    now = [0.0]
    host, reads = names[comm.rank], []

    def make_source(cores):
        def read():
            reads.append(1)
            return watts_of[host] * now[0]

        return metering.Source("measured:rapl", [metering.Sensor("package-0", read, scope=scope)], "test")

    with metering.measure_job(
        comm, "job", host=host, make_source=make_source, period=None, clock=lambda: now[0]
    ) as job:
        now[0] = 10.0 + comm.rank  # rank 3 is the slowest
        comm.barrier()
        now[0] = 20.0
    return job.measurement, len(reads)


def test_four_ranks_on_one_host_count_it_once():
    answers = run_ranks(steady_job, 4, ["a"] * 4, {"a": 50.0})
    totals = {measurement.joules for measurement, _ in answers}
    assert totals == {1000.0}, "50 W for 20 s, not four times that, and the same on every rank"
    assert [reads for _, reads in answers] == [2, 0, 0, 0], "one rank reads"
    assert answers[0][0].parts == {"a": 1000.0}


def test_hosts_are_summed_and_none_is_dropped():
    answers = run_ranks(steady_job, 4, ["a", "b", "a", "c"], {"a": 50.0, "b": 70.0, "c": 5.0})
    for measurement, _ in answers:
        assert measurement.joules == 20 * (50 + 70 + 5)
        assert measurement.parts == {"a": 1000.0, "b": 1400.0, "c": 100.0} and measurement.seconds == 20
        assert measurement.source == "measured:rapl" and "3 host(s), 4 rank(s)" in measurement.covers
    assert [reads > 0 for _, reads in answers] == [True, True, False, True]


def test_the_batch_system_s_number_is_of_all_hosts_and_counted_once():
    answers = run_ranks(steady_job, 4, ["a", "b", "a", "b"], {"a": 50.0, "b": 50.0}, scope="job")
    assert {measurement.joules for measurement, _ in answers} == {1000.0}


def estimated_job(comm, names):
    """Every rank burns a little more than the one before."""
    import time

    from efficient_ai import metering

    model = metering.CpuModel(idle=1.0, busy=10.0)

    def make_source(cores):
        return metering.cpu_time(model, cores=cores).source

    with metering.measure_job(
        comm, "job", host=names[comm.rank], make_source=make_source, model=model
    ) as job:
        end = time.process_time() + 0.1 * (1 + comm.rank)
        while time.process_time() < end:
            pass
    return job.measurement, job.meter.measurement.cpu_seconds


def test_an_estimate_adds_the_processor_time_of_all_ranks_and_the_idle_power_of_each_host_once():
    import os

    answers = run_ranks(estimated_job, 3, ["a", "a", "b"])
    cores = len(os.sched_getaffinity(0))
    total = answers[0][0]
    own = [cpu for _, cpu in answers]
    assert all(cpu >= 0.09 * (1 + rank) for rank, cpu in enumerate(own))
    assert total.cpu_seconds == pytest.approx(sum(own), abs=0.05)
    expected = 10.0 * sum(own) + 2 * cores * 1.0 * total.seconds
    assert total.joules == pytest.approx(expected, rel=0.15)
    assert total.source == "estimated:cpu-time"


def failing_job(comm):
    from efficient_ai import metering

    with metering.measure_job(comm, "job"):
        if comm.rank == 1:
            raise KeyError("mine")
        comm.barrier()


def test_a_rank_that_fails_does_not_hang_in_the_meter():
    from efficient_ai.parallel import RankError

    with pytest.raises(RankError, match="mine"):
        run_ranks(failing_job, 2, timeout=30)


class Alone:
    """A world of size one without MPI."""

    rank, size = 0, 1

    def allgather(self, value):
        return [value]

    def barrier(self):
        pass


def test_a_world_of_one_is_a_job():
    with metering.measure_job(Alone(), "job") as job:
        with pytest.raises(metering.EnergyError, match="after the block"):
            _ = job.joules
    assert job.joules > 0 and len(job.parts) == 1
    assert job.notes or job.source.startswith("measured:"), "an estimate says why there is nothing better"


def test_hosts_with_different_sources_keep_both_labels():
    def part(label, joules):
        return metering.Measurement("x", joules, joules, joules, 1.0, label, parts={"s": joules})

    total = metering.merge("x", [("a", part("measured:rapl", 1.0)), ("b", part("estimated:cpu-time", 2.0))])
    assert total.source == "measured:rapl + estimated:cpu-time" and total.joules == 3


def slurm_job(comm, names):
    """As Slurm starts 2 x 2 ranks: the first one reads the step's counter, and the second node has a readable RAPL."""
    from efficient_ai import metering

    now = [0.0]

    def make_source(cores):
        if comm.rank == 0:
            sensor = metering.Sensor("job 7", lambda: 5e9 + 1000 * now[0], scope="job", update=1.0)
            return metering.Source("measured:slurm", [sensor], "2 whole node(s)")
        return metering.Source(
            "measured:rapl", [metering.Sensor("package-0", lambda: 400 * now[0])], "1 package"
        )

    with metering.measure_job(
        comm, "job", host=names[comm.rank], make_source=make_source, period=None, clock=lambda: now[0]
    ) as job:
        now[0] = 10.0
    return job.measurement


def test_where_one_source_speaks_for_the_job_nobody_else_adds():
    for total in run_ranks(slurm_job, 4, ["a", "a", "b", "b"]):
        assert total.joules == pytest.approx(10_000) and total.source == "measured:slurm"
        assert "2 host(s), 4 rank(s)" in total.covers and total.parts == {"a, b": pytest.approx(10_000)}


def silent_job(comm, names):
    """The step's counter never moves in so short a time: every rank's processor time has to do."""
    from efficient_ai import metering

    def make_source(cores):
        sensor = metering.Sensor("job 7", lambda: 5e9, scope="job", update=30.0)
        return metering.Source("measured:slurm", [sensor], "2 whole node(s)")

    model = metering.CpuModel(idle=1.0, busy=0.0)
    with metering.measure_job(
        comm, "job", host=names[comm.rank], make_source=make_source, model=model
    ) as job:
        comm.barrier()
    return job.measurement


def test_a_job_too_short_for_its_counter_is_estimated_on_all_hosts():
    import os

    total = run_ranks(silent_job, 4, ["a", "a", "b", "b"])[0]
    assert total.source == "estimated:cpu-time" and set(total.parts) == {"a", "b"}
    assert total.joules == pytest.approx(2 * len(os.sched_getaffinity(0)) * total.seconds, rel=0.5)
    assert any("less than two of its updates" in note for note in total.notes)
