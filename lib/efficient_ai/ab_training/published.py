"""What the authors trained: shapes of the three networks, from which every count of a run follows."""

import itertools
import math

from efficient_ai.ab_training._traffic import Sizes

_KEPT = "layers that stay whole"


def _sizes(weights: list[tuple[int, ...]], small: list[int], kept: list[int], buffers: int = 0) -> Sizes:
    """Of weights to decompose, one-dimensional parameters, and those of first and last layers."""
    shapes = [(w[0], math.prod(w[1:])) for w in weights]
    matrices = tuple((1, max(s), min(s)) for s in shapes)
    return Sizes(matrices, sum(small) + sum(kept), len(small) + len(kept), buffers)


def resnet50(classes: int = 1000) -> Sizes:
    """ResNet-50: 52 of 53 convolutions are decomposed."""
    weights, small, before = [], [64, 64], 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            weights += [(width, before, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)]
            small += [width] * 4 + [4 * width] * 2
            if block == 0:
                weights.append((4 * width, before, 1, 1))
                small += [4 * width] * 2
            before = 4 * width
    return _sizes(weights, small, [64 * 3 * 7 * 7, classes * before, classes], sum(small))


def vit_base(classes: int = 1000) -> Sizes:
    """ViT-B/16 with one fused projection of queries, keys and values: 48 linear layers are decomposed."""
    d = 768
    block = [(3 * d, d), (d, d), (4 * d, d), (d, 4 * d)]
    small = ([d, d, 3 * d, d, d, d, 4 * d, d] * 12) + [d, d, classes]
    return _sizes(block * 12, small, [d, 197 * d, d * d, d, classes * d])


def vgg16(classes: int = 10) -> Sizes:
    """VGG16 whose two wide layers are convolutions of 7 x 7 and 1 x 1: 14 layers are decomposed."""
    widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    weights = [(o, i, 3, 3) for i, o in itertools.pairwise(widths)]
    weights += [(4096, 512, 7, 7), (4096, 4096, 1, 1)]
    return _sizes(weights, [w[0] for w in weights], [64 * 3 * 9, 64, 4096 * classes, classes])


MODELS = {"ResNet-50": resnet50(), "ViT-B/16": vit_base(), "VGG16": vgg16()}
"""By the name that :data:`PUBLISHED` begins with."""

TRAFFIC_CUT = 0.7031
"""The abstract's average cut of network traffic."""
