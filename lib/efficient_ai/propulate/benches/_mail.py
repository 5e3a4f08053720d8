"""The mail of an island: workers whose departures and arrivals the reader writes, on shuffled mail and on MPI ranks."""

import random
from collections import defaultdict, deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from efficient_ai import checks


@dataclass
class Resident:
    """An individual on an island.

    Args:
        name: rank of birth and number there.
        loss: smaller is better.
        owner: the one rank of the island that may send it away.
        steps: how many migrations it has behind it.
        active: whether it breeds here; one that has left stays known.
    """

    name: tuple[int, int]
    loss: float
    owner: int
    steps: int = 0
    active: bool = True


@dataclass
class Islander:
    """A worker of an island, as the reader's functions get it.

    Args:
        rank: of this worker.
        islands: the ranks of each island.
        send: ``send(rank, kind, content)`` returns at once; the receiver gets a copy, some time.
        rng: the worker's private random generator.
        residents: all it knows on its island, by ``(name, steps)``.
        late: for departures that it heard of too early.
    """

    rank: int
    islands: list[list[int]]
    send: Callable[[int, str, Any], None]
    rng: random.Random
    residents: dict[tuple, Resident] = field(default_factory=dict)
    late: set[tuple] = field(default_factory=set)

    @property
    def island(self) -> int:
        """The island of this worker."""
        return next(i for i, ranks in enumerate(self.islands) if self.rank in ranks)

    @property
    def neighbours(self) -> list[int]:
        """The other ranks of its island."""
        return [rank for rank in self.islands[self.island] if rank != self.rank]

    def bear(self, number: int) -> None:
        """A new individual is evaluated: it is kept, and the neighbours are told."""
        born = Resident((self.rank, number), self.rng.random(), owner=self.rank)
        self.residents[born.name, 0] = born
        for rank in self.neighbours:
            self.send(rank, "born", born)


_ISLANDS = [[0, 1, 2], [3, 4], [5, 6]]
_OWNED = {
    (0, 0): 0.9,
    (0, 1): 0.2,
    (3, 0): 0.5,
    (0, 2): 0.3,
}  # name -> loss; best first: (0, 1), (0, 2), (3, 0), (0, 0)


def _rank_0(seed: int = 0) -> tuple[Islander, list[tuple]]:
    """Rank 0 of three islands, and the list that will hold what it sends: ``(rank, kind, content)``.

    It owns four active residents, one of them an immigrant. Two better ones belong to a neighbour or have left.
    """
    sent: list[tuple] = []
    post = lambda to, kind, content: sent.append((to, kind, deepcopy(content)))  # noqa: E731
    worker = Islander(0, deepcopy(_ISLANDS), post, random.Random(seed))
    known = [Resident(name, loss, owner=0, steps=int(name[0] == 3)) for name, loss in _OWNED.items()]
    known += [Resident((1, 0), 0.1, owner=1), Resident((0, 3), 0.05, owner=0, active=False)]
    worker.residents = {(one.name, one.steps): one for one in known}
    return worker, sent


def one_departure(emigrate: Callable, counts: dict[int, int]) -> None:
    """The best that rank 0 owns must leave, each for one island, with everybody told who has to know."""
    worker, sent = _rank_0()
    emigrate(worker, counts)
    total = sum(counts.values())
    expected = sorted(sorted(_OWNED, key=_OWNED.__getitem__)[:total])
    gone = [name for name in _OWNED if not worker.residents[name, int(name[0] == 3)].active]
    checks.equal(
        f"emigrate(worker, {counts}): no longer active on rank 0, of those it owns", sorted(gone), expected
    )
    told = [(rank, content) for rank, kind, content in sent if kind == "left"]
    wanted = [(rank, (name, int(name[0] == 3))) for name in expected for rank in (1, 2)]
    checks.same_items("the messages 'left' as pairs (rank, content),", told, wanted)
    arrived = [(rank, one) for rank, kind, one in sent if kind == "arrived"]
    for island, count in counts.items():
        ranks = _ISLANDS[island]
        names = [{one.name for rank, one in arrived if rank == to} for to in ranks]
        checks.equal(f"how many arrive on rank {ranks[0]} of island {island}", len(names[0]), count)
        checks.equal(f"who arrives on rank {ranks[1]} of island {island}", names[1], names[0])
    places = sorted(one.name for rank, one in arrived if rank in (3, 5))  # one rank of each island
    checks.equal("those that arrive on all islands together", places, expected)
    for rank, one in arrived:
        home = next(ranks for ranks in _ISLANDS if rank in ranks)
        given = (one.loss, one.steps, one.active, one.owner in home)
        what = f"(loss, steps, active, owner is of its new island) of {one.name}, sent to rank {rank},"
        checks.equal(what, given, (_OWNED[one.name], int(one.name[0] == 3) + 1, True, True))
        owners = {other.owner for _, other in arrived if other.name == one.name}
        checks.equal(f"the number of owners of {one.name} on its new island", len(owners), 1)


def nobody_leaves(emigrate: Callable, counts: dict[int, int]) -> None:
    """More should leave than rank 0 owns: nothing may change and nothing be sent."""
    worker, sent = _rank_0()
    before = deepcopy(worker.residents)
    emigrate(worker, counts)
    checks.equal(f"emigrate(worker, {counts}) with 4 active ones of its own: messages sent", len(sent), 0)
    checks.holds(
        "the residents afterwards", worker.residents == before, "some have changed, though nobody may go."
    )


