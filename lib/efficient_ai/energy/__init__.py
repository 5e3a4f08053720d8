"""The chapter on energy: what it measures, what it models, and what it shows. The instrument itself is :mod:`efficient_ai.metering`.

:mod:`efficient_ai.energy.nodes` (power of a node as a sum of parts), :mod:`efficient_ai.energy.sampling` (what sampling does to an
energy), :mod:`efficient_ai.energy.forecast`, :mod:`efficient_ai.energy.vgg`, :mod:`efficient_ai.energy.kernels` and
:mod:`efficient_ai.energy.workload` (what is measured), :mod:`efficient_ai.energy.overhead` (what measuring costs),
:mod:`efficient_ai.energy.peers` (the benchmark beside other tools), :mod:`efficient_ai.energy.measure_board` and
:mod:`efficient_ai.energy.board` (what the counter of a GPU says), :mod:`efficient_ai.energy.claims`,
:mod:`efficient_ai.energy.profiles`, :mod:`efficient_ai.energy.figures`, and :mod:`efficient_ai.energy.benches` (test benches of the
exercises).
"""
