"""The workers of a simulated run: what each of them knows, and the mail between them."""

import math
from dataclasses import dataclass
from random import Random
from typing import Any

from efficient_ai.propulate import _islands
from efficient_ai.propulate._islands import Islands, Residents
from efficient_ai.propulate._population import Individual, Name
from efficient_ai.propulate._run import Move
from efficient_ai.seeds import seed_for

_NOBODY = -1


@dataclass(frozen=True)
class Limits:
    """When to stop, see :func:`~efficient_ai.propulate.simulate`."""

    evaluations: int | None = None
    until: float | None = None
    target: float | None = None

    def share(self, ranks: range, workers: int) -> float:
        """The evaluations of one island, in proportion to its workers; all shares sum to the budget."""
        if self.evaluations is None:
            return math.inf
        return self.evaluations * ranks.stop // workers - self.evaluations * ranks.start // workers


class Island:
    """Some workers and what they know: one view that all share if mail takes no time, else one view each."""

    def __init__(self, number: int, ranks: range, budget: float, shared: bool):
        self.number, self.ranks, self.budget = number, ranks, budget
        common = Residents(_NOBODY, ranks)
        self.views = {rank: common if shared else Residents(rank, ranks) for rank in ranks}
        self.mail: list[tuple[float, int, str, tuple]] = []  # arrival, sender, kind, content; by arrival
        self.read = dict.fromkeys(ranks, 0)  # how many of them each worker has opened