def chance_decides(emigrate: Callable) -> None:
    """In 60 departures, the best must go to each island at times, and each rank there must be made owner at times."""
    targets, owners = set(), set()
    for seed in range(60):
        worker, sent = _rank_0(seed)
        emigrate(worker, {1: 1, 2: 1})
        arrived = [one for _, kind, one in sent if kind == "arrived"]
        owners.update(one.owner for one in arrived)
        targets.update(rank for rank, kind, one in sent if kind == "arrived" and one.name == (0, 1))
    checks.equal("the ranks to which the best one went in 60 departures", sorted(targets), [3, 4, 5, 6])
    checks.equal("the owners that were drawn in 60 departures", sorted(owners), [3, 4, 5, 6])


def on_shuffled_mail(
    emigrate: Callable, receive: Callable, islands, generations: int, seed: int
) -> list[Islander]:
    """Let workers bear, send away and receive in a random order; the workers when all mail is delivered.

    Mail from one worker to another keeps its order, as MPI guarantees. Apart from that anything may overtake anything:
    between some pairs of workers the mail is a hundred times slower than between others.
    """
    rng = random.Random(seed)
    mail: dict[tuple[int, int], deque] = defaultdict(deque)
    ranks = [rank for island in islands for rank in island]
    haste = {(a, b): 100 ** rng.random() for a in ranks for b in ranks}

    def worker(rank: int) -> Islander:
        post = lambda to, kind, content: mail[rank, to].append((kind, deepcopy(content)))  # noqa: E731
        return Islander(rank, [list(island) for island in islands], post, random.Random(1000 * seed + rank))

    workers = {rank: worker(rank) for rank in ranks}
    todo = [rank for rank in ranks for _ in range(generations)]
    rng.shuffle(todo)
    while todo or any(mail.values()):
        waiting = [pair for pair, letters in mail.items() if letters]
        if todo and (not waiting or rng.random() < 0.2):
            _live(workers[todo.pop()], emigrate, todo)
        else:
            pair = rng.choices(waiting, [haste[pair] for pair in waiting])[0]
            receive(workers[pair[1]], *mail[pair].popleft())
    return list(workers.values())


def _live(worker: Islander, emigrate: Callable, left: list[int]) -> None:
    """One generation: a birth, and perhaps a departure to some of the other islands."""
    worker.bear(left.count(worker.rank))
    others = [i for i in range(len(worker.islands)) if i != worker.island]
    if worker.rng.random() < 0.7:
        emigrate(worker, {i: worker.rng.choice((0, 1, 1, 2)) for i in others})


def on_ranks_of_islands(
    emigrate: Callable, receive: Callable, islands, generations: int, patience: float
) -> list[Islander]:
    """The same on real MPI ranks, one per worker."""
    ranks = sum(map(len, islands))
    found = checks.on_ranks(_migrate, ranks, emigrate, receive, islands, generations, timeout=3 * patience)
    none = lambda *message: None  # noqa: E731
    return [Islander(rank, islands, none, random.Random(), kept) for rank, kept in enumerate(found)]


def _migrate(comm, emigrate: Callable, receive: Callable, islands, generations: int) -> dict:
    requests = []
    post = lambda to, kind, content: requests.append(comm.isend((kind, content), dest=to))  # noqa: E731
    worker = Islander(comm.rank, [list(island) for island in islands], post, random.Random(comm.rank))
    farewells = 0

    def take_in() -> int:
        kind, content = comm.recv()
        if kind == "farewell":  # the last message of its sender
            return 1
        receive(worker, kind, content)
        return 0

    comm.Barrier()
    for generation in range(generations):
        _live(worker, emigrate, [comm.rank] * generation)
        while comm.iprobe():
            farewells += take_in()
    for rank in range(comm.size):
        if rank != comm.rank:
            post(rank, "farewell", None)
    while farewells < comm.size - 1:
        farewells += take_in()
    for request in requests:
        request.wait()
    return worker.residents


def one_island_each(workers: list[Islander], generations: int) -> None:
    """Every individual must be active on exactly one island, and all workers there must agree on it and on its owner."""
    where = defaultdict(set)  # name -> islands
    for island in workers[0].islands:
        seen = [_active(workers[rank]) for rank in island]
        for rank, active in zip(island, seen, strict=True):
            for here, there, one, other in (
                (active, seen[0], rank, island[0]),
                (seen[0], active, island[0], rank),
            ):
                told = f"individual {min(here.keys() - there.keys(), default='')} breeds on rank {one} and not on rank {other}."
                checks.holds("two workers of one island", here.keys() <= there.keys(), told)
            for name, owners in active.items():
                told = f"the owner of individual {name} is rank {owners[0]}, none of the island's {island}."
                checks.holds(f"on rank {rank}", owners[0] in island, told)
                same = f"individual {name} has owner {owners[0]} on rank {rank}, and another one on rank {island[0]}."
                checks.holds("two owners", owners == seen[0][name], same)
                where[name].add(workers[rank].island)
    for name in ((worker.rank, number) for worker in workers for number in range(generations)):
        places = sorted(where[name])
        told = f"individual {name} is active on " + (f"the islands {places}." if places else "no island.")
        checks.holds("when all mail is delivered", len(places) == 1, told)


def _active(worker: Islander) -> dict[tuple, list[int]]:
    """Owners of the individuals that are active, by name; more than one if it is active twice."""
    found = defaultdict(list)
    for resident in worker.residents.values():
        if resident.active:
            found[resident.name].append(resident.owner)
    twice = [name for name, owners in found.items() if len(owners) > 1]
    checks.holds(f"on rank {worker.rank}", not twice, f"individual {twice[:1]} is active twice.")
    return found
