"""The mail of an island: workers that migrate with the reader's functions, on shuffled mail and on MPI ranks."""

import random
from collections import defaultdict, deque
from collections.abc import Callable
from copy import deepcopy

from efficient_ai import checks
from efficient_ai.propulate.benches._leave import Islander


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
        def post(to, kind, content):
            mail[rank, to].append((kind, deepcopy(content)))

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
    return [Islander(rank, islands, _no_mail, random.Random(), kept) for rank, kept in enumerate(found)]


def _no_mail(rank: int, kind: str, content: object) -> None:
    """These workers have come back from their ranks: they are only looked at."""


def _migrate(comm, emigrate: Callable, receive: Callable, islands, generations: int) -> dict:
    requests = []

    def post(to, kind, content):
        requests.append(comm.isend((kind, content), dest=to))

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
            _same_breed(active, rank, seen[0], island[0])
            _same_breed(seen[0], island[0], active, rank)
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


def _same_breed(here: dict, rank: int, there: dict, other: int) -> None:
    """Whoever breeds on ``rank`` must breed on the ``other`` rank of its island."""
    only = sorted(here.keys() - there.keys())
    told = f"individual {only[:1]} breeds on rank {rank} and not on rank {other}."
    checks.holds("two workers of one island", not only, told)


def _active(worker: Islander) -> dict[tuple, list[int]]:
    """Owners of the individuals that are active, by name; more than one if it is active twice."""
    found = defaultdict(list)
    for resident in worker.residents.values():
        if resident.active:
            found[resident.name].append(resident.owner)
    twice = [name for name, owners in found.items() if len(owners) > 1]
    checks.holds(f"on rank {worker.rank}", not twice, f"individual {twice[:1]} is active twice.")
    return found
