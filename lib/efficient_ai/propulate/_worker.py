"""One worker of a run: its population, its random stream, what it tells the others and what it hears."""

import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Real
from os import PathLike
from random import Random
from typing import Any

from efficient_ai import __version__
from efficient_ai.propulate._checkpoint import Checkpoint, History, NoCheckpoint
from efficient_ai.propulate._islands import Islands, as_islands
from efficient_ai.propulate._isolate import Isolated
from efficient_ai.propulate._mail import Mail
from efficient_ai.propulate._operators import Propagator
from efficient_ai.propulate._population import Individual, by_loss
from efficient_ai.propulate._run import Move, Run
from efficient_ai.propulate._space import Space
from efficient_ai.propulate._stopping import Criteria
from efficient_ai.propulate._travel import Traveller
from efficient_ai.seeds import seed_for

_LOOK, _LOOKS = 0.0005, 10  # seconds between looks for mail that a sender still keeps, and how many in vain

Evaluate = Callable[[dict[str, Any]], float]


class Worker(Traveller):
    """One rank of a run.

    Args:
        comm: the communicator of all workers.
        criteria: when to stop.
        islands: how workers are cut into islands; default one island.
        space, evaluate, propagator, seed, checkpoint, resume, patience, failures, initial: as for :func:`evolve`.
    """

    def __init__(
        self,
        comm,
        space: Space,
        evaluate: Evaluate,
        propagator: Propagator,
        seed: int,
        criteria: Criteria,
        islands: Islands | int | None = None,
        checkpoint: str | PathLike | None = None,
        resume: bool = False,
        patience: float = 60.0,
        failures: int | None = 3,
        initial: Sequence[Mapping[str, Any]] = (),
    ):
        self.comm, self.space, self.evaluate, self.propagator = comm, space, evaluate, propagator
        self.criteria, self.patience, self.failures, self.seed = criteria, patience, failures, seed
        if isinstance(evaluate, Isolated):
            evaluate.meanwhile, evaluate.longest = self.live_on, patience
        self.mail = Mail(comm, space.categories)
        self.all_or_none(self.prepare, islands, seed, checkpoint, resume, initial)
        self.start = time.perf_counter() - self.began
        self.all_or_none(self.checkpoint.begin)
        self.start = time.perf_counter() - self.began

    def prepare(
        self,
        islands: Islands | int | None,
        seed: int,
        checkpoint: str | PathLike | None,
        resume: bool,
        initial: Sequence[Mapping[str, Any]],
    ) -> None:
        rank, size = self.comm.rank, self.comm.size
        self.initial = [self.space.from_dict(named) for named in initial]
        self.criteria.check(size)
        islands = as_islands(islands)
        self.check_patience()
        if self.failures is not None and (isinstance(self.failures, bool) or not self.failures >= 1):
            raise ValueError(f"failures={self.failures!r}: at least 1, or None to go on whatever happens")
        self.go_ashore(islands, rank, size)
        self.champion: Individual | None = None  # the best that this worker has heard of
        self.generation = 0
        self.births = 0  # on this island
        self.worked = False  # whether an evaluation on this island gave a loss
        self.budget = self.criteria.share(self.ranks, size)
        self.reason: str | None = None  # why this worker stops
        self.said_farewell = False
        self.farewells: dict[int, str] = {}  # the reasons of those who have stopped
        self.vital = -math.inf  # when this worker last gave a sign of life to waiting ranks of other islands
        self.elsewhere: list[Move] = []  # moves that others decided
        self.checkpoint = (
            Checkpoint(checkpoint, self.space, islands, rank, size, seed) if checkpoint else NoCheckpoint()
        )
        self.began = 0.0  # where the clock of this run starts: where an earlier one ended
        history = self.checkpoint.prepare(resume)
        self.remember(history)
        tried = [individual.genes for individual in history.births]
        self.first = [genes for genes in self.initial[rank::size] if genes not in tried][::-1]
        stream = seed_for(seed, rank)
        # A resumed run that drew the same numbers once more would breed some children twice.
        self.rng = Random(seed_for(stream, self.generation) if self.generation else stream)
        left = self.budget - self.births
        self.running = {  # mates of whom another result will come
            mate for mate in self.mates if mate - self.ranks.start < left
        }
        if rank - self.ranks.start >= left:
            self.reason = "evaluations"
        elif self.champion is not None and self.criteria.met_by(self.champion):
            self.reason = "target"

    def remember(self, history: History) -> None:
        """Take in what earlier runs wrote down, as if it had just been heard."""
        everybody = {individual.name: individual for individual in history.births}
        for individual in history.births:
            self.began = max(self.began, individual.finished)
            if individual.rank == self.comm.rank:
                self.generation = max(self.generation, individual.generation + 1)
            if individual.island == self.island:
                self.hear_birth(individual)
            self.praise(individual)
        for move in history.departures:
            if individual := everybody.get(move.name):
                self.elsewhere.append(move)
                if move.origin == self.island:
                    self.hear_departure(move.name, move.step)
                if move.target == self.island:
                    self.hear_arrival(individual, move.step + 1)
        for move, replaced in history.copies:
            if (individual := everybody.get(move.name)) and replaced in everybody:
                self.elsewhere.append(move)
                if move.target == self.island:
                    self.hear_copy(individual, move.origin)
                    self.hear_replacement(move.name, replaced)

    def check_patience(self) -> None:
        """A wait that is shorter than what is waited for would take a rank at work for lost."""
        if not (isinstance(self.patience, Real) and self.patience > 0):
            raise ValueError(f"patience={self.patience!r}: the limit of a wait must be positive")

    def all_or_none(self, prepare: Callable[..., None], *args) -> None:
        """The common start: if one rank cannot begin, or searches something else than the others, none begins, and all say why."""
        own, problem = None, ""
        try:
            prepare(*args)
        except (ValueError, OSError) as error:
            own, problem = error, str(error)
        met = self.mail.meet((problem, self.fingerprint()))
        problems = [problem for problem, _ in met]
        if any(problems):
            self.give_up()
            raise own or ValueError(next(filter(None, problems)))
        if difference := _difference([fingerprint for _, fingerprint in met]):
            self.give_up()
            raise ValueError(difference)

    def fingerprint(self) -> dict[str, str]:
        """What all ranks must agree on, as texts."""
        islands = getattr(self, "islands", None)
        return {
            "version of the library": __version__,
            **{f"gene {name!r}": text for name, text in self.space.fingerprint().items()},
            "order of the genes": ", ".join(map(str, self.space.names)),
            "candidates to start from": repr(getattr(self, "initial", ())),
            "budget": repr(self.criteria),
            "seed": repr(self.seed),
            "islands": f"{islands.sizes}, pollination {islands.pollination}" if islands else "",
        }

    def give_up(self) -> None:
        """Leave nothing open before the run has begun."""
        if hasattr(self, "checkpoint"):
            self.checkpoint.close()

    # -- the loop ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the common start."""
        return time.perf_counter() - self.start

    @property
    def goes_on(self) -> bool:
        return self.reason is None

    def breed_and_evaluate(self) -> Individual:
        known = len(self.population)
        genes = self.first.pop() if self.first else self.propagator(self.population, self.rng)
        started = self.now()
        loss, error = _evaluate(self.evaluate, self.space.as_dict(genes))
        individual = Individual(
            genes, loss, self.comm.rank, self.generation, started, self.now(), known, error, self.island
        )
        self.generation += 1
        self.checkpoint.birth(individual)
        self.hear_birth(individual)
        return individual

    def tell(self, individual: Individual) -> None:
        """Send the result to all others of the island without waiting, and whether another one will follow."""
        self.reason = self.reason_to_stop()
        self.mail.post("birth", (individual, self.goes_on), self.mates)
        self.show_life(self.farewells.keys() - set(self.mates))

    def listen(self) -> None:
        """Take in what has arrived; return at once if nothing has.

        A sender has few letters under way and keeps the others: as many as it may from one sender mean that more wait there.
        They are waited for, a moment, before the next candidate is bred from old news, and in excess of the budget.
        """
        empty, behind = 0, False
        while empty < _LOOKS:
            heard: Counter[int] = Counter()
            for sender, kind, payload in self.mail.arrived():
                getattr(self, f"hear_{kind}")(*payload, sender=sender)
                heard[sender] += 1
            behind = max(heard.values(), default=0) >= self.mail.most_under_way or (behind and not heard)
            if not behind:
                return
            empty = 0 if heard else empty + 1
            time.sleep(_LOOK)

    def meet(self) -> None:
        """Wait for the results of this generation, of all others. If one is lost, there is no next generation."""

        def missing() -> set[int]:
            newest, last = self.population.newest, self.generation - 1
            return {rank for rank in self.mates if not (ind := newest(rank)) or ind.generation < last}

        self.mail.wait(lambda: missing() - self.farewells.keys(), self.listen, self.patience)
        if missing():
            self.reason = "lost"

    def settle(self) -> Run:
        """Say farewell to all and listen until all have: nothing is lost, nothing is left over."""
        self.say_farewell()
        others = set(self.mail.others)
        lost = self.mail.wait(lambda: others - set(self.farewells), self.listen, self.patience)
        self.mail.flush(others - lost, self.patience)
        return self.conclude(lost)

    def say_farewell(self) -> None:
        """The last message of this worker, with what the other islands do not know."""
        self.said_farewell = True
        self.mail.post("farewell", (self.reason, self.champion, self.moves), self.mail.others)

    def reason_to_stop(self) -> str | None:
        """Why no further evaluation begins here; None while one does.

        What the others are evaluating right now will be told: it counts as evaluated. So the budget is never missed,
        and exceeded only by what two ranks begin before they hear of each other.
        """
        if "target" in self.farewells.values() or self.criteria.met_by(self.champion):
            return "target"
        if self.all_fail():
            return "failures"
        if self.criteria.seconds is not None and self.now() - self.began >= self.criteria.seconds:
            return "seconds"
        return "evaluations" if self.births + len(self.running) >= self.budget else None

    def all_fail(self) -> bool:
        """Whether the first evaluations of every rank of this island have failed, and all for the same reason."""
        if self.failures is None or self.worked or self.births < self.failures * len(self.ranks):
            return False
        first = [ind for ind in self.population.known if ind.generation < self.failures]
        return (
            len(first) == self.failures * len(self.ranks)
            and len({ind.error for ind in first}) == 1
            and bool(first[0].error)
        )

    # -- what is heard ----------------------------------------------------------------------------------------------

    def hear_birth(self, individual: Individual, goes_on: bool = True, sender: int | None = None) -> None:
        self.births += 1
        self.worked = self.worked or not individual.error
        if not goes_on:
            self.running.discard(sender)
        self.residents.welcome(individual)
        self.praise(individual)

    def hear_alive(self, sender: int) -> None:
        """A sign of life; the mail has noted its time."""

    def hear_farewell(self, reason: str, champion: Individual, moves: list[Move], sender: int) -> None:
        self.farewells[sender] = reason
        self.elsewhere += moves
        self.running.discard(sender)
        self.praise(champion)

    def praise(self, individual: Individual) -> None:
        if self.champion is None or (
            individual.loss <= self.champion.loss and by_loss(individual) < by_loss(self.champion)
        ):
            self.champion = individual

    def live_on(self) -> None:
        """While an isolated evaluation runs: open the mail, and let those who wait know that we are there."""
        self.listen()
        self.show_life(self.farewells.keys())

    def show_life(self, waiting: Collection[int]) -> None:
        """Births are told on the island only; those who wait elsewhere hear now and then that we still work."""
        if waiting and time.monotonic() > self.vital + self.patience / 4:
            self.vital = time.monotonic()
            self.mail.post("alive", (), waiting)

    def conclude(self, lost: set[int]) -> Run:
        """What this worker holds when all that was sent has come in."""
        self.make_room_for_the_last()
        self.checkpoint.close()
        if isinstance(self.evaluate, Isolated):
            self.evaluate.meanwhile = self.evaluate.longest = None
        individuals = sorted(self.population.known, key=by_loss)
        reasons = [self.reason, *self.farewells.values()]
        self.report_failures(individuals)
        return Run(
            individuals,
            seconds=max((ind.finished for ind in individuals), default=0.0),
            busy=sum(ind.seconds for ind in individuals if ind.rank == self.comm.rank),
            workers=len(self.ranks),
            island=self.island,
            active=tuple(self.population),
            champion=self.champion,
            reason=next(
                reason
                for reason in ("target", "seconds", "lost", "failures", "evaluations")
                if reason in reasons
            ),
            lost=tuple(sorted(lost)),
            moves=tuple(
                sorted(self.moves + self.elsewhere, key=lambda move: (move.time, move.name, move.step))
            ),
        )

    def report_failures(self, individuals: list[Individual]) -> None:
        """One warning with the count and the most frequent reason; an error if not one evaluation of the run worked."""
        reasons = Counter(individual.error for individual in individuals if individual.error)
        if not reasons:
            return
        most, times = reasons.most_common(1)[0]
        failed = sum(reasons.values())
        if self.champion is None or self.champion.error:
            raise AllFailed(
                f"not one of {len(individuals)} evaluations gave a loss; {times} ended with {most}",
                individuals,
            )
        if self.comm.rank == self.ranks.start:
            warnings.warn(
                f"{failed} of {len(individuals)} evaluations failed, {times} of them with {most}",
                stacklevel=4,
            )


