"""Names for channels: every element of a traced tensor carries the name of the channel it belongs to."""

from collections.abc import Iterable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

NEUTRAL = -1
"""Belongs to no channel: batch, space, tokens, what comes from the input alone."""


class Surgery(ValueError):
    """A model that cannot be cut or joined exactly; the message names the layer and says what to do."""


class Names:
    """Hands out names and remembers which of them mean the same channel."""

    def __init__(self):
        self._count = 0
        self._pairs: list[np.ndarray] = []

    def fresh(self, *shape: int) -> np.ndarray:
        """New names, int64 of this shape."""
        n = int(np.prod(shape, dtype=int))
        names = np.arange(self._count, self._count + n).reshape(shape)
        self._count += n
        return names

    def tie(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Element by element, what both name is one channel from now on; returns names of the broadcast shape."""
        a, b = np.broadcast_arrays(a, b)
        both = (a >= 0) & (b >= 0) & (a != b)
        if both.any():
            self._pairs.append(np.unique(np.stack([a[both], b[both]]), axis=1))
        return np.where(a >= 0, a, b)

    def collapse(self, names: np.ndarray, axes: Iterable[int]) -> np.ndarray:
        """Ties all names along ``axes`` and keeps the axes with length one."""
        for axis in axes:
            first = np.take(names, [0], axis=axis)
            if (names < 0).any() and (names >= 0).any():
                first = names.max(axis=axis, keepdims=True)  # a named element speaks for the neutral ones
            self.tie(np.broadcast_to(first, names.shape), names)
            names = first
        return names

    def channels(self) -> np.ndarray:
        """Number of the channel of each name, shape ``(names,)``; numbered in the order of their first names."""
        if not self._count:
            return np.empty(0, dtype=int)
        pairs = np.concatenate(self._pairs, axis=1) if self._pairs else np.empty((2, 0), dtype=int)
        graph = coo_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(self._count,) * 2)
        found = connected_components(graph, directed=False)[1]
        _, first, back = np.unique(found, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=int)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[back]
