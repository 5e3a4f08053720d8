"""What is written down is read back exactly, whenever the end came; and nothing goes on by accident."""

import json
import math
import os
import signal
import time
import warnings
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai import parallel
from efficient_ai.propulate import (
    Choice,
    Float,
    Individual,
    Integer,
    Islands,
    LogFloat,
    Move,
    Ordinal,
    Space,
    default_propagator,
    evolve,
    read_checkpoint,
)
from efficient_ai.propulate._checkpoint import Checkpoint, read
from efficient_ai.propulate._population import by_loss

SPACE = Space(
    {
        "x": Float(-5, 5),
        "rate": LogFloat(1e-4, 1),
        "n": Integer(1, 9),
        "size": Ordinal(16, 24, 64),
        "kind": Choice("a", None, 2.5),
    }
)


def loss(genes):
    return genes["x"] ** 2 + genes["rate"] + genes["n"] + (genes["kind"] == "a")


def started(folder, rank=0, resume=False, space=SPACE, islands=None, workers=1):
    checkpoint = Checkpoint(folder, space, islands or Islands(1), rank, workers, seed=0)
    history = checkpoint.prepare(resume)
    checkpoint.begin()
    return checkpoint, history


# -- the files --------------------------------------------------------------------------------------------------------


@given(
    st.floats(-5, 5), st.floats(allow_nan=False), st.text(max_size=20), st.sampled_from(SPACE.genes[4].values)
)
@settings(max_examples=60, deadline=None)
def test_an_individual_comes_back_exactly(tmp_path_factory, x, loss, error, kind):
    folder = tmp_path_factory.mktemp("run")
    individual = Individual((x, 1e-4, 9, 24, kind), loss, 3, 7, 0.1, 0.30000000000000004, 5, error, 2)
    checkpoint, _ = started(folder)
    checkpoint.birth(individual)
    checkpoint.close()
    (again,) = read(folder, SPACE).births
    assert again == individual and [type(g) for g in again.genes] == [type(g) for g in individual.genes]


def test_events_of_islands_come_back(tmp_path):
    checkpoint, _ = started(tmp_path)
    checkpoint.departure(Move((1, 2), 0, 1, 0.5, 3))
    checkpoint.copy(Move((1, 2), 0, 1, 0.5), (4, 5))
    checkpoint.close()
    history = read(tmp_path, SPACE)
    assert history.departures == [Move((1, 2), 0, 1, 0.5, 3)]
    assert history.copies == [(Move((1, 2), 0, 1, 0.5), (4, 5))]


def test_an_end_at_any_byte_loses_no_whole_line(tmp_path):
    """The file is cut at random places; what is whole is read, and the next run appends behind it."""
    rng = Random(0)
    checkpoint, _ = started(tmp_path)
    born = [
        Individual(SPACE.sample(rng), rng.random(), 0, i, i, i + 0.5, error="ü\n" * (i % 3))
        for i in range(20)
    ]
    for individual in born:
        checkpoint.birth(individual)
    checkpoint.close()
    path = tmp_path / "rank-0.jsonl"
    whole = path.read_bytes()
    for cut in [0, 1, len(whole) - 1, *rng.sample(range(len(whole)), 60)]:
        path.write_bytes(whole[:cut])
        lines = whole[:cut].count(b"\n")
        checkpoint, history = started(tmp_path, resume=True)
        assert history.births == born[:lines]
        checkpoint.birth(born[-1])
        checkpoint.close()
        assert read(tmp_path, SPACE).births == [*born[:lines], born[-1]]


def test_a_damaged_line_costs_one_evaluation_and_is_told(tmp_path):
    checkpoint, _ = started(tmp_path)
    for i in range(3):
        checkpoint.birth(Individual((0.5, 0.5, 5, 16, None), 0.25, 0, i, 1.5, 2.5 + i, i))
    path = tmp_path / "rank-0.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:20] + b"\n" + lines[2] + b'{"event": "birth"}\n\x00\xff\n')
    with pytest.warns(
        UserWarning, match=r"3 damaged lines are left out: line 2 of .*rank-0.jsonl.*and 2 more"
    ):
        assert [individual.generation for individual in read_checkpoint(tmp_path, SPACE)] == [0, 2]


