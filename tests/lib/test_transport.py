"""Letters: nobody waits, order is kept, a deaf rank makes nobody else deaf, and what was not received is counted."""

import subprocess
import sys
import time

import pytest

from efficient_ai.parallel import run_ranks

pytestmark = pytest.mark.mpi
NUMBER = 1500


def take_part(comm, deaf, seconds, number, size=200):
    """All ranks but ``deaf`` send ``number`` letters to all; what each has heard of each when the healthy ones are through."""
    from efficient_ai.transport import Letters

    box = Letters(comm)
    heard = {rank: [] for rank in box.others}

    def listen():
        for sender, letter in box.arrived():
            assert len(letter) == size
            heard[sender].append(int.from_bytes(letter[:4], "big"))

    def text(i):
        return i.to_bytes(4, "big") + bytes(size - 4)

    if comm.rank == deaf:
        time.sleep(seconds)
        early = {}
    else:
        began = time.monotonic()
        for i in range(number):
            box.post(text(i), box.others)
            listen()
        others = [rank for rank in box.others if rank != deaf]
        assert box.flush(seconds, listen, others) == {}
        while any(len(heard[rank]) < number for rank in others) and time.monotonic() - began < seconds - 1:
            listen()
            time.sleep(0.001)
        early = {rank: len(heard[rank]) for rank in others}
        assert time.monotonic() - began < seconds, "the healthy ranks waited for the deaf one"
        assert deaf is None or len(box._under_way[deaf]) <= box.unmatched
    while any(len(letters) < (0 if rank == deaf else number) for rank, letters in heard.items()):
        listen()  # whoever goes away would leave the others with letters that nobody receives
        time.sleep(0.001)
    lost = box.flush(20, listen)
    comm.barrier()
    listen()
    return early, {rank: letters == sorted(letters) for rank, letters in heard.items()}, lost, {
        rank: len(letters) for rank, letters in heard.items()
    }  # fmt: skip


def test_a_rank_that_computes_for_seconds_makes_nobody_else_deaf():
    answers = run_ranks(take_part, 4, 2, 10.0, NUMBER, timeout=90)
    for rank in (0, 1, 3):
        early, in_order, lost, _ = answers[rank]
        assert early == {other: NUMBER for other in (0, 1, 3) if other != rank}, "heard while rank 2 was deaf"
        assert all(in_order.values()) and lost == {}
    assert answers[2][3] == {0: NUMBER, 1: NUMBER, 3: NUMBER}, "afterwards it hears all of it"


def test_letters_larger_than_any_pool_arrive_too():
    answers = run_ranks(take_part, 2, None, 30.0, 30, 300_000, timeout=60)
    assert [counts for *_, counts in answers] == [{1: 30}, {0: 30}]


def test_a_rank_that_never_listens_is_given_up_and_what_it_missed_is_counted():
    def one_sided(comm):
        from efficient_ai.transport import Letters

        box = Letters(comm, unmatched=2)
        lost = {}
        if comm.rank == 0:
            for _ in range(10):
                box.post(b"x", [1])
            before = box.unsent(1)
            lost = box.flush(0.3, lambda: None)
            assert before == 10 and box.unsent(1) == 0
        comm.barrier()
        found = [letter for _, letter in box.arrived()]  # two were under way, the others come all in one
        return lost, found

    (lost, _), (_, found) = run_ranks(one_sided, 2, timeout=60)
    assert lost == {1: 10} and found == [b"x"] * 10, "who comes back finds what was given up"


def test_a_world_of_one_and_wrong_ranks_are_answered():
    def alone(comm):
        from efficient_ai.transport import Letters

        box = Letters(comm)
        box.post(b"x", [])
        for wrong in ([comm.rank], [5], [-1]):
            with pytest.raises(ValueError, match="no letters to rank"):
                box.post(b"x", wrong)
        with pytest.raises(ValueError, match="at least one"):
            Letters(comm, unmatched=0)
        return list(box.arrived()), box.flush(1, lambda: None)

    assert run_ranks(alone, 1, timeout=60) == [([], {})]


def test_letters_and_searches_load_no_torch():
    """Ranks start in seconds on a busy machine only if they load nothing large that they do not use."""
    code = "import sys, efficient_ai.propulate, efficient_ai.transport; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def sent_apart(comm):
    """Letters that were posted one by one while nobody looked, and what one look finds."""
    from efficient_ai.transport import Letters

    box = Letters(comm)
    if comm.rank == 0:
        for i in range(box.unmatched):
            box.post(bytes([i]) * 300, [1])
            time.sleep(0.05)
    else:
        time.sleep(1.0)  # without a look: a barrier would be one
    found = [letter[0] for _, letter in box.arrived()] if comm.rank == 1 else None
    while box.flush(20, lambda: list(box.arrived())):
        pass
    comm.barrier()
    return found


def test_one_look_finds_all_that_is_there():
    for found in (run_ranks(sent_apart, 2, timeout=60)[1] for _ in range(3)):
        assert found == [0, 1, 2, 3]
