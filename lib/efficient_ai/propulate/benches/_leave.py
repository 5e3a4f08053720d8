"""Who leaves an island: the worker that the reader's functions get, and a look at one departure."""

import random
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
_OWNED = {(0, 1): 0.2, (0, 2): 0.3, (3, 0): 0.5, (0, 0): 0.9}  # name -> loss of what rank 0 owns, best first


def _rank_0(seed: int = 0) -> tuple[Islander, list[tuple]]:
    """Rank 0 of three islands, and the list that will hold what it sends: ``(rank, kind, content)``.

    It owns four active residents, one of them an immigrant. Two better ones belong to a neighbour or have left.
    """
    sent: list[tuple] = []

    def post(to, kind, content):
        sent.append((to, kind, deepcopy(content)))

    worker = Islander(0, deepcopy(_ISLANDS), post, random.Random(seed))
    known = [Resident(name, loss, owner=0, steps=int(name[0] == 3)) for name, loss in _OWNED.items()]
    known += [Resident((1, 0), 0.1, owner=1), Resident((0, 3), 0.05, owner=0, active=False)]
    random.Random(1).shuffle(known)
    worker.residents = {(one.name, one.steps): one for one in known}
    return worker, sent


def one_departure(emigrate: Callable, counts: dict[int, int]) -> None:
    """The best that rank 0 owns must leave, each for one island, with everybody told who has to know."""
    worker, sent = _rank_0()
    emigrate(worker, counts)
    total = sum(counts.values())
    expected = sorted(list(_OWNED)[:total])
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
