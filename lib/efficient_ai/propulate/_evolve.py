"""The optimiser on MPI ranks: asynchronous, as in the paper, and its synchronous twin with a meeting per generation."""

import math
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any

from efficient_ai.propulate._islands import Islands
from efficient_ai.propulate._isolate import Isolated
from efficient_ai.propulate._operators import Propagator
from efficient_ai.propulate._population import Population
from efficient_ai.propulate._run import Run
from efficient_ai.propulate._space import Space
from efficient_ai.propulate._stopping import Criteria
from efficient_ai.propulate._team import in_teams
from efficient_ai.propulate._worker import Evaluate, Worker


def evolve(
    comm,
    space: Space,
    evaluate: Evaluate,
    propagator: Propagator,
    *,
    seed: int,
    evaluations: int | None = None,
    seconds: float | None = None,
    target: float | None = None,
    islands: Islands | int | None = None,
    ranks_per_worker: int = 1,
    checkpoint: str | PathLike | None = None,
    resume: bool = False,
    patience: float = 60.0,
    failures: int | None = 3,
    initial: Sequence[Mapping[str, Any]] = (),
    after: Callable[[Population], None] | None = None,
) -> Run:
    """Minimise ``evaluate`` on all ranks of ``comm`` with nobody waiting for anybody.

    Every rank keeps a copy of the whole population. After each evaluation it tells the others, takes in what has
    arrived, and breeds its next candidate from all it knows at that moment. Collective: call it on every rank.

    The run ends with the first criterion that is met; at least one must be given. The budget of ``evaluations`` is
    shared: a rank stops as soon as the individuals it knows and the evaluations still running elsewhere make it up.
    It is never missed. It is exceeded by what ranks begin before they hear that it is used up: at most one evaluation
    per rank where evaluations take longer than a message, which is some milliseconds where ranks share cores; free ones run
    ahead by as many as fit into that time.

    An evaluation that hangs or kills its process is survived if ``evaluate`` is :class:`Isolated`. A rank that hangs is
    given up after ``patience``. A rank that dies takes the others down with most MPI libraries, and whatever started
    them says so; the run then goes on with ``resume``.

    Args:
        comm: an mpi4py communicator, of any size from one.
        space: the search space.
        evaluate: from the genes by name to a loss. If it raises or returns NaN, the candidate counts as evaluated with
            loss ``inf`` and the run goes on.
        propagator: breeds the next candidate, see :func:`default_propagator`.
        seed: with the rank, of the private random stream of each rank.
        evaluations: budget of all ranks together, at least one per rank. Islands share it in proportion to their size.
        seconds: no candidate is bred later than this after the common start.
        target: no evaluation begins on a rank that has heard of a loss this small or smaller.
        islands: several populations that exchange individuals now and then, or just their number; default one.
        ranks_per_worker: so many consecutive ranks evaluate each candidate together, as ``evaluate(genes, team)``
            with the communicator of these ranks. The first of them optimises; all return the same.
        checkpoint: a folder, on a file system that all ranks share. Every evaluation is written there as soon as it is
            done; the death of all processes loses none of them (that of a node may lose its last seconds).
        resume: go on with the run in ``checkpoint``, with any number of ranks. What it evaluated counts as part of the
            budget, and its time as part of the run's clock, but not of ``seconds``.
        patience: seconds without a message after which a rank that has nothing left to do gives up waiting for
            another one. It must cover the longest evaluation, for a rank that evaluates sends no message (unless the
            evaluation is isolated). A rank that is given up is in ``Run.lost``; the evaluation it was at may be missing
            in the budget.
        failures: when the first so many evaluations of every rank of an island have failed alike, there is a fault in
            ``evaluate``: nothing more is evaluated. None: the whole budget is, whatever happens.
        initial: known candidates by the names of their genes, evaluated first, dealt out among the ranks; those that a resumed run has
            already are left out.
        after: called with the population after each evaluation, for example to publish it to a live view.

    Raises:
        ValueError: no criterion, fewer evaluations than workers, islands or teams into which the ranks cannot be cut;
            a run in the folder that shall not be resumed, none that could be, or one of another space or other
            islands; or ranks that do not all search the same. If one rank cannot start, none does, and all raise.
        AllFailed: no evaluation of the whole run gave a loss; on every rank, at the end.
    """
    if ranks_per_worker != 1:
        return in_teams(evolve, **locals())
    criteria = Criteria(evaluations, seconds, target)
    worker = Worker(
        comm,
        space,
        evaluate,
        propagator,
        seed,
        criteria,
        islands,
        checkpoint,
        resume,
        patience,
        failures,
        initial,
    )
    while worker.goes_on:
        individual = worker.breed_and_evaluate()
        worker.listen()
        worker.tell(individual)
        worker.travel()
        if after is not None:
            after(worker.population)
    return worker.settle()


def evolve_generations(
    comm,
    space: Space,
    evaluate: Evaluate,
    propagator: Propagator,
    *,
    evaluations: int,
    seed: int,
    patience: float = 60.0,
    failures: int | None = 3,
    after: Callable[[Population], None] | None = None,
) -> Run:
    """The synchronous twin of :func:`evolve`: the same operators and random streams, a meeting after each generation.

    In every generation each rank breeds and evaluates one candidate, then all exchange their results and wait for the
    slowest. Arguments and errors as for :func:`evolve`; the budget is rounded up to whole generations.
    """
    if isinstance(evaluate, Isolated) and not (evaluate.time_limit or patience) <= patience:
        raise ValueError(
            f"patience={patience}: an evaluation may take {evaluate.time_limit} s, and who waits for it would take its rank for lost"
        )
    worker = Worker(
        comm, space, evaluate, propagator, seed, Criteria(evaluations), patience=patience, failures=failures
    )
    for _ in range(math.ceil(evaluations / comm.size)):
        worker.tell(worker.breed_and_evaluate())
        worker.meet()
        if worker.reason in ("lost", "failures"):
            break
        if after is not None:
            after(worker.population)
    return worker.settle()
