"""F³, feed-forward with delayed feedback: a network that learns from the error each sample had an epoch ago.

``Trainer(blocks, rule, loss, optimiser, sample=, samples=)``   any modules as blocks, any rule, one step or one epoch at a time
``F3``, ``DRTP``, ``DFA``, ``Backpropagation``, ``FeedbackAlignment``, ``LastLayerOnly``   the rules of the paper
``MonoForward``, ``Pepita``, ``ForwardForward``   rules of others that need no backward pass either
``ErrorTable``   what each sample's error was, in as many bits as you like
``Pipeline``, ``GPipe``   the same on MPI ranks: without waiting, and with
"""

from efficient_ai.f3._angles import angles
from efficient_ai.f3._blocks import Dense, mlp, one_hot, widths
from efficient_ai.f3._costs import Costs, fit_costs, multiplications, pipeline_seconds
from efficient_ai.f3._feedback import FEEDBACK, draw_feedback
from efficient_ai.f3._gpipe import GPipe
from efficient_ai.f3._line import Line, partition
from efficient_ai.f3._memory import peak_bytes
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
from efficient_ai.f3._runs import Job, Result, train, train_many
from efficient_ai.f3._signals import SIGNALS
from efficient_ai.f3._stage import Stage
from efficient_ai.f3._table import STORES, ErrorTable
from efficient_ai.f3._tasks import TASKS, Task, load_task
from efficient_ai.f3._trainer import Trainer
from efficient_ai.f3._transformer import patch_transformer
from efficient_ai.f3.claims import ABSTRACT, CLAIMS
from efficient_ai.f3.profiles import PROFILES, Profile

__all__ = [
    "ABSTRACT",
    "CLAIMS",
    "DFA",
    "DRTP",
    "F3",
    "FEEDBACK",
    "PROFILES",
    "SIGNALS",
    "STORES",
    "TASKS",
    "Backpropagation",
    "Costs",
    "Dense",
    "ErrorTable",
    "FeedbackAlignment",
    "ForwardForward",
    "GPipe",
    "Job",
    "LastLayerOnly",
    "Line",
    "MonoForward",
    "Pepita",
    "Pipeline",
    "Profile",
    "Result",
    "Rule",
    "Stage",
    "Task",
    "Trainer",
    "angles",
    "draw_feedback",
    "fit_costs",
    "load_task",
    "mlp",
    "multiplications",
    "one_hot",
    "partition",
    "patch_transformer",
    "peak_bytes",
    "pipeline_seconds",
    "train",
    "train_many",
    "widths",
]
