"""One worker of a run: its population, its random stream, what it tells the others and what it hears."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from random import Random
from typing import Any

from efficient_ai.propulate import _islands
from efficient_ai.propulate._checkpoint import Checkpoint, History, NoCheckpoint
from efficient_ai.propulate._islands import Islands, Residents
from efficient_ai.propulate._mail import Mail
from efficient_ai.propulate._operators import Propagator
from efficient_ai.propulate._population import Individual, Name, by_loss
from efficient_ai.propulate._run import Move, Run
from efficient_ai.propulate._space import Space
from efficient_ai.seeds import seed_for

Evaluate = Callable[[dict[str, Any]], float]


@dataclass(frozen=True)
class Criteria:
    """When to stop: after so many evaluations of all islands together, after so many seconds, at this loss."""

    evaluations: int | None = None
    seconds: float | None = None
    target: float | None = None

    def check(self, workers: int) -> None:
        if self.evaluations is None and self.seconds is None and self.target is None:
            raise ValueError("when should the run stop? Give evaluations, seconds or target")
        if self.evaluations is not None and self.evaluations < workers:
            raise ValueError(
                f"evaluations={self.evaluations}: each of the {workers} ranks evaluates at least one candidate"
            )
        if self.seconds is not None and not self.seconds > 0:
            raise ValueError(f"seconds={self.seconds}: the time must be positive")

    def met_by(self, individual: Individual) -> bool:
        """Whether its loss is the one that was looked for."""
        return self.target is not None and individual.loss <= self.target

    def share(self, block: range, workers: int) -> float:
        """The evaluations of one island, in proportion to its workers; all shares sum to the budget."""
        if self.evaluations is None:
            return math.inf
        return self.evaluations * block.stop // workers - self.evaluations * block.start // workers


class Worker:
    """One rank of a run.

    Args:
        comm: the communicator of all workers.
        criteria: when to stop.
        islands: how workers are cut into islands; default one island.
        space, evaluate, propagator, seed, checkpoint, resume, patience: as for :func:`evolve`.
    """

    def __init__(
        self,
        comm,
        space: Space,
        evaluate: Evaluate,
        propagator: Propagator,
        *,
        seed: int,
        criteria: Criteria,
        islands: Islands | None = None,
        checkpoint: str | PathLike | None = None,
        resume: bool = False,
        patience: float = 60.0,
    ):
        self.comm, self.space, self.evaluate, self.propagator = comm, space, evaluate, propagator
        self.criteria, self.islands, self.patience = criteria, islands or Islands(1), patience
        self.mail = Mail(comm)
        self.all_or_none(self.prepare, seed, checkpoint, resume)
        self.start = time.perf_counter() - self.began
        self.checkpoint.begin()

    def prepare(self, seed: int, checkpoint: str | PathLike | None, resume: bool) -> None:
        rank, size = self.comm.rank, self.comm.size
        self.criteria.check(size)
        if not self.patience > 0:
            raise ValueError(f"patience={self.patience}: the limit of a wait must be positive")
        blocks = self.islands.blocks(size)
        self.island = next(i for i, block in enumerate(blocks) if rank in block)
        self.blocks, self.ranks = blocks, blocks[self.island]
        self.row = self.islands.row(self.island)
        self.mates = [other for other in self.ranks if other != rank]
        self.rng = Random(seed_for(seed, rank))
        self.residents = Residents(rank, self.ranks, only_island=len(blocks) == 1)
        self.population = self.residents.population
        self.champion: Individual | None = None  # the best that this worker has heard of
        self.generation = 0
        self.births = 0  # on this island
        self.budget = self.criteria.share(self.ranks, size)
        self.running: set[int] = set()  # mates of whom another result will come
        self.reason: str | None = None  # why this worker stops
        self.said_farewell = False
        self.farewells: dict[int, str] = {}  # the reasons of those who have stopped
        self.vital = -math.inf  # when this worker last gave a sign of life to waiting ranks of other islands
        self.moves: list[Move] = []  # that this worker decided
        self.elsewhere: list[Move] = []  # that others decided
        self.sent: set[tuple[Name, int]] = set()  # copies that this worker has sent, and to which island
        self.copies: dict[Name, tuple[Individual, int]] = {}  # that have come to this island, and where from
        self.paid: set[Name] = set()  # those for which another one was replaced

        self.checkpoint = (
            Checkpoint(checkpoint, self.space, self.islands, rank, size, seed)
            if checkpoint
            else NoCheckpoint()
        )
        self.began = 0.0  # where the clock of this run starts: where an earlier one ended
        self.remember(self.checkpoint.prepare(resume))
        if self.generation:  # drawing again what was drawn then would breed some children twice
            self.rng = Random(seed_for(seed_for(seed, rank), self.generation))
        left = self.budget - self.births
        self.running = {mate for mate in self.mates if mate - self.ranks.start < left}
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
            if move.name in everybody:
                self.elsewhere.append(move)
                if move.origin == self.island:
                    self.residents.learn(move.name, 2 * move.step + 1)
                if move.target == self.island:
                    self.residents.learn(move.name, 2 * move.step + 2, everybody[move.name])
        for move, replaced in history.copies:
            if move.name in everybody and replaced in everybody:
                self.elsewhere.append(move)
                if move.target == self.island:
                    self.hear_copy(everybody[move.name], move.origin)
                    self.hear_replacement(move.name, replaced)

    def all_or_none(self, prepare: Callable[..., None], *args) -> None:
        """The common start: if one rank cannot begin, none does, and all say why."""
        problem = ""
        try:
            prepare(*args)
        except ValueError as error:
            problem = str(error)
        problems = self.mail.meet(problem)
        if any(problems):
            raise ValueError(problem or next(filter(None, problems)))

    # -- the loop ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the common start."""
        return time.perf_counter() - self.start

    @property
    def goes_on(self) -> bool:
        return self.reason is None

    def breed_and_evaluate(self) -> Individual:
        known = len(self.population)
        genes = self.propagator(self.population, self.rng)
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
        self.show_life()

    def listen(self) -> None:
        """Take in what has arrived; return at once if nothing has."""
        for sender, kind, payload in self.mail.arrived():
            getattr(self, f"hear_{kind}")(*payload, sender=sender)

    def meet(self) -> set[int]:
        """Wait for the results of this generation, of all others. Returns the ranks that were lost meanwhile."""
        newest, last = self.population.newest, self.generation - 1
        return self.mail.wait(
            lambda: {rank for rank in self.mates if not (ind := newest(rank)) or ind.generation < last},
            self.listen,
            self.patience,
        )

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
        if self.criteria.seconds is not None and self.now() - self.began >= self.criteria.seconds:
            return "seconds"
        return "evaluations" if self.births + len(self.running) >= self.budget else None

    # -- islands ----------------------------------------------------------------------------------------------------

    def travel(self) -> None:
        """Now and then, send some individuals to other islands, or copies of them."""
        islands, row = self.islands, self.row
        if not any(row) or self.rng.random() >= islands.probability / len(self.ranks):
            return
        if islands.pollination:
            best = self.population if islands.emigrants else self.population.best(max(row))
            plan = _islands.plan_pollination(list(best), row, self.rng, islands.emigrants)
        else:
            plan = _islands.plan_emigration(self.residents.owned, row, self.rng, islands.emigrants)
        for target, travellers in plan.items():
            for individual in travellers:
                self.send_copy(individual, target) if islands.pollination else self.send_away(
                    individual, target
                )

    def send_away(self, individual: Individual, target: int) -> None:
        steps = self.residents.steps(individual.name)
        self.moves.append(Move(individual.name, self.island, target, self.now(), steps))
        self.checkpoint.departure(self.moves[-1])
        self.residents.learn(individual.name, 2 * steps + 1)
        self.mail.post("departure", (individual.name, steps), self.mates)
        self.mail.post("arrival", (individual, steps + 1), self.blocks[target])

    def send_copy(self, individual: Individual, target: int) -> None:
        if individual.island == target or (individual.name, target) in self.sent:
            return  # it is known there
        self.sent.add((individual.name, target))
        self.moves.append(Move(individual.name, self.island, target, self.now()))
        self.mail.post("copy", (individual, self.island), self.blocks[target])

    def make_room(self, copy: Individual, origin: int) -> None:
        """One that this worker owns breeds no more, because a copy that it owns has come. All here hear of it."""
        victim = _islands.plan_replacement(self.residents.owned, self.rng, self.islands.replaced)
        self.checkpoint.copy(Move(copy.name, origin, self.island, self.now()), victim.name)
        self.hear_replacement(copy.name, victim.name)
        self.mail.post("replacement", (copy.name, victim.name), self.mates)

    def make_room_for_the_last(self) -> None:
        """Copies that came after the farewell of their owner: all here know them, and all decide the same."""
        for name in sorted(self.copies.keys() - self.paid):
            copy, origin = self.copies[name]
            rank = _islands.owner(copy, self.ranks)
            owned = [ind for ind in self.population if _islands.owner(ind, self.ranks) == rank]
            victim = _islands.plan_replacement(owned, Random(str(name)), self.islands.replaced)
            if rank == self.comm.rank:
                self.checkpoint.copy(Move(name, origin, self.island, self.now()), victim.name)
            self.hear_replacement(name, victim.name)

    # -- what is heard ----------------------------------------------------------------------------------------------

    def hear_birth(self, individual: Individual, goes_on: bool = True, sender: int | None = None) -> None:
        self.births += 1
        if not goes_on:
            self.running.discard(sender)
        self.residents.welcome(individual)
        self.praise(individual)

    def hear_departure(self, name: Name, steps: int, sender: int) -> None:
        self.residents.learn(name, 2 * steps + 1)

    def hear_arrival(self, individual: Individual, steps: int, sender: int) -> None:
        self.residents.learn(individual.name, 2 * steps, individual)
        self.praise(individual)

    def hear_copy(self, individual: Individual, origin: int, sender: int | None = None) -> None:
        if individual.island == self.island or individual.name in self.residents.known:
            return
        self.residents.learn(individual.name, 0, individual)
        self.copies[individual.name] = individual, origin
        self.praise(individual)
        if sender is not None and not self.said_farewell:
            if _islands.owner(individual, self.ranks) == self.comm.rank:
                self.make_room(individual, origin)

    def hear_replacement(self, copy: Name, victim: Name, sender: int | None = None) -> None:
        self.paid.add(copy)
        self.residents.learn(victim, 1)

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

    def show_life(self) -> None:
        """Births are told on the island only; those who wait on other islands hear now and then that we still work."""
        if self.farewells and time.monotonic() > self.vital + self.patience / 4:
            self.vital = time.monotonic()
            self.mail.post("alive", (), self.farewells.keys() - set(self.mates))

    def conclude(self, lost: set[int]) -> Run:
        """What this worker holds when all that was sent has come in."""
        self.make_room_for_the_last()
        self.checkpoint.close()
        individuals = sorted(self.population.known, key=by_loss)
        reasons = [self.reason, *self.farewells.values()]
        return Run(
            individuals,
            seconds=max((ind.finished for ind in individuals), default=0.0),
            busy=sum(ind.seconds for ind in individuals if ind.rank == self.comm.rank),
            workers=len(self.ranks),
            island=self.island,
            active=tuple(self.population),
            champion=self.champion,
            reason=next(reason for reason in ("target", "seconds", "evaluations") if reason in reasons),
            lost=tuple(sorted(lost)),
            moves=tuple(sorted(self.moves + self.elsewhere, key=lambda move: move.time)),
        )


def _evaluate(evaluate: Evaluate, genes: dict[str, Any]) -> tuple[float, str]:
    try:
        loss = float(evaluate(genes))
    except Exception as error:  # a candidate that cannot be evaluated is a result, not the end of the run
        return math.inf, f"{type(error).__name__}: {error}"
    return (math.inf, "the loss is NaN") if math.isnan(loss) else (loss, "")
