"""Runs in a peers' environment: fusion through torch-pruning beside ours. Last line of the output: JSON.

python pruning.py parity joint|sequential     kept weights compared, several networks and numbers of members
python pruning.py fusion REPEATS              seconds and peak bytes, 3072-w-w-10
"""

import copy
import importlib.metadata
import json
import sys
import time
from itertools import pairwise

import torch
import torch_pruning
from torch import nn

from efficient_ai import transplantation
from efficient_ai.transplantation import costs

torch.set_num_threads(1)


def perceptron(sizes, seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b, bias=False), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def side_by_side(members) -> nn.Sequential:
    """The wide perceptron, as the released code makes it: stacked rows, block diagonals, stacked columns over k."""
    wide, last = copy.deepcopy(members[0]), len(members[0]) - 1
    for i in range(0, len(wide), 2):
        blocks = [m[i].weight.detach() for m in members]
        if i == 0:
            weight = torch.cat(blocks)
        elif i == last:
            weight = torch.cat(blocks, 1) / len(members)
        else:
            weight = torch.block_diag(*blocks)
        wide[i] = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        wide[i].weight = nn.Parameter(weight)
    return wide


def through_package(members, example) -> nn.Sequential:
    """Concatenate, then prune to the width of one member with the settings of the released code."""
    wide = side_by_side(members)
    pruner = torch_pruning.pruner.MagnitudePruner(
        wide,
        example,
        importance=torch_pruning.importance.MagnitudeImportance(p=2),
        pruning_ratio=1 - 1 / len(members),
        root_module_types=[nn.Conv2d, nn.Linear],
        ignored_layers=[wide[len(wide) - 1]],
    )
    pruner.step()
    return wide


def convolutional(width: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = transplantation.SmallResNet(width, 10).eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.3, 2)
    return model


def pruned_residual(order: str) -> dict:
    """One residual network with batch norms and shortcuts pruned to half: the same channels of every tensor?"""
    model, example = convolutional(16, 0), torch.randn(2, 1, 14, 14)
    ours = transplantation.fuse([model], example, widths=0.5, order=order).model
    theirs = copy.deepcopy(model)
    torch_pruning.pruner.MagnitudePruner(
        theirs,
        example,
        importance=torch_pruning.importance.MagnitudeImportance(p=2),
        pruning_ratio=0.5,
        root_module_types=[nn.Conv2d, nn.Linear],
        ignored_layers=[theirs.head],
    ).step()
    return {"network": "residual, width 16, pruned to half", "members": 1, "seed": 0} | difference(
        ours, theirs
    )


def difference(ours: nn.Module, theirs: nn.Module) -> dict:
    """How many tensors have the same shape, and the largest difference of a number in them."""
    mine, other = ours.state_dict(), theirs.state_dict()
    same = [n for n in mine if n in other and mine[n].shape == other[n].shape]
    largest = max(float((mine[n].double() - other[n].double()).abs().max()) for n in same) if same else None
    return {"tensors": len(mine), "same shape": len(same), "largest difference": largest}


def parity(order: str) -> list[dict]:
    rows = []
    for sizes in ((64, 32, 32, 10), (64, 48, 32, 40, 10)):
        for k in (2, 4, 8):
            for seed in range(3):
                members = [perceptron(sizes, 100 * seed + m) for m in range(k)]
                example = torch.randn(2, sizes[0])
                ours = transplantation.fuse(members, example, order=order).model
                row = {"network": "-".join(map(str, sizes)), "members": k, "seed": seed}
                rows.append(row | difference(ours, through_package(members, example)))
    return [*rows, pruned_residual(order)]


def fusion(repeats: int) -> list[dict]:
    """In turns: seconds of every run, and peak bytes beyond the members."""
    rows = []
    for width in (128, 256, 512, 1024):
        members = [perceptron((3072, width, width, 10), m) for m in range(2)]
        example = torch.zeros(1, 3072)
        calls = {
            "ours": lambda m=members, x=example: transplantation.fuse(m, x).model,
            "torch-pruning": lambda m=members, x=example: through_package(m, x),
        }
        made = {side: call() for side, call in calls.items()}
        for call in calls.values():
            costs.peak_bytes(call)  # imports are nobody's
        seconds: dict[str, list[float]] = {side: [] for side in calls}
        for _ in range(repeats):
            for side, call in calls.items():
                began = time.perf_counter()
                call()
                seconds[side].append(time.perf_counter() - began)
        weights = [p.numel() * p.element_size() for p in members[0].parameters()]
        rows.append({
            "width": width, "members": 2, "repeats": repeats,
            "seconds": {side: min(values) for side, values in seconds.items()},
            "median": {side: sorted(values)[len(values) // 2] for side, values in seconds.items()},
            "ratio": min(seconds["torch-pruning"]) / min(seconds["ours"]),
            "peak bytes": {side: costs.peak_bytes(call) for side, call in calls.items()},
            "bytes of a member": sum(weights), "bytes of its largest layer": max(weights),
        } | difference(made["ours"], made["torch-pruning"]))  # fmt: skip
    return rows


if __name__ == "__main__":
    found = parity(sys.argv[2]) if sys.argv[1] == "parity" else fusion(int(sys.argv[2]))
    versions = {n: importlib.metadata.version(n) for n in ("torch", "torch-pruning", "numpy")}
    print(json.dumps({"versions": versions, "rows": found}))