class AllFailed(RuntimeError):
    """A search in which nothing could be evaluated: there is no best candidate, and a batch job must not look like a success.

    Attributes: ``individuals``, all that was tried, each with its ``error``.
    """

    def __init__(self, message: str, individuals: list[Individual]):
        super().__init__(message, individuals)
        self.individuals = individuals

    def __str__(self) -> str:
        return self.args[0]


def _difference(fingerprints: Sequence[Mapping[str, str]]) -> str:
    """What a rank has otherwise than rank 0, in a sentence; empty if all agree."""
    first = fingerprints[0]
    for rank, other in enumerate(fingerprints):
        for name in {**first, **other}:
            if first.get(name) != other.get(name):
                return (
                    f"the ranks do not search the same: {name} is {first.get(name, 'missing')} on rank 0 and "
                    f"{other.get(name, 'missing')} on rank {rank}. Give all ranks the same, and categories as a list: a set has "
                    "another order in every process"
                )
    return ""


def _evaluate(evaluate: Evaluate, genes: dict[str, Any]) -> tuple[float, str]:
    try:
        loss = float(evaluate(genes))
    except Exception as error:  # a candidate that cannot be evaluated is a result, not the end of the run
        return math.inf, f"{type(error).__name__}: {error}"
    if math.isnan(loss) or loss == -math.inf:  # nothing can be better than either, and neither is an answer
        return math.inf, f"the loss is {loss}".replace("nan", "NaN")
    return loss, ""
