"""Nodes, shares and ranks: answers that fit the visible case."""

from mutants import Mutant

_GPUS = """
def least_energy(host, idle, busy, efficiency):
    n = len(efficiency)
    energies = {{
        k: (host + k * busy + (n - k) * idle) / (k * efficiency[k - 1])
        for k in range(1, n + 1)
    }}
    tried = [k for k in energies if {tried}] or [1]
    best = min(energies[k] for k in tried)
    return [k for k in tried if energies[k] == best][{which}], energies[1] / best
"""

_SHARES = """
def attribute(joules, idle_joules, cpu_seconds):
    everyone = sum(cpu_seconds.values())
    if everyone == 0:
        return {{name: {nobody} for name in cpu_seconds}}
    return {{
        name: {fixed} + (joules - idle_joules) * seconds / everyone
        for name, seconds in cpu_seconds.items()
    }}
"""
_EQUAL = dict(nobody="joules / len(cpu_seconds)", fixed="idle_joules / len(cpu_seconds)")

_MEAN_OVER_RANKS = """
def job_joules(comm, host, read, work):
    comm.barrier()
    before = read()
    comm.barrier()
    work()
    comm.barrier()
    return comm.allreduce(read() - before) / comm.size
"""

_ALL_READ = """
def job_joules(comm, host, read, work):
    neighbours = comm.allgather(host).count(host)
    comm.barrier()
    before = read()
    comm.barrier()
    work()
    comm.barrier()
    return comm.allreduce((read() - before) / neighbours)
"""

_EVERY_RANK_ADDS = _MEAN_OVER_RANKS.replace(" / comm.size", "")

_SAME_PHASE = """
def kernel_joules(board, rng):
    shown = []
    for _ in range(1200):
        board.run()
        board.run()
        board.run()
        shown.append(board.power())
    return sum(shown) / len(shown) * board.length
"""


def _wrong(name: str, answer: str, source: str, says: str, hidden: bool = True) -> Mutant:
    return Mutant(name, answer=answer, source=source, fails=f"{answer}-test", says=says, hidden=hidden)


MUTANTS = [
    _wrong(
        "more is always better than one",
        "gpus",
        _GPUS.format(tried="k > 1", which="0"),
        "with poor scaling is 2",
    ),
    _wrong("never uses all", "gpus", _GPUS.format(tried="k < n", which="0"), "with perfect scaling is 3"),
    _wrong(
        "takes the largest of equals",
        "gpus",
        _GPUS.format(tried="True", which="-1"),
        "without host and idle power is 4",
    ),
    _wrong(
        "who did little pays no idle power",
        "attribution",
        _SHARES.format(**(_EQUAL | {"fixed": "(idle_joules / len(cpu_seconds) if seconds > 1 else 0)"})),
        "sum of the shares",
    ),
    _wrong(
        "who only waited pays nothing",
        "attribution",
        _SHARES.format(
            **(
                _EQUAL
                | {"fixed": "(idle_joules / sum(s > 0 for s in cpu_seconds.values()) if seconds else 0)"}
            )
        ),
        "share of a process that only waited",
    ),
    _wrong(
        "nobody worked, nobody pays",
        "attribution",
        _SHARES.format(**(_EQUAL | {"nobody": "0.0"})),
        "share if nobody worked",
    ),
    _wrong("mean over ranks", "job", _MEAN_OVER_RANKS, "joules of three hosts[0]"),
    _wrong("all ranks read", "job", _ALL_READ, "readings by rank[2] is 2, expected 0"),
    _wrong(
        "every rank adds its host",
        "job",
        _EVERY_RANK_ADDS,
        "joules on each of four ranks of one host",
        hidden=False,
    ),
    _wrong(
        "knows the answer", "lazy", "def kernel_joules(board, rng):\n    return 14.0\n", "updates at 0.0 s"
    ),
    _wrong("always the same phase", "lazy", _SAME_PHASE, "joules of the kernel", hidden=False),
]
