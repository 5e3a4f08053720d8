"""The counting communicator: results as without it, and counts that are known beforehand."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from efficient_ai.parallel import (
    CountingComm,
    Record,
    Traffic,
    gather_traffic,
    traffic_matrix,
    traffic_timeline,
)
from efficient_ai.parallel._collectives import held
from efficient_ai.parallel._drawing import kind_of
from efficient_ai.parallel._traffic import Event

N = 3


def size(obj):
    return len(pickle.dumps(obj, pickle.HIGHEST_PROTOCOL))


def ring(comm):
    """Each rank passes 8 doubles and one object to the right."""
    comm = CountingComm(comm)
    right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
    got = np.empty(8)
    comm.Sendrecv(np.full(8, float(comm.rank)), right, recvbuf=got, source=left)
    word = comm.sendrecv({"from": comm.rank}, right, source=left)
    return got.tolist(), word, gather_traffic(comm)


def halo(comm):
    """A line of ranks: neighbours exchange 5 floats, without wrap; non-blocking, both ways of waiting."""
    comm = CountingComm(comm)
    sides = [rank for rank in (comm.rank - 1, comm.rank + 1) if 0 <= rank < comm.size]
    ghosts = [np.empty(5, np.float32) for _ in sides]
    receives = [comm.Irecv(ghost, source=side, tag=1) for ghost, side in zip(ghosts, sides, strict=True)]
    sends = [comm.Isend(np.full(5, comm.rank, np.float32), dest=side, tag=1) for side in sides]
    for request in receives:
        request.Wait()
    MPI.Request.Waitall(sends)
    words = [comm.irecv(source=side, tag=2) for side in sides]
    posted = [comm.isend(comm.rank * "x", dest=side, tag=2) for side in sides]
    told = [request.wait() for request in words]
    MPI.Request.waitall(posted)
    return {
        side: (ghost.tolist(), word) for side, ghost, word in zip(sides, ghosts, told, strict=True)
    }, gather_traffic(comm)


@pytest.mark.mpi
def test_a_ring(cluster):
    results = cluster.run(ring)
    word = size({"from": 0})
    for rank, (got, said, traffic) in enumerate(results):
        left = (rank - 1) % N
        assert got == [float(left)] * 8 and said == {"from": left}
        expected = np.zeros((N, N), int)
        for sender in range(N):
            expected[sender, (sender + 1) % N] = 64 + word
        assert traffic.bytes().tolist() == expected.tolist()
        assert (traffic.messages() == 2 * (expected > 0)).all()
        record = traffic.records[rank]
        assert (record.sent_bytes, record.received_bytes, record.sent_messages) == (64 + word, 64 + word, 2)
        assert record.partners == sorted({(rank + 1) % N, left})
        assert record.seconds > 0 and record.collectives == 0


@pytest.mark.mpi
def test_a_halo_exchange(cluster):
    results = cluster.run(halo)
    for rank, (got, traffic) in enumerate(results):
        assert got == {
            side: ([float(side)] * 5, side * "x") for side in (rank - 1, rank + 1) if 0 <= side < N
        }
        inner = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
        payload = [20 + size(sender * "x") for sender in range(N)]
        assert traffic.bytes().tolist() == [[payload[i] * inner[i][j] for j in range(N)] for i in range(N)]
        assert traffic.records[rank].received_bytes == sum(payload[i] * inner[i][rank] for i in range(N))
        assert any(event.operation == "Wait" for event in traffic.records[rank].events)


def collectives(comm, counted):
    """Every collective once, with results that depend on all ranks."""
    if counted:
        comm = CountingComm(comm)
    rank, n = comm.rank, comm.size
    mine, all_of_it, one = np.full(2, rank, np.int64), np.zeros(2 * n, np.int64), np.zeros(2, np.int64)
    table = np.arange(2 * n, dtype=np.int64) + 100 * rank
    out = [
        comm.bcast("word" if rank == 1 else None, root=1),
        comm.reduce(rank, root=1),
        comm.allreduce(rank, op=MPI.MAX),
        comm.gather("x" * rank, root=1),
        comm.allgather(rank),
        comm.scatter(["a" * i for i in range(n)] if rank == 1 else None, root=1),
        comm.alltoall([10 * rank + i for i in range(n)]),
    ]
    comm.barrier()
    comm.Barrier()
    filled = mine.copy()
    comm.Bcast(filled, root=1)
    out.append(filled.tolist())
    for call in (
        lambda: comm.Reduce(mine, one if rank == 1 else None, root=1),
        lambda: comm.Allreduce(mine, one),
        lambda: comm.Allreduce(MPI.IN_PLACE, one),
        lambda: comm.Gather(mine, all_of_it if rank == 1 else None, root=1),
        lambda: comm.Allgather(mine, all_of_it),
        lambda: comm.Scatter(table if rank == 1 else None, one, root=1),
        lambda: comm.Alltoall(table, all_of_it),
        lambda: comm.Allgatherv(mine, [all_of_it, [2] * n]),
        lambda: comm.Iallreduce(mine, one).Wait(),
        lambda: comm.Ibcast(filled, root=0).wait(),
        lambda: comm.Ibarrier().Wait(),
        lambda: comm.scan(rank),  # not counted: passes through
    ):
        out.append(call())
        out += [one.tolist(), all_of_it.tolist(), filled.tolist()]
    return out, [
        (event.operation, event.sent, event.received) for event in comm.record.events
    ] if counted else None


@pytest.mark.mpi
def test_collectives_give_what_they_give_without_counting_and_count_by_the_convention(cluster):
    plain, counted = cluster.run(collectives, False), cluster.run(collectives, True)
    assert [out for out, _ in counted] == [out for out, _ in plain]
    word, number = size("word"), size(0)
    texts = [size("x" * i) for i in range(N)]
    for rank, (_, events) in enumerate(counted):
        root = rank == 1
        expected = [
            ("bcast", word * root, word * (not root)),
            ("reduce", number, number * root),
            ("allreduce", number, number),
            ("gather", texts[rank], sum(texts) * root),
            ("allgather", number, N * number),
            ("scatter", sum(texts) * root, texts[rank]),
            ("alltoall", N * number, N * number),
            ("barrier", 0, 0),
            ("Barrier", 0, 0),
            ("Bcast", 16 * root, 16 * (not root)),
            ("Reduce", 16, 16 * root),
            ("Allreduce", 16, 16),
            ("Allreduce", 16, 16),
            ("Gather", 16, 16 * N * root),
            ("Allgather", 16, 16 * N),
            ("Scatter", 16 * N * root, 16),
            ("Alltoall", 16 * N, 16 * N),
            ("Allgatherv", 16, 16 * N),
            ("Iallreduce", 16, 16),
            ("Wait", 0, 0),
            ("Ibcast", 16 * (rank == 0), 16 * (rank != 0)),
            ("wait", 0, 0),
            ("Ibarrier", 0, 0),
            ("Wait", 0, 0),
        ]
        assert events == expected


def play(comm, rounds):
    """Rounds of random messages (sender, receiver, length, upper case, non-blocking); received lengths must fit."""
    comm = CountingComm(comm)
    for script in rounds:
        pending = []
        for tag, (source, dest, length, upper, later) in enumerate(script):
            payload = np.zeros(length, np.uint8) if upper else b"x" * length
            if comm.rank == source:
                call = comm.Isend if upper else comm.isend
                pending.append(call(payload, dest, tag=tag))
            if comm.rank == dest:
                if upper and later:
                    comm.Irecv(np.empty(length + 5, np.uint8), source=source, tag=tag).Wait()
                elif upper:
                    comm.Recv(np.empty(length + 5, np.uint8), source=MPI.ANY_SOURCE, tag=tag)
                elif later:
                    comm.irecv(1 << 16, source=source, tag=tag).wait()
                else:
                    comm.recv(source=source, tag=tag)
        for request in pending:
            request.wait()
        comm.barrier()
    return gather_traffic(comm)


rounds = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, N - 1), st.integers(0, N - 1), st.integers(0, 3000), st.booleans(), st.booleans()
        ),
        max_size=6,
    ),
    max_size=3,
)


@pytest.mark.mpi
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=rounds)
def test_every_byte_sent_is_a_byte_received(cluster, rounds):
    traffic = cluster.run(play, rounds)[0]
    sent, expected = traffic.bytes(), np.zeros((N, N), int)
    for source, dest, length, upper, _ in (message for script in rounds for message in script):
        expected[source, dest] += length if upper else size(b"x" * length)
    assert sent.tolist() == expected.tolist()
    assert [record.received_bytes for record in traffic.records] == sent.sum(axis=0).tolist()
    assert traffic.messages().sum() == sum(len(script) for script in rounds)


def derived(comm):
    comm = CountingComm(comm)
    half = comm.Split(color=comm.rank == 0, key=-comm.rank)  # ranks 1 and 2, in reversed order
    if half.size == 2:
        half.sendrecv("over", 1 - half.rank, source=1 - half.rank)
    return gather_traffic(comm), isinstance(comm, MPI.Intracomm), comm.Dup().allreduce(1)


@pytest.mark.mpi
def test_communicators_made_from_it_count_under_the_ranks_of_the_first(cluster):
    traffic, is_a_communicator, total = cluster.run(derived)[2]
    assert traffic.bytes().tolist() == [[0, 0, 0], [0, 0, size("over")], [0, size("over"), 0]]
    assert is_a_communicator and total == N


def test_a_world_of_one_and_no_partner():
    comm = CountingComm(MPI.COMM_SELF)
    comm.send("nobody", MPI.PROC_NULL)
    assert comm.recv(source=MPI.PROC_NULL) is None
    request = comm.isend("me", 0)
    nothing = comm.irecv(source=0, tag=7)
    assert not nothing.test()[0]
    nothing.Cancel()
    nothing.wait()
    assert comm.recv(source=0) == "me"
    request.wait()
    traffic = gather_traffic(comm)
    assert traffic.bytes().tolist() == [[size("me")]] and traffic.messages().tolist() == [[1]]
    assert comm.record.partners == [0] and comm.record.received_bytes == size("me")


@pytest.mark.parametrize(
    "spec, expected",
    [
        (np.zeros(3), 24),
        (b"12345", 5),
        ([np.zeros(3), MPI.DOUBLE], 24),
        ([np.zeros(3), 2, MPI.DOUBLE], 16),
        ([np.zeros(3), "d"], 24),
        ([np.zeros(6), 2], 16),
        ([np.zeros(6, np.int32), (1, 2), None, MPI.INT], 12),
        ([np.zeros(6, np.int32), ([1, 2], [0, 3]), MPI.INT], 12),
        ([np.zeros(6, np.float32), np.array([2, 3])], 20),
        (None, 0),
        (MPI.IN_PLACE, 0),
    ],
)
def test_bytes_of_a_buffer_specification(spec, expected):
    assert held(spec) == expected


def made_up(calls):
    event = Event("Send", 0.5, 0.25, dest=1, sent=1500)
    other = [
        Event("wait", 0.1, 0.2),
        Event("recv", 0.1, 0.3, source=0, received=1500),
        Event("barrier", 0.6, 0.1),
    ]
    return Traffic([Record(0, 2, 10.0, [event] * calls), Record(1, 2, 11.0, other)])


def test_the_timeline_draws_each_call_on_the_row_of_its_rank():
    figure = traffic_timeline(made_up(2))
    bars = {bar.name: bar for bar in figure.data}
    assert set(bars) == {"send", "wait", "receive", "collective"}
    assert (
        list(bars["send"].y) == [0, 0]
        and list(bars["send"].x) == [0.25, 0.25]
        and bars["send"].base[0] == 0.5
    )
    assert bars["wait"].y[0] == 1 and bars["wait"].base[0] == pytest.approx(1.1), "one clock for all ranks"
    assert len({bar.marker.color for bar in figure.data}) == 4
    assert figure.layout.xaxis.title.text == "time in s"


def test_a_timeline_of_very_many_calls_says_what_it_leaves_out():
    figure = traffic_timeline(made_up(5000))
    assert sum(len(bar.x) for bar in figure.data) == 4000
    assert "4000 longest of 5003" in figure.layout.title.text


def test_the_matrix_shows_bytes_from_row_to_column():
    figure = traffic_matrix(made_up(2))
    assert [list(row) for row in figure.data[0].z] == [[0, 3000], [0, 0]]
    assert [list(row) for row in figure.data[0].text] == [["", "3k"], ["", ""]]
    assert [list(row) for row in figure.data[0].customdata] == [[0, 2], [0, 0]]


def test_the_table_has_one_row_a_rank():
    table = made_up(2).table()
    assert table["bytes sent"] == [3000, 0] and table["bytes received"] == [0, 1500]
    assert table["partners"] == ["1", "0"] and table["collective calls"] == [0, 1]
    assert table["seconds in MPI"] == [0.5, 0.6]


@pytest.mark.parametrize(
    "operation, kind",
    [
        ("Isend", "send"),
        ("irecv", "receive"),
        ("Iprobe", "receive"),
        ("Ibcast", "collective"),
        ("test", "wait"),
        ("spawn", "other"),
    ],
)
def test_kinds_of_calls(operation, kind):
    assert kind_of(operation) == kind


@pytest.mark.mpi
def test_what_is_sent_on_a_duplicate_made_without_waiting_is_counted():
    def talk(comm):
        from efficient_ai.parallel import CountingComm

        counting = CountingComm(comm)
        duplicate, request = counting.Idup()
        request.Wait()
        duplicate.send(b"x" * 100, 1) if comm.rank == 0 else duplicate.recv(source=0)
        return type(duplicate).__name__, sum(event.sent > 0 for event in counting.record.events)

    from efficient_ai.parallel import run_ranks

    assert run_ranks(talk, 2) == [("CountingComm", 1), ("CountingComm", 0)]
