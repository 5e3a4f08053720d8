"""F³, feed-forward with delayed feedback: a network that learns from the error each sample had an epoch ago.

``Trainer(blocks, rule, loss, optimiser, sample=, samples=)``   any modules as blocks, any rule, one step or one epoch at a time
``F3``, ``DRTP``, ``DFA``, ``Backpropagation``, ``FeedbackAlignment``, ``LastLayerOnly``   the rules of the paper
``MonoForward``, ``Pepita``, ``ForwardForward``   rules of others that need no backward pass either
``ErrorTable``   what each sample's error was, in as many bits as you like
``Pipeline``, ``GPipe``   the same on MPI ranks: without waiting, and with
"""

from efficient_ai.f3._blocks import Dense, mlp, one_hot, widths
from efficient_ai.f3._feedback import FEEDBACK, draw_feedback
from efficient_ai.f3._gpipe import GPipe
from efficient_ai.f3._pipeline import Pipeline
from efficient_ai.f3._rules import (
    DFA,
    DRTP,
    F3,
    Backpropagation,
    FeedbackAlignment,
    ForwardForward,
    LastLayerOnly,
    MonoForward,
    Pepita,
    Rule,
)
from efficient_ai.f3._signals import SIGNALS
from efficient_ai.f3._stage import Stage
from efficient_ai.f3._table import STORES, ErrorTable
from efficient_ai.f3._trainer import Trainer
