"""The sides of ``benchmarks/propulate.py``: our optimiser and its peers, each measured in the same way.

``with_*.py`` are scripts for the peers' own environment; everything else runs in the book's.
"""