class Nearly:
    """A file on a disk that takes a part of a line, and after ``whole`` writes nothing at all."""

    def __init__(self, file, part, whole=10**9):
        self.file, self.part, self.left = file, part, whole

    def write(self, line):
        if self.left == 0:
            raise OSError(28, "No space left on device")
        self.left -= 1
        return self.file.write(line[: self.part])

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_short_write_is_finished_and_one_that_fails_leaves_no_half_line(tmp_path):
    checkpoint, _ = started(tmp_path)
    one = Individual((0.5, 0.5, 5, 16, None), 0.25, 0, 0, 1.5, 2.5, 0)
    checkpoint._file = Nearly(checkpoint._file, part=7)
    checkpoint.birth(one)
    assert read_checkpoint(tmp_path, SPACE) == [one]
    checkpoint._file = Nearly(checkpoint._file.file, part=7, whole=2)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.birth(one._replace(generation=1))
    checkpoint._file = checkpoint._file.file
    checkpoint.birth(one._replace(generation=2))
    assert [individual.generation for individual in read_checkpoint(tmp_path, SPACE)] == [0, 2]


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    checkpoint, _ = started(tmp_path)
    with pytest.raises(ValueError, match="another run is writing to"):
        started(tmp_path, resume=True)
    checkpoint.close()
    started(tmp_path, resume=True)


def test_a_line_is_written_at_once_and_as_long_after_many_as_after_few(tmp_path):
    checkpoint, _ = started(tmp_path)
    path, grown = tmp_path / "rank-0.jsonl", []
    for i in range(300):
        before = path.stat().st_size
        checkpoint.birth(Individual((0.5, 0.5, 5, 16, None), 0.25, 0, 100 + i, 1.5, 2.5, 100 + i))
        grown.append(path.stat().st_size - before)
    assert len(set(grown)) == 1


# -- what is refused --------------------------------------------------------------------------------------------------


def test_the_same_run_may_go_on(tmp_path):
    started(tmp_path)
    described = json.loads((tmp_path / "run.json").read_text())
    assert described["workers"] == 1 and described["seed"] == 0 and described["version"] and described["date"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        started(tmp_path, resume=True)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"resume": False}, "holds a run: resume=True goes on with it"),
        ({"space": Space({"x": Float(-5, 5)})}, "'rate' was LogFloat.* and is now not searched"),
        (
            {"space": Space(dict(zip(SPACE.names, (Float(-5, 6), *SPACE.genes[1:]), strict=True)))},
            r"'x' was .*5\.0.*6\.0",
        ),
        ({"space": Space(dict(zip(SPACE.names[::-1], SPACE.genes[::-1], strict=True)))}, "another order"),
        ({"islands": Islands(3)}, r"islands of \[2, 2\] workers, not \[2, 1, 1\]"),
        ({"islands": Islands([1, 3])}, r"islands of \[2, 2\] workers, not \[1, 3\]"),
        ({"islands": Islands(2, pollination=True)}, "has migration, not pollination"),
    ],
)
def test_another_run_is_refused_and_the_difference_named(tmp_path, change, message):
    started(tmp_path, islands=Islands(2), workers=4)
    with pytest.raises(ValueError, match=message):
        started(tmp_path, **{"islands": Islands(2), "workers": 4, "resume": True} | change)


def test_objects_without_a_text_of_their_own_are_the_same_in_the_next_process(tmp_path):
    first, again = (Space({"f": Choice(object(), object())}) for _ in range(2))
    started(tmp_path, space=first)
    started(tmp_path, space=again, resume=True)


def test_another_number_of_workers_is_told(tmp_path):
    started(tmp_path, workers=4)
    with pytest.warns(UserWarning, match="had 4 workers and goes on with 2"):
        started(tmp_path, workers=2, resume=True)


# -- runs on ranks ----------------------------------------------------------------------------------------------------


def search(comm, folder, evaluations, resume=False, islands=None, evaluate=loss):
    breed = default_propagator(SPACE, 4)
    return evolve(
        comm,
        SPACE,
        evaluate,
        breed,
        seed=0,
        evaluations=evaluations,
        checkpoint=folder,
        resume=resume,
        islands=islands,
    )


def refused(comm, folder):
    told = []
    for arguments in ({"resume": True}, {"resume": False}, {"resume": False}):
        try:
            search(comm, folder if comm.rank == 0 else Path(folder), 8, **arguments)
        except ValueError as error:
            told.append(str(error))
    return told


@pytest.mark.mpi
def test_all_ranks_refuse_together(tmp_path):
    """No run to resume; then a new one; then one that would overwrite it, which only rank 0 notices."""
    for told in parallel.run_ranks(refused, 3, str(tmp_path / "new" / "run"), timeout=30):
        assert ["there is no run" in told[0], "holds a run" in told[1]] == [True, True] and len(told) == 2


def go_on_with_fewer(comm, folder):
    """The run in ``folder``, and a random search that is resumed."""
    at_random = [
        evolve(
            comm,
            SPACE,
            loss,
            lambda population, rng: SPACE.sample(rng),
            seed=0,
            evaluations=evaluations,
            checkpoint=f"{folder}/random",
            resume=evaluations > 10,
        )
        for evaluations in (10, 30)
    ]
    return search(comm, folder, 90, resume=True), at_random[-1]


