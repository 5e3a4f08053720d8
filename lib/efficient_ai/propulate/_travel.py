"""The part of a worker that concerns other islands: who goes there, who comes from there."""

from random import Random

from efficient_ai.propulate import _islands
from efficient_ai.propulate._islands import Islands, Residents
from efficient_ai.propulate._population import Individual, Name
from efficient_ai.propulate._run import Move


class Traveller:
    """What a :class:`Worker` does besides breeding and evaluating; with the mail, the clock and the checkpoint of that."""

    def go_ashore(self, islands: Islands, rank: int, size: int) -> None:
        """Find the own island among ``islands`` of ``size`` workers; nobody lives there yet."""
        self.islands, self.blocks = islands, islands.blocks(size)
        self.island = next(i for i, block in enumerate(self.blocks) if rank in block)
        self.ranks, self.row = self.blocks[self.island], islands.row(self.island)
        self.mates = [other for other in self.ranks if other != rank]
        self.residents = Residents(rank, self.ranks, only_island=islands.count == 1)
        self.population = self.residents.population
        self.moves: list[Move] = []  # that this worker decided
        self.sent: set[tuple[Name, int]] = set()  # copies that this worker has sent, and to which island
        self.copies: dict[Name, tuple[Individual, int]] = {}  # that have come to this island, and where from
        self.paid: set[Name] = set()  # those for which another one was replaced

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
        send = self.send_copy if islands.pollination else self.send_away
        for target, travellers in plan.items():
            for individual in travellers:
                send(individual, target)

    def send_away(self, individual: Individual, target: int) -> None:
        steps = self.residents.steps(individual.name)
        self.moves.append(Move(individual.name, self.island, target, self.now(), steps))
        self.checkpoint.departure(self.moves[-1])
        self.residents.learn(individual.name, 2 * steps + 1)
        self.mail.post("departure", (individual.name, steps), self.mates)
        self.mail.post("arrival", (individual, steps + 1), self.blocks[target])

    def send_copy(self, individual: Individual, target: int) -> None:
        if individual.island == target or (individual.name, target) in self.sent:
            return  # it is known there, or will be: copies go to where it was not born, and only once
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
        """Copies that came after the farewell of their owner: all here know them, and all decide the same.

        So all write it down as well: whoever goes on with this run need not wait for the owner's last line.
        """
        for name in sorted(self.copies.keys() - self.paid):
            copy, origin = self.copies[name]
            rank = _islands.owner(copy, self.ranks)
            owned = [ind for ind in self.population if _islands.owner(ind, self.ranks) == rank]
            victim = _islands.plan_replacement(owned, Random(str(name)), self.islands.replaced)
            if victim is None:
                continue  # a lost rank may have taken the news with it
            self.checkpoint.copy(Move(name, origin, self.island, self.now()), victim.name)
            self.hear_replacement(name, victim.name)

    def hear_departure(self, name: Name, steps: int, sender: int | None = None) -> None:
        self.residents.learn(name, 2 * steps + 1)

    def hear_arrival(self, individual: Individual, steps: int, sender: int | None = None) -> None:
        self.residents.learn(individual.name, 2 * steps, individual)
        self.praise(individual)

    def hear_copy(self, individual: Individual, origin: int, sender: int | None = None) -> None:
        if individual.name in self.residents.known:
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
