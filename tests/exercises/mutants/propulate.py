"""Wrong answers to the exercises on asynchronous search."""

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
        "a line through the visible numbers",
        answer="slowest",
        source="def expected_slowest(workers):\n    return 1 + (workers - 1) / 3",
        fails="slowest-test",
        says="expected_slowest(3): found 1.6666666666666665, expected 1.5",
    ),
    Mutant(
        "no return",
        answer="slowest",
        source="def expected_slowest(workers):\n    2 * workers / (workers + 1)",
        fails="slowest-test",
        says="expected_slowest(1) is None (is a `return` missing?)",
        hidden=False,
    ),
    Mutant(
        "a simulation instead of the formula",
        answer="slowest",
        source=(
            "import numpy as np\n\n\ndef expected_slowest(workers):\n"
            "    return np.random.default_rng(0).uniform(0, 2, (1000, workers)).max(axis=1).mean()"
        ),
        fails="slowest-test",
        says="allowed 1e-12",
        hidden=False,
    ),
    Mutant(
        "a line through the visible numbers",
        answer="idle",
        source="def idle_share(workers):\n    return (workers - 1) / 4",
        fails="idle-test",
        says="idle_share(3): found 0.5, expected 0.333",
    ),
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