class Crew:
    """Breeds, evaluates, tells and travels for every worker, at the time it is told.

    Args:
        space, evaluate, propagator, seed, seconds, delay: as for :func:`~efficient_ai.propulate.simulate`.
        workers: how many there are.
        limits: when to stop; islands share the evaluations in proportion to their workers.
        islands: how workers are cut into islands.
    """

    def __init__(
        self, space, evaluate, propagator, workers, seed, limits: Limits, seconds, delay, islands: Islands
    ):
        self.space, self.evaluate, self.propagator, self.seconds = space, evaluate, propagator, seconds
        self.limits, self.delay, self.islands = limits, delay, islands
        self.streams = [Random(seed_for(seed, rank)) for rank in range(workers)]
        self.clocks = [Random(seed_for(seed, 2**32 + rank)) for rank in range(workers)]
        self.generation = [0] * workers
        self.archipelago = []
        for number, ranks in enumerate(islands.blocks(workers)):
            self.archipelago.append(Island(number, ranks, limits.share(ranks, workers), shared=delay == 0))
        self.home = [island for island in self.archipelago for _ in island.ranks]
        self.individuals: list[Individual] = []
        self.smallest = math.inf  # loss so far
        self.moves: list[Move] = []
        self.sent: set[tuple[int, Name, int]] = set()  # copies: by whom, of whom, and to which island

    def goes_on(self, rank: int, now: float) -> bool:
        """Whether another evaluation begins on this worker."""
        until, target = self.limits.until, self.limits.target
        return (
            self.home[rank].budget > 0
            and (until is None or now < until)
            and (target is None or self.smallest > target)
        )

    def breed_and_evaluate(self, rank: int, now: float) -> Individual:
        """The next candidate of a worker; nobody knows it before it is finished."""
        island = self.home[rank]
        island.budget -= 1
        self.open_mail(rank, now)
        population = island.views[rank].population
        home, population.rank = population.rank, rank  # a shared view belongs to nobody but while it is used
        genes = self.propagator(population, self.streams[rank])
        population.rank = home
        loss, duration, error = self._measure(genes, rank)
        generation = self.generation[rank]
        self.generation[rank] += 1
        ended, known = now + duration, len(population)
        return Individual(genes, loss, rank, generation, now, ended, known, error, island.number)

    def finish(self, individual: Individual) -> None:
        """An evaluation has ended: read the mail, tell the others, and perhaps send some to other islands."""
        rank, now = individual.rank, individual.finished
        island = self.home[rank]
        self.individuals.append(individual)
        self.smallest = min(self.smallest, individual.loss)
        self.open_mail(rank, now)
        island.views[rank].learn(individual.name, 0, individual)
        self._post(now, rank, island, "birth", individual)
        self._travel(rank, now)

    def settle(self) -> None:
        """Deliver what is still under way, until there is nothing left."""
        while any(n < len(island.mail) for island in self.archipelago for n in island.read.values()):
            for island in self.archipelago:
                for rank in island.ranks:
                    self.open_mail(rank, math.inf)

    # -- mail -------------------------------------------------------------------------------------------------------

    def _post(self, now: float, sender: int, island: Island, kind: str, *content: Any) -> None:
        if self.delay:
            island.mail.append((now + self.delay, sender, kind, content))
        elif kind != "birth":  # on the own island, all know it as soon as one does
            self._hear(now, island, None, kind, content)

    def open_mail(self, rank: int, now: float) -> None:
        """Take in what has arrived."""
        island = self.home[rank]
        while island.read[rank] < len(island.mail):
            arrives, sender, kind, content = island.mail[island.read[rank]]
            if arrives > now:
                break
            island.read[rank] += 1
            if sender != rank:
                self._hear(now, island, rank, kind, content)

    def _hear(self, now: float, island: Island, rank: int | None, kind: str, content: tuple) -> None:
        """News for one worker of an island, or for the view that they share."""
        view = island.views[island.ranks[0] if rank is None else rank]
        match kind, content:
            case "birth", (individual,):
                view.learn(individual.name, 0, individual)
            case "departure", (name, steps):
                view.learn(name, 2 * steps + 1)
            case "arrival", (individual, steps):
                view.learn(individual.name, 2 * steps, individual)
            case "copy", (individual,):
                if individual.name not in view.known:
                    view.learn(individual.name, 0, individual)
                    owner = _islands.owner(individual, island.ranks)
                    if rank in (None, owner):
                        self._make_room(now, island, owner)
            case "replacement", (name,):
                view.learn(name, 1)

    # -- islands ----------------------------------------------------------------------------------------------------

    def _owned(self, island: Island, rank: int) -> list[Individual]:
        """Those on an island that a worker decides about, best first."""
        view = island.views[rank]
        if self.delay:
            return list(view.owned)
        return [ind for ind in view.population if _islands.owner(ind, island.ranks) == rank]

    def _travel(self, rank: int, now: float) -> None:
        islands, island, rng = self.islands, self.home[rank], self.streams[rank]
        row = islands.row(island.number)
        if not any(row) or rng.random() >= islands.probability / len(island.ranks):
            return
        view = island.views[rank]
        if islands.pollination:
            best = list(view.population if islands.emigrants else view.population.best(max(row)))
            plan = _islands.plan_pollination(best, row, rng, islands.emigrants)
        else:
            plan = _islands.plan_emigration(self._owned(island, rank), row, rng, islands.emigrants)
        for target, travellers in plan.items():
            for individual in travellers:
                if islands.pollination:
                    self._send_copy(rank, now, individual, self.archipelago[target])
                else:
                    self._send_away(rank, now, individual, self.archipelago[target])

    def _send_away(self, rank: int, now: float, individual: Individual, target: Island) -> None:
        island = self.home[rank]
        steps = island.views[rank].steps(individual.name)
        self.moves.append(Move(individual.name, island.number, target.number, now))
        island.views[rank].learn(individual.name, 2 * steps + 1)
        self._post(now, rank, island, "departure", individual.name, steps)
        self._post(now, rank, target, "arrival", individual, steps + 1)

    def _send_copy(self, rank: int, now: float, individual: Individual, target: Island) -> None:
        letter = rank, individual.name, target.number
        if individual.island == target.number or letter in self.sent:
            return  # it is known there
        self.sent.add(letter)
        self.moves.append(Move(individual.name, self.home[rank].number, target.number, now))
        self._post(now, rank, target, "copy", individual)

    def _make_room(self, now: float, island: Island, rank: int) -> None:
        victim = _islands.plan_replacement(
            self._owned(island, rank), self.streams[rank], self.islands.replaced
        )
        island.views[rank].learn(victim.name, 1)
        self._post(now, rank, island, "replacement", victim.name)

    # -- evaluation -------------------------------------------------------------------------------------------------

    def _measure(self, genes, rank: int) -> tuple[float, float, str]:
        named, duration, error = self.space.as_dict(genes), 1.0, ""
        try:
            result: float | tuple[float, float] = self.evaluate(named)
            loss, duration = result if isinstance(result, tuple) else (result, duration)
            loss = float(loss)
        except Exception as failure:  # as on MPI ranks: a candidate that cannot be evaluated is a result
            loss, error = math.inf, f"{type(failure).__name__}: {failure}"
        if math.isnan(loss) or loss == -math.inf:
            loss, error = math.inf, f"the loss is {loss}".replace("nan", "NaN")
        if self.seconds is not None:
            duration = self.seconds(named, rank, self.clocks[rank])
        if not 0 < duration < math.inf:
            raise ValueError(f"an evaluation takes {duration} seconds: must be positive and finite")
        return loss, float(duration), error
