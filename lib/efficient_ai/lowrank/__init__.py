"""Weights as matrices, their singular values, and an optimiser that follows into another basis.

* ``survey(model)``           which weights of a model are matrices, how, and why the others are not
* ``MatrixView``              a weight as one or several tall matrices, and back
* ``thin_svd``, ``Factors``   ``M = U diag(s) Vh`` with one sign convention; refuses what is not finite
* ``rank_above``, ``rank_for_energy``, ``guarded``   how many singular values stay
* ``first_moment``, ``second_moment``, ``move_state``   an optimiser's state where ``W = L X R`` and ``X`` is trained from now on
"""

from efficient_ai.lowrank._moments import first_moment, move_state, second_moment
from efficient_ai.lowrank._ranks import dropped, guarded, rank_above, rank_for_energy
from efficient_ai.lowrank._survey import Layer, Survey, survey
from efficient_ai.lowrank._svd import Factors, thin_svd
from efficient_ai.lowrank._views import MatrixView

__all__ = [
    "Factors",
    "Layer",
    "MatrixView",
    "Survey",
    "dropped",
    "first_moment",
    "guarded",
    "move_state",
    "rank_above",
    "rank_for_energy",
    "second_moment",
    "survey",
    "thin_svd",
]
