"""Merging neurons: copies merge to the network itself, and a partial merge is exact where nothing had to merge."""

import pytest
import torch
from torch import nn

from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import MiniViT, Perceptron, SmallResNet, zipped

X = torch.randn(40, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
MAKE = {
    "perceptron": lambda: Perceptron(64, (7, 6), 3, bias=True),
    "residual": lambda: SmallResNet(4, 3),
    "transformer": lambda: MiniViT(8, 4, 8, 2, 1, 3),
    "upwards": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 5), nn.Tanh(), nn.Linear(5, 3)
    ),
}


def made(kind, seed):
    torch.manual_seed(seed)
    return MAKE[kind]().double().eval()


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("kind", MAKE)
def test_copies_merge_to_the_network_itself(kind, k):
    a = made(kind, 0)
    assert (zipped([a] * k, X, X)(X) - a(X)).abs().max() < 1e-10


@pytest.mark.parametrize("kind", MAKE)
def test_members_stay_and_the_result_loads(kind):
    members = [made(kind, s) for s in range(2)]
    before = [{k: v.clone() for k, v in m.state_dict().items()} for m in members]
    found = zipped(members, X, X)
    made(kind, 5).load_state_dict(found.state_dict(), strict=True)
    assert torch.isfinite(found(X)).all()
    assert all(
        torch.equal(v, b[k]) for m, b in zip(members, before, strict=True) for k, v in m.state_dict().items()
    )


def test_a_partial_merge_of_members_that_share_their_beginning_is_their_mean():
    a, b = made("perceptron", 0), made("perceptron", 1)
    b.layers[0].load_state_dict(a.layers[0].state_dict())
    found = zipped([a, b], X, X, groups=1)
    assert [layer.out_features for layer in found.layers] == [7, 12, 3]
    assert (found(X) - (a(X) + b(X)) / 2).abs().max() < 1e-12


@pytest.mark.parametrize("groups", [0, 3, True, 1.0, "one"])
def test_numbers_of_groups_without_sense(groups):
    with pytest.raises(Surgery, match="groups="):
        zipped([made("perceptron", s) for s in range(2)], X, X, groups=groups)


def test_norms_and_bare_matrices_are_refused_by_name():
    with pytest.raises(Surgery, match="norm"):
        zipped([Normed().double() for _ in range(2)], X, X, groups=1)
    with pytest.raises(Surgery, match="bare matrix"):
        zipped([Bare().double() for _ in range(2)], X, X)


class Normed(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Flatten(), nn.Linear(64, 4), nn.ReLU(), nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2)
        )


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.randn(64, 4)), nn.Parameter(torch.randn(4, 2))

    def forward(self, x):
        return torch.relu(x.flatten(1) @ self.a) @ self.b
