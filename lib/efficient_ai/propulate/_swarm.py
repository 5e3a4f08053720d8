"""Particle swarms as a propagator: every worker moves one particle."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._space import Genes, Space


@dataclass(frozen=True)
class ParticleSwarm:
    """Moves the particle of a worker, see :func:`pso`. Lengths are in widths of the unit cube."""

    space: Space
    inertia: float
    cognitive: float
    social: float
    clamping: float = math.inf
    first_velocity: float = 0.1

    def __call__(self, population: Population, rng: Random) -> Genes:
        newest = population.newest(population.rank)
        if newest is None:
            return self.space.sample(rng)
        here = self.space.to_vector(newest.genes)
        velocity = self._velocity(population, newest, here, rng)
        own = self.space.to_vector(population.best_of(population.rank).genes)
        leader = population.best(1)  # nobody, if all have emigrated
        common = self.space.to_vector(leader[0].genes) if leader else own
        pull_own, pull_common = _uniform(rng, len(here)), _uniform(rng, len(here))
        velocity = (
            self.inertia * velocity
            + self.cognitive * pull_own * (own - here)
            + self.social * pull_common * (common - here)
        )
        # Absorbing walls: a particle that would leave stops at the wall, and what it really moved is its next velocity.
        return self.space.from_vector(here + np.clip(velocity, -self.clamping, self.clamping))

    def _velocity(
        self, population: Population, newest: Individual, here: np.ndarray, rng: Random
    ) -> np.ndarray:
        before = newest.rank, newest.generation - 1
        if before[1] >= 0:
            for individual in reversed(population.known):
                if individual.name == before:
                    return here - self.space.to_vector(individual.genes)
        return self.first_velocity * (2 * _uniform(rng, len(here)) - 1)


def _uniform(rng: Random, n: int) -> np.ndarray:
    return np.array([rng.random() for _ in range(n)])


def pso(
    space: Space,
    variant: str = "inertia",
    *,
    inertia: float = 0.729,
    cognitive: float | None = None,
    social: float | None = None,
    clamping: float | None = None,
) -> ParticleSwarm:
    """Particle swarm optimisation on the runtime of the paper: as many particles as workers, nobody waits.

    The newest individual of a worker is its particle. It keeps part of its velocity, is pulled towards the best place it
    has been and towards the best that its worker knows of, each coordinate with random numbers of its own, and stops at
    the walls of the box. Nothing is remembered outside of the population, so that a run can resume. On whole numbers and
    choices a particle sits in the middle of its cell, so that slow ones stand still: swarms are at home among real genes.

    Args:
        space: the search space; particles move in its unit cube.
        variant: ``"inertia"``; ``"clamped"``, with velocities of at most 0.6; ``"constriction"``, where a factor chosen
            by Clerc and Kennedy damps everything; ``"canonical"``, the same with velocities of at most 1.
        inertia: share of the velocity that is kept; the last two variants compute it.
        cognitive: pull to the particle's own best, by default 1.49445, or 2.05 before constriction.
        social: pull to the best of all, with the same defaults.
        clamping: the largest velocity in each coordinate, in widths of the box, if not the variant's.

    Raises:
        ValueError: an unknown variant, pulls that do not suit it, a clamping that is not positive.
    """
    variants = ("inertia", "clamped", "constriction", "canonical")
    if variant not in variants:
        raise ValueError(f"variant={variant!r} is none of {', '.join(variants)}")
    constricted = variant in ("constriction", "canonical")
    default = 2.05 if constricted else 1.49445
    cognitive = default if cognitive is None else cognitive
    social = default if social is None else social
    if cognitive < 0 or social < 0:
        raise ValueError(f"cognitive={cognitive}, social={social}: a particle must not be pushed away")
    if constricted:
        pull = cognitive + social
        if pull <= 4:
            raise ValueError(f"cognitive + social = {pull}: constriction needs more than 4")
        inertia = 2 / (pull - 2 + math.sqrt(pull * (pull - 4)))
        cognitive, social = inertia * cognitive, inertia * social
    if clamping is None:
        clamping = {"clamped": 0.6, "canonical": 1.0}.get(variant, math.inf)
    if not clamping > 0:
        raise ValueError(f"clamping={clamping} must be positive")
    return ParticleSwarm(space, inertia, cognitive, social, clamping)