@pytest.mark.mpi
def test_a_finished_run_goes_on_with_another_number_of_ranks(tmp_path):
    first = parallel.run_ranks(search, 3, tmp_path, 60)[0]
    # by_loss and not the tuples themselves: genes may be categories of different types, which have no order
    assert sorted(read_checkpoint(tmp_path, SPACE), key=by_loss) == sorted(first.individuals, key=by_loss)
    runs, at_random = zip(*parallel.run_ranks(go_on_with_fewer, 2, tmp_path), strict=True)
    assert runs[0].individuals == runs[1].individuals
    names = Counter(ind.name for ind in runs[0].individuals)
    assert set(names.values()) == {1} and len(names) >= 90
    assert set(first.individuals) <= set(runs[0].individuals)
    new = set(runs[0].individuals) - set(first.individuals)
    assert min(ind.started for ind in new) >= first.seconds, "the clock goes on"
    drawn = [ind.genes for ind in at_random[0].individuals]
    assert len(set(drawn)) == len(drawn) >= 30, "what was drawn before is not drawn again"
    assert sorted(read_checkpoint(tmp_path, SPACE), key=by_loss) == list(runs[0].individuals)


def islands_twice(comm, folder):
    """Migration, then pollination; each resumed with a budget that is used up, so that nothing new is evaluated."""
    cuts = [Islands([1, 2], probability=1.0, pollination=pollination) for pollination in (False, True)]
    return [
        [search(comm, f"{folder}/{i}", n, resume, islands) for n, resume in ((90, False), (20, True))]
        for i, islands in enumerate(cuts)
    ]


@pytest.mark.mpi
def test_islands_are_found_as_they_were_left(tmp_path):
    for migration, pollination in parallel.run_ranks(islands_twice, 3, tmp_path):
        for before, after in (migration, pollination):
            assert before.individuals == after.individuals and before.active == after.active
            assert before.best == after.best and before.reason == after.reason == "evaluations"
            assert after.moves and len(before.individuals) > sum(
                i.island == before.island for i in before.individuals
            )
        assert sorted(migration[0].moves) == sorted(migration[1].moves)


# -- death ------------------------------------------------------------------------------------------------------------


class Deadly:
    """Notes each evaluation that it ends, for itself; rank 1 dies in its sixth."""

    def __init__(self, comm, folder):
        self.diary, self.deaths_door = (
            open(f"{folder}/diary-{comm.rank}", "a"),
            6 if comm.rank == 1 else math.inf,
        )

    def __call__(self, genes):
        self.deaths_door -= 1
        time.sleep(0.03)
        if self.deaths_door == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        print(repr(genes["x"]), file=self.diary, flush=True)
        return loss(genes)


def deadly(comm, folder):
    return search(comm, f"{folder}/run", 60, evaluate=Deadly(comm, folder))


def continued(comm, folder):
    return search(comm, f"{folder}/run", 60, resume=True)


def check_nothing_is_lost(folder, runs):
    """Every evaluation that ended before the death is in the continued run; on each rank that was killed, its very
    last one may have ended and not yet been written."""
    diary = [line for path in folder.glob("diary-*") for line in path.read_text().splitlines()]
    found = {repr(ind.genes[0]) for ind in runs[0].individuals}
    assert 10 <= len(diary) < 60 and len(set(diary) - found) <= 3
    assert len({ind.name for ind in runs[0].individuals}) == len(runs[0].individuals) >= 60


@pytest.mark.mpi
def test_a_killed_rank_is_named_and_the_run_goes_on(tmp_path):
    with pytest.raises(parallel.RankError, match=r"rank 1: .*SIGKILL"):
        parallel.run_ranks(deadly, 3, tmp_path, timeout=30)  # when time is up, the error is another one
    before = {ind.name for ind in read_checkpoint(tmp_path / "run", SPACE)}
    runs = parallel.run_ranks(continued, 3, tmp_path)
    assert before <= {ind.name for ind in runs[0].individuals}
    check_nothing_is_lost(tmp_path, runs)


@pytest.mark.mpi
def test_a_killed_engine_is_named_and_the_run_goes_on(tmp_path):
    with parallel.start_cluster(3, where="laptop") as cluster:
        with pytest.raises(parallel.RankError, match=r"rank 1: .*SIGKILL"):
            cluster.run(deadly, tmp_path, timeout=60)
        check_nothing_is_lost(tmp_path, cluster.run(continued, tmp_path, timeout=60))
