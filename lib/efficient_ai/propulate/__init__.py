"""Asynchronous evolution on MPI ranks: the optimiser of the Propulate paper.

Taubert et al., "Massively Parallel Genetic Optimization through Asynchronous Propagation of Populations", ISC High
Performance 2023, DOI 10.1007/978-3-031-32041-5_6. Rebuilt from the description; the chapter is
``book/chapters/propulate.ipynb``.

* search space: :class:`Space` of :class:`Float`, :class:`LogFloat`, :class:`Integer`, :class:`Ordinal`,
  :class:`Choice`
* breeding: :func:`default_propagator` and the operators it is composed of
* other optimisers as propagators: :func:`cma_es`, :func:`pso`
* running: :func:`evolve` (asynchronous) and :func:`evolve_generations` (the synchronous baseline)
* on a real problem: module :mod:`efficient_ai.propulate.fashion` (imports torch)
* pictures: module :mod:`efficient_ai.propulate.figures` (imports plotly)
* a finished search, or one under way: module :mod:`efficient_ai.propulate.report` and ``python -m efficient_ai.propulate report``
* understanding: :func:`schedule` and :func:`expected_maximum`, evaluation on a simulated clock; :func:`simulate`, the
  whole optimiser on one
* problems: :data:`FUNCTIONS`, the nine benchmark functions, and :data:`HARDER`; modules
  :mod:`efficient_ai.propulate.tables` (recorded trainings) and :mod:`efficient_ai.propulate.rivals` (other optimisers)
* exercises: module :mod:`efficient_ai.propulate.benches`, which runs and watches the reader's answers
"""

from efficient_ai.propulate._checkpoint import read_checkpoint
from efficient_ai.propulate._clock import Schedule, durations, expected_maximum, harmonic, schedule
from efficient_ai.propulate._cma import cma_es
from efficient_ai.propulate._compose import Compose, Conditional, Stochastic, default_propagator
from efficient_ai.propulate._evolve import evolve, evolve_generations
from efficient_ai.propulate._islands import Islands, plan_emigration, plan_pollination, plan_replacement
from efficient_ai.propulate._isolate import Isolated
from efficient_ai.propulate._operators import (
    CrossoverMultiple,
    CrossoverSigmoid,
    CrossoverUniform,
    Gaussian,
    InitUniform,
    IntervalMutationNormal,
    PointMutation,
    Propagator,
    RandomPointMutation,
    SelectMax,
    SelectMin,
    SelectUniform,
)
from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._run import Move, Run, ideal_utilisation
from efficient_ai.propulate._space import Choice, Float, Integer, LogFloat, Ordinal, Space
from efficient_ai.propulate._swarm import pso
from efficient_ai.propulate._worker import AllFailed, Worker
from efficient_ai.propulate.claims import CLAIMS
from efficient_ai.propulate.functions import FUNCTIONS, HARDER, Function
from efficient_ai.propulate.profiles import PROFILES, Profile
from efficient_ai.propulate.simulation import Simulation, simulate

__all__ = [
    "CLAIMS",
    "FUNCTIONS",
    "HARDER",
    "PROFILES",
    "AllFailed",
    "Choice",
    "Compose",
    "Conditional",
    "CrossoverMultiple",
    "CrossoverSigmoid",
    "CrossoverUniform",
    "Float",
    "Function",
    "Gaussian",
    "Individual",
    "InitUniform",
    "Integer",
    "IntervalMutationNormal",
    "Islands",
    "Isolated",
    "LogFloat",
    "Move",
    "Ordinal",
    "PointMutation",
    "Population",
    "Profile",
    "Propagator",
    "RandomPointMutation",
    "Run",
    "Schedule",
    "SelectMax",
    "SelectMin",
    "SelectUniform",
    "Simulation",
    "Space",
    "Stochastic",
    "Worker",
    "cma_es",
    "default_propagator",
    "durations",
    "evolve",
    "evolve_generations",
    "expected_maximum",
    "harmonic",
    "ideal_utilisation",
    "plan_emigration",
    "plan_pollination",
    "plan_replacement",
    "pso",
    "read_checkpoint",
    "schedule",
    "simulate",
]
