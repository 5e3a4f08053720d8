"""Wrong answers to the exercises on energy, one module per topic."""

from mutants.energy import _arithmetic, _nodes, _trees

MUTANTS = [*_arithmetic.MUTANTS, *_trees.MUTANTS, *_nodes.MUTANTS]
