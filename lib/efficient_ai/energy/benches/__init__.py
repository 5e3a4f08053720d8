"""Test benches of the exercises: trees, ranks and a sensor to try the reader's code on. No answers stand here."""

from efficient_ai.energy.benches._ranks import hosts_and_reads
from efficient_ai.energy.benches._sensor import LazySensor, renewed
from efficient_ai.energy.benches._tree import CASES, on_tree

__all__ = ["CASES", "LazySensor", "hosts_and_reads", "on_tree", "renewed"]
