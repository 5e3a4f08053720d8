"""What the encoder-decoder forecasters have in common: inputs, embeddings, decomposition, feed-forward."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Sizes(nn.Module):
    """The lengths that a model is built for; refuses everything else in one sentence.

    Args:
        channels: series in one sample.
        history, label, horizon: steps that are given, repeated to the decoder, and asked for.
        marks: columns of the time marks; 0 for none.
    """

    def __init__(self, channels: int, history: int, horizon: int, label: int | None, marks: int):
        super().__init__()
        label = history // 2 if label is None else label
        for name, value, least in (
            ("channels", channels, 1), ("history", history, 1), ("horizon", horizon, 1),
            ("label", label, 0), ("marks", marks, 0),
        ):  # fmt: skip
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
        if label > history:
            raise ValueError(
                f"label {label} is longer than the history of {history} steps: repeat at most all of it"
            )
        self.channels, self.history, self.horizon, self.label, self.marks = (
            channels, history, horizon, label, marks,
        )  # fmt: skip

    def forward(self, history: Tensor, marks: Tensor | None) -> Tensor:
        """The history, if both inputs fit; else a ValueError with both numbers."""
        if history.ndim != 3:
            raise ValueError(
                f"a history has 3 axes (batch, steps, channels), not {history.ndim}: add a batch axis"
            )
        for what, axis, built in (("steps of history", 1, self.history), ("channels", 2, self.channels)):
            if history.shape[axis] != built:
                raise ValueError(
                    f"the model is built for {built} {what} and was given {history.shape[axis]}: "
                    "cut the input, or build the model anew"
                )
        if not self.marks:
            if marks is not None:
                raise ValueError(
                    "the model is built without time marks and was given some: build it with marks"
                )
            return history
        if marks is None:
            raise ValueError(f"the model is built for {self.marks} columns of time marks and was given none")
        wanted = (len(history), self.history + self.horizon, self.marks)
        for what, axis in (("samples", 0), ("steps, history and horizon,", 1), ("columns", 2)):
            if marks.ndim != 3 or marks.shape[axis] != wanted[axis]:
                raise ValueError(
                    f"time marks must have {wanted[axis]} {what} and were given as {tuple(marks.shape)}: "
                    f"pass (batch, history + horizon, columns) = {wanted}"
                )
        return history

    def couple_channels(self, trace, given, value):
        """Surgery: what is given holds no channels."""
        return given[0]


def heads_of(width: int, heads: int) -> int:
    """Width of one head.

    Raises:
        ValueError: the heads do not divide the width.
    """
    if isinstance(heads, bool) or heads < 1 or width % heads:
        raise ValueError(f"{heads} heads do not divide the width {width}: choose a divisor")
    return width // heads


def time_marks(times: np.ndarray, minutes: bool) -> np.ndarray:
    """Hour, weekday, day of month and month (and the minute first, if asked), each scaled to -0.5 ... 0.5.

    Args:
        times: datetime64, shape ``(steps,)``.
        minutes: whether the steps are shorter than an hour; without it steps within an hour look the same.

    Returns:
        float32, shape ``(steps, 4)`` or ``(steps, 5)``

    Raises:
        ValueError: not times, or steps shorter than an hour without ``minutes``.
    """
    times = np.asarray(times)
    if not np.issubdtype(times.dtype, np.datetime64) or np.isnat(times).any():
        raise ValueError(f"times must be datetime64 without gaps, not {times.dtype}")
    minute = times.astype("datetime64[m]").astype(np.int64)
    if not minutes and (minute % 60).any() and len(np.unique(minute % 60)) > 1:
        raise ValueError("the steps are shorter than an hour: call with minutes=True and a model for 5 marks")
    days = times.astype("datetime64[D]")
    month = times.astype("datetime64[M]")
    columns = [
        (minute // 60) % 24 / 23,
        (days.astype(np.int64) + 3) % 7 / 6,
        (days - month.astype("datetime64[D]")).astype(np.int64) / 30,
        month.astype(np.int64) % 12 / 11,
    ]
    if minutes:
        columns.insert(0, minute % 60 / 59)
    return (np.stack(columns, axis=1) - 0.5).astype(np.float32)


class Embedding(nn.Module):
    """Tokens from values (circular convolution over three steps) and time marks; sinusoidal positions if asked.

    Args:
        sizes: of the model.
        width: of the tokens.
        steps: length of the longest sequence; 0 for tokens without positions.
        dropout: of the tokens.
    """

    def __init__(self, sizes: Sizes, width: int, steps: int, dropout: float):
        super().__init__()
        self.values = nn.Conv1d(sizes.channels, width, 3, padding=1, padding_mode="circular", bias=False)
        nn.init.kaiming_normal_(self.values.weight, mode="fan_in", nonlinearity="leaky_relu")
        self.marks = nn.Linear(sizes.marks, width, bias=False) if sizes.marks else None
        if steps:
            self.register_buffer("positions", sinusoids(steps, width), persistent=True)
        else:
            self.positions = None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, marks: Tensor | None) -> Tensor:
        """``(batch, steps, channels)`` to ``(batch, steps, width)``."""
        tokens = self.values(x.transpose(1, 2)).transpose(1, 2)
        if self.marks is not None:
            tokens = tokens + self.marks(marks)
        if self.positions is not None:
            tokens = tokens + self.positions
        return self.dropout(tokens)


def sinusoids(steps: int, width: int) -> Tensor:
    """Sines in even columns, cosines in odd ones, wave lengths from 2π to 10000·2π; ``(steps, width)``."""
    angle = torch.arange(steps, dtype=torch.float64)[:, None] * torch.exp(
        torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width)
    )
    table = torch.zeros(steps, width, dtype=torch.float64)
    table[:, 0::2] = torch.sin(angle)
    table[:, 1::2] = torch.cos(angle)[:, : width // 2]
    return table.to(torch.get_default_dtype())


class Decomposition(nn.Module):
    """Splits a series into rest and trend, the moving average over time.

    Args:
        window: of the average. Right: 25 with the ends repeated. As released by the authors: 24 with zeros at the ends,
            and with the weights of a mixture of one, which do nothing.
        released: as the authors' code.
        idle: whether the released form holds the two weights that do nothing.
    """

    def __init__(self, window: int = 25, released: bool = False, idle: bool = True):
        super().__init__()
        if isinstance(window, bool) or window < 1:
            raise ValueError(f"a moving average needs a window of at least 1 step, not {window}")
        self.window, self.released = window, released
        self.mixture = nn.Linear(1, 1) if released and idle else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Rest and trend, each of the shape of ``x``, ``(batch, steps, width)``."""
        before = (self.window - 1) // 2
        ends = (before, self.window - 1 - before)
        series = x.transpose(1, 2)
        padded = F.pad(series, ends) if self.released else F.pad(series, ends, mode="replicate")
        trend = F.avg_pool1d(padded, self.window, stride=1).transpose(1, 2)
        return x - trend, trend

    def couple_channels(self, trace, given, value):
        """Surgery: channels pass through, to both results."""
        names = np.broadcast_to(trace.ties.collapse(given[0], [0, 1]), given[0].shape)
        return names, names


class Feed(nn.Module):
    """Two linear layers with GELU between them, for every token alone."""

    def __init__(self, width: int, hidden: int, dropout: float, bias: bool = True):
        super().__init__()
        self.rise = nn.Linear(width, hidden, bias=bias)
        self.fall = nn.Linear(hidden, width, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.fall(self.dropout(F.gelu(self.rise(x)))))
