"""Messages that nobody waits for: large ones, many, and those of another run."""

import time

import pytest

from efficient_ai import parallel
from efficient_ai.propulate import _mail
from efficient_ai.propulate._mail import Mail


def large_at_once(comm):
    """Both ranks send what no buffer of MPI holds before either looks: with blocking sends, a dead-lock."""
    mail = Mail(comm)
    mail.meet("")
    for i in range(4):
        mail.post("large", bytes([i]) * 3_000_000, mail.others)
    under_way = sum(map(mail.letters.unsent, mail.others))
    got = []
    lost = mail.wait(
        lambda: set() if len(got) == 4 else {1 - comm.rank},
        lambda: got.extend(payload for _, _, payload in mail.arrived()),
        patience=20.0,
    )
    mail.flush(mail.others, 20.0)
    return (
        under_way,
        lost,
        [(len(payload), set(payload)) for payload in got],
        [*map(mail.letters.unsent, mail.others)],
    )


@pytest.mark.mpi
def test_large_messages_cross_without_a_dead_lock():
    for under_way, lost, got, outbox in parallel.run_ranks(large_at_once, 2):
        assert under_way > 0, "they left before anybody looked"
        assert not lost and got == [(3_000_000, {i}) for i in range(4)], "in order and intact"
        assert not any(outbox)


def many(comm):
    """Rank 0 tells rank 1 everything, and rank 2 nothing but hello; how many buffers does it keep?"""
    mail, kept, got = Mail(comm), 0, []
    mail.meet("")
    if comm.rank == 0:
        for i in range(3000):
            mail.post("number", i, [1])
            time.sleep(0.002 if i % 100 == 0 else 0)
            kept = max(kept, len(mail.letters._under_way[1]))
        left = mail.letters.unsent(1)
        mail.flush(mail.others, 20.0)
        return kept, left
    if comm.rank == 1:
        mail.wait(
            lambda: set() if len(got) == 3000 else {0},
            lambda: got.extend(payload for _, _, payload in mail.arrived()),
            patience=20.0,
        )
    return got


@pytest.mark.mpi
def test_buffers_are_given_back_as_one_goes():
    (kept, left), got, nothing = parallel.run_ranks(many, 3)
    assert got == list(range(3000)) and nothing == []
    assert left < 3000 and kept <= 4, "few are under way at a time, whoever is slow"


def two_runs(comm):
    """Rank 1 speaks of its first run when rank 0 is in the second one already."""
    first = Mail(comm)
    first.meet("")
    if comm.rank == 1:
        first.post("old", "late news", [0])
    second = Mail(comm)
    words = second.meet(f"rank {comm.rank}")
    if comm.rank == 1:
        second.post("new", "news", [0])
    got = []
    second.wait(
        lambda: set() if got or comm.rank else {1},
        lambda: got.extend(second.arrived()),
        patience=20.0,
    )
    return words, got


@pytest.mark.mpi
def test_late_words_about_an_earlier_run_are_dropped():
    (words, got), (same, _) = parallel.run_ranks(two_runs, 2)
    assert words == same == ["rank 0", "rank 1"] and got == [(1, "new", "news")]


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_patience_begins_anew_with_each_sign_of_life(monkeypatch):
    """Ranks 1 and 2 speak until 101 and 102 and then no more; with a patience of 3 seconds, waiting ends at 105."""
    clock = Clock()
    monkeypatch.setattr(_mail, "time", clock)
    mail = object.__new__(_mail.Mail)
    mail.heard = {1: 0.0, 2: 0.0}

    def listen():
        mail.heard = {1: min(clock.now, 101.0), 2: min(clock.now, 102.0)}

    assert mail.wait(lambda: {1, 2}, listen, patience=3.0) == {1, 2}
    assert clock.now == pytest.approx(105, abs=0.01)
    mail.heard = {1: 0.0, 2: 0.0}
    assert mail.wait(lambda: {1}, lambda: None, patience=3.0) == {1}
    assert clock.now == pytest.approx(108, abs=0.01), "counted from the own last evaluation at the earliest"
