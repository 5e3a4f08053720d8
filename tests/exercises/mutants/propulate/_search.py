"""Wrong loops of a worker."""

from mutants import Mutant

# The right loop with four places to get wrong.
_LOOP = """
def asynchronous_search(comm, generations, breed, evaluate):
    from mpi4py import MPI

    others = [rank for rank in {ranks} if rank != comm.rank]
    population, requests = [], []
    for generation in range(generations):
        candidate = breed({pool})
        individual = (comm.rank, generation, candidate, evaluate(candidate))
        population.append(individual)
        {send}
        {take}
    {drain}
    MPI.Request.waitall(requests)
    return population
"""


def _loop(
    ranks="range(comm.size)",
    pool="population",
    send="requests += [comm.isend(individual, dest=other) for other in others]",
    take="while comm.iprobe(): population.append(comm.recv())",
    drain="while len(population) < comm.size * generations: population.append(comm.recv())",
):
    return _LOOP.format(ranks=ranks, pool=pool, send=send, take=take, drain=drain)


MUTANTS = [
    Mutant(
        "breeds from its own individuals only",
        answer="search",
        source=_loop(pool="[individual for individual in population if individual[0] == comm.rank]"),
        fails="nobody-waits-test",
        says="it used 0 of the 10 individuals of rank 1",
    ),
    Mutant(
        "takes in one message per generation",
        answer="search",
        source=_loop(take="if comm.iprobe(): population.append(comm.recv())"),
        fails="nobody-waits-test",
        says="when rank 0 bred its last candidate: it used",
    ),
    Mutant(
        "takes in nothing before the end",
        answer="search",
        source=_loop(take="pass"),
        fails="nobody-waits-test",
        says="it used 0 of the 10 individuals of rank 1",
    ),
    Mutant(
        "generations in step",
        answer="search",
        source=_loop(
            send="population += comm.allgather(individual)",
            take="population.remove(individual)",
            drain="pass",
        ),
        fails="nobody-waits-test",
        says="rank 1 finished 1 of its 10 evaluations. It waits for rank 0",
        hidden=False,
        patience=4.0,
    ),
    Mutant(
        "leaves with messages still under way",
        answer="search",
        source=_loop(drain="pass"),
        fails="nobody-waits-test",
        says="as pairs (rank, generation), has",
        hidden=False,
    ),
    Mutant(
        "receives before it sends",
        answer="search",
        source=_loop(
            send="for other in others: population.append(comm.recv(source=other))",
            take="requests += [comm.isend(individual, dest=other) for other in others]",
        ),
        fails="nobody-waits-test",
        says="rank 3 hangs in line 10 (asynchronous_search): for other in others: population.append",
        hidden=False,
        patience=2.0,
    ),
    Mutant(
        "made for four ranks, and for two",
        answer="search",
        source=_loop(ranks="(range(4) if comm.size == 4 else range(max(comm.size, 2)))"),
        fails="any-world-test",
        says="rank 0 (of 1) stopped with",
    ),
    Mutant(
        "sends with a call that may wait",
        answer="search",
        source=_loop(send="for other in others: comm.send(individual, dest=other)"),
        fails="any-world-test",
        says="rank 0 hangs in line 10 (asynchronous_search): for other in others: comm.send(individual, dest=other)",
        patience=2.0,
    ),
]
