"""The island model: who lives where, however the messages cross."""

from collections import Counter
from random import Random
from types import SimpleNamespace

import pytest

from efficient_ai import parallel
from efficient_ai.propulate import (
    Float,
    Individual,
    Islands,
    Space,
    _worker,
    default_propagator,
    evolve,
    plan_emigration,
    plan_pollination,
    plan_replacement,
)
from efficient_ai.propulate._islands import Residents, owner
from efficient_ai.propulate._stopping import Criteria

SPACE = Space({"x": Float(-5, 5), "y": Float(-5, 5)})
LOOP = [[0, 2, 0], [0, 0, 1], [1, 0, 0]]


def sphere(genes):
    return genes["x"] ** 2 + genes["y"] ** 2


def individuals(n):
    return [Individual((float(i),), float(i), rank=i % 3, generation=i // 3) for i in range(n)]


# -- the plans --------------------------------------------------------------------------------------------------------


def test_emigrants_are_the_best_in_disjoint_pieces():
    plan = plan_emigration(individuals(10), [0, 2, 1, 0], Random(0))
    assert {target: len(piece) for target, piece in plan.items()} == {1: 2, 2: 1}
    assert sorted(ind.loss for piece in plan.values() for ind in piece) == [0, 1, 2]


def test_the_best_does_not_always_go_to_the_same_island():
    targets = Counter()
    for seed in range(200):
        for target, piece in plan_emigration(individuals(10), [0, 1, 1], Random(seed)).items():
            targets[target] += piece[0].loss == 0
    assert targets[1] + targets[2] == 200 and 60 < targets[1] < 140


def test_nobody_leaves_if_too_few_are_there():
    assert plan_emigration(individuals(2), [0, 2, 1], Random(0)) == {}
    assert plan_emigration(individuals(2), [0, 0, 0], Random(0)) == {}
    assert plan_pollination(individuals(1), [0, 2, 1], Random(0)) == {}


def test_copies_of_the_same_best_go_to_all():
    plan = plan_pollination(individuals(10), [2, 0, 1], Random(0))
    assert [[ind.loss for ind in plan[target]] for target in (0, 2)] == [[0, 1], [0]]


def test_who_leaves_and_who_makes_room_can_be_chosen():
    def middle(count):
        return lambda those, rng: those[len(those) // 2 :][:count]

    assert plan_emigration(individuals(10), [0, 1], Random(0), middle)[1][0].loss == 5
    assert plan_pollination(individuals(10), [0, 1], Random(0), middle)[1][0].loss == 5
    assert plan_replacement(individuals(10), Random(0), middle).loss == 5
    assert plan_replacement(individuals(10), Random(0)).loss == 9


def test_workers_are_cut_into_blocks():
    assert Islands(3).blocks(8) == [range(0, 3), range(3, 6), range(6, 8)]
    assert Islands([1, 3]).blocks(4) == [range(0, 1), range(1, 4)]
    assert Islands(3).row(1) == [1, 0, 1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"sizes": []}, "number of islands"),
        ({"sizes": [2, 0]}, "at least one"),
        ({"sizes": 2, "topology": [[0, 1]]}, "2 rows and 2 columns"),
        ({"sizes": 2, "topology": [[0, 1], [-1, 0]]}, "not negative"),
        ({"sizes": 2, "topology": [[1, 1], [1, 0]]}, "diagonal"),
        ({"probability": 1.5}, "not a probability"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Islands(**arguments)


def test_islands_that_do_not_fit_the_workers_are_refused():
    with pytest.raises(ValueError, match="need at least 5 workers, there are 4"):
        Islands(5).blocks(4)
    with pytest.raises(ValueError, match="need 5 workers, there are 4"):
        Islands([3, 2]).blocks(4)


# -- residence --------------------------------------------------------------------------------------------------------


def test_every_individual_has_one_owner_wherever_it_is():
    for individual in individuals(30):
        assert owner(individual, range(0, 3)) == individual.rank
        assert owner(individual, range(5, 8)) in range(5, 8)


def test_any_order_of_news_ends_in_the_same_state():
    """Arrived, left, returned, left, returned: with every message late or early, the last phase wins."""
    guest = Individual((0.0,), 1.0, rank=9, generation=0)
    news = [(2, guest), (3, None), (6, guest), (7, None), (10, guest)]
    for length, active in ((1, True), (2, False), (3, True), (4, False), (5, True)):
        for seed in range(30):
            shuffled = Random(seed).sample(news[:length], length)
            residents = Residents(0, range(1))
            for phase, individual in shuffled:
                residents.learn(guest.name, phase, individual)
            assert residents.is_active(guest.name) == active
            assert list(residents.population) == list(residents.owned) == [guest] * active
            assert residents.population.known == [guest]


# -- whole runs with a mail that we control ---------------------------------------------------------------------------


class Office:
    """Keeps all messages of a run in one process and hands them out late and in any order, farewells last."""

    def __init__(self, size, rng):
        self.boxes, self.rng = [[] for _ in range(size)], rng

    def mail(self, comm, values=()):
        office, others = self, [rank for rank in range(comm.size) if rank != comm.rank]

        class Mail:
            def __init__(self):
                self.others, self.most_under_way = others, 10**9

            def meet(self, word):
                return [word]

            def post(self, kind, payload, ranks):
                for rank in ranks:
                    office.boxes[rank].append((comm.rank, kind, payload))

            def arrived(self):
                box = office.boxes[comm.rank]
                office.rng.shuffle(box)
                ready = [message for message in box if message[1] != "farewell" and office.rng.random() < 0.5]
                for message in ready:
                    box.remove(message)
                    yield message

        return Mail()

    def deliver(self, worker):
        box = self.boxes[worker.comm.rank]
        self.rng.shuffle(box)
        box.sort(key=lambda message: message[1] == "farewell")
        for sender, kind, payload in box:
            getattr(worker, f"hear_{kind}")(*payload, sender=sender)
        box.clear()


def simulated(monkeypatch, islands, seed, size=6, evaluations=60):
    """The real workers, each taking its next turn at random."""
    office, rng = Office(size, Random(seed)), Random(seed + 1)
    monkeypatch.setattr(_worker, "Mail", office.mail)
    criteria, breed = Criteria(evaluations), default_propagator(SPACE, 4)
    workers = [
        _worker.Worker(
            SimpleNamespace(rank=rank, size=size),
            SPACE,
            sphere,
            breed,
            seed=seed,
            criteria=criteria,
            islands=islands,
        )
        for rank in range(size)
    ]
    while going := [worker for worker in workers if worker.goes_on]:
        worker = rng.choice(going)
        individual = worker.breed_and_evaluate()
        worker.listen()
        worker.tell(individual)
        worker.travel()
    for worker in workers:
        worker.say_farewell()
    for worker in workers:
        office.deliver(worker)
    return [worker.conclude(set()) for worker in workers]


def one_of_each_island(runs):
    """One run per island, after checking that all workers of an island ended with the same."""
    first = {}
    for run in runs:
        same = first.setdefault(run.island, run)
        assert run.individuals == same.individuals and run.active == same.active
        assert run.champion == runs[0].champion and run.moves == runs[0].moves
    return list(first.values())


def check_migration(runs, evaluations):
    """Every individual that was ever evaluated is active on exactly one island, the last of its route."""
    islands = one_of_each_island(runs)
    lives = Counter(ind.name for run in islands for ind in run.active)
    born = {ind.name: ind.island for run in islands for ind in run.individuals if ind.island == run.island}
    assert lives == Counter(dict.fromkeys(born, 1)) and len(born) >= evaluations
    place = dict(born)
    for move in sorted(runs[0].moves, key=lambda move: move.step):
        assert place[move.name] == move.origin, "it left an island that it was not on"
        place[move.name] = move.target
    assert all(place[ind.name] == run.island for run in islands for ind in run.active)
    return runs[0].moves


def check_pollination(runs, evaluations):
    """As many replacements as arrivals: every island has as many active individuals as were born there."""
    islands = one_of_each_island(runs)
    assert sum(len(run.active) for run in islands) >= evaluations
    arrivals = 0
    for run in islands:
        births = sum(ind.island == run.island for ind in run.individuals)
        assert len(run.active) == births
        arrivals += len(run.individuals) - births
    return arrivals


@pytest.mark.parametrize("topology", [None, LOOP])
def test_migration_leaves_everybody_on_exactly_one_island(monkeypatch, topology):
    moves = sum(
        len(check_migration(simulated(monkeypatch, Islands([1, 2, 3], topology), seed), 60))
        for seed in range(50)
    )
    assert moves > 50 * 5


@pytest.mark.parametrize("topology", [None, LOOP])
def test_pollination_replaces_as_many_as_arrive(monkeypatch, topology):
    islands = Islands([1, 2, 3], topology, pollination=True)
    arrivals = sum(check_pollination(simulated(monkeypatch, islands, seed), 60) for seed in range(50))
    assert arrivals > 50 * 5


def test_islands_without_traffic_stay_apart(monkeypatch):
    runs = simulated(monkeypatch, Islands(2, probability=0.0), 0)
    for run in one_of_each_island(runs):
        assert 30 <= len(run.individuals) <= 36 and all(ind.island == run.island for ind in run.individuals)
    assert runs[0].best.loss == min(ind.loss for run in runs for ind in run.individuals)


# -- real ranks -------------------------------------------------------------------------------------------------------


def on_ranks(comm):
    """Migration, pollination, and islands that do not fit."""
    breed = default_propagator(SPACE, 4)
    cut = Islands([1, 3], probability=1.0), Islands(2, probability=1.0, pollination=True)
    runs = [evolve(comm, SPACE, sphere, breed, evaluations=200, islands=islands, seed=1) for islands in cut]
    with pytest.raises(ValueError, match="5 islands need at least 5 workers, there are 4"):
        evolve(comm, SPACE, sphere, breed, evaluations=200, islands=5, seed=1)
    return runs


@pytest.mark.mpi
def test_islands_on_real_ranks():
    migration, pollination = zip(*parallel.run_ranks(on_ranks, 4), strict=True)
    assert len(check_migration(migration, 200)) > 10
    births = [sum(ind.island == run.island for ind in run.individuals) for run in migration[:2]]
    assert births[0] == 50 and births[1] >= 150, "the budget is shared in proportion to the workers"
    assert check_pollination(pollination, 200) >= 2
