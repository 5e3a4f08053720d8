"""Five encoder-decoder transformers for long forecasts, in the size in which they were published.

All map a history ``(batch, history, channels)`` and time marks ``(batch, history + horizon, marks)`` to a forecast
``(batch, horizon, channels)``. Queries, keys, values and results have linear layers of their own, so that what looks at
a model or cuts it sees them. The compact Autoformer of :mod:`efficient_ai.forecasters` is another, smaller network.
"""

from efficient_ai.forecasters.seq2seq._crossformer import Crossformer
from efficient_ai.forecasters.seq2seq._mixing import (
    Attention,
    AutoCorrelation,
    FourierBlock,
    FourierCross,
    FullAttention,
    ProbSparse,
    circular_correlation,
)
from efficient_ai.forecasters.seq2seq._models import Autoformer, FEDformer, Informer, Transformer
from efficient_ai.forecasters.seq2seq._parts import Decomposition, Sizes, sinusoids, time_marks

MODELS = {model.__name__: model for model in (Transformer, Informer, Autoformer, FEDformer, Crossformer)}
"""By name."""

__all__ = [
    "MODELS",
    "Attention",
    "AutoCorrelation",
    "Autoformer",
    "Crossformer",
    "Decomposition",
    "FEDformer",
    "FourierBlock",
    "FourierCross",
    "FullAttention",
    "Informer",
    "ProbSparse",
    "Sizes",
    "Transformer",
    "circular_correlation",
    "sinusoids",
    "time_marks",
]
