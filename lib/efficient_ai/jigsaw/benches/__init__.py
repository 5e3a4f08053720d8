"""Test benches of the exercises: they cut random matrices, run the reader's functions on real ranks, count, and say what is wrong.

* a product on two ranks: :func:`product_is_right`, :func:`product_is_frugal`
* what a layer sends: :func:`counted_elements`
* the backward pass of a layer: :func:`backward_is_right`, :func:`backward_messages`
* a norm over all channels: :func:`norm_is_right`, :func:`norm_is_frugal`
* the balanced product on four ranks: :func:`balanced_is_right`, :func:`balanced_is_balanced`
* any grid: :func:`grid_is_right`, :func:`grid_is_frugal`
* what it costs: :class:`Rates`, :func:`predictions_are_right`, :func:`choices_are_right`, :func:`predicted_and_measured`
"""

from efficient_ai.jigsaw.benches._layers import (
    backward_is_right,
    backward_messages,
    counted_elements,
    norm_is_frugal,
    norm_is_right,
)
from efficient_ai.jigsaw.benches._products import (
    balanced_is_balanced,
    balanced_is_right,
    grid_is_frugal,
    grid_is_right,
    product_is_frugal,
    product_is_right,
)
from efficient_ai.jigsaw.benches._seconds import (
    Rates,
    choices_are_right,
    predicted_and_measured,
    predictions_are_right,
)

__all__ = [
    "Rates",
    "backward_is_right",
    "backward_messages",
    "balanced_is_balanced",
    "balanced_is_right",
    "choices_are_right",
    "counted_elements",
    "grid_is_frugal",
    "grid_is_right",
    "norm_is_frugal",
    "norm_is_right",
    "predicted_and_measured",
    "predictions_are_right",
    "product_is_frugal",
    "product_is_right",
]
