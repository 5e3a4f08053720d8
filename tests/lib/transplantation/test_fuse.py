"""The wide network is the ensemble, the cut keeps the largest neurons, and members stay as they were."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import MiniViT, Perceptron, SmallResNet, concatenate, fuse
from efficient_ai.transplantation.costs import peak_bytes

NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm | nn.GroupNorm


def seeded(make, seed):
    """A float64 network whose norms have weights and statistics of their own."""
    torch.manual_seed(seed)
    model = make().double().eval()
    for layer in model.modules():
        if isinstance(layer, NORMS):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
            if getattr(layer, "running_var", None) is not None:
                nn.init.normal_(layer.running_mean)
                nn.init.uniform_(layer.running_var, 0.3, 2)
    return model


class Layouts(nn.Module):
    """Between linear and convolutional layers one channel owns many entries, and their order depends on the view."""

    def __init__(self, last):
        super().__init__()
        self.last = last
        self.conv, self.flat, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 6), nn.Linear(6, 2)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = x.permute(0, 2, 3, 1).flatten(1) if self.last else x.flatten(1)
        return self.head(torch.tanh(self.flat(x)))


class Up(nn.Module):
    """A view into maps, a grouped transposed convolution, a depthwise one, a group norm."""

    def __init__(self):
        super().__init__()
        self.a, self.t = nn.Linear(3, 16), nn.ConvTranspose2d(4, 6, 2, groups=2)
        self.d, self.n, self.o = (
            nn.Conv2d(6, 6, 3, padding=1, groups=6),
            nn.GroupNorm(2, 6),
            nn.Conv2d(6, 2, 1),
        )

    def forward(self, x):
        x = torch.relu(self.t(torch.relu(self.a(x)).view(-1, 4, 2, 2)))
        return self.o(torch.relu(self.n(self.d(x))))


class Tokens(nn.Module):
    """An embedding and torch's own attention."""

    def __init__(self, words=11):
        super().__init__()
        self.words, self.norm = nn.Embedding(words, 8), nn.LayerNorm(8)
        self.attention, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 3)

    def forward(self, x):
        x = self.words(x)
        y = self.norm(x)
        return self.head((x + self.attention(y, y, y, need_weights=False)[0]).mean(1))


def images(n=5):
    return torch.randn(n, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


CASES = {
    "perceptron": (lambda: Perceptron(64, (5, 6), 3, bias=True), images),
    "residual": (lambda: SmallResNet(3, 4), images),
    "transformer": (lambda: MiniViT(8, 4, 8, 2, 2, 3), images),
    "channels first": (lambda: Layouts(False), images),
    "channels last": (lambda: Layouts(True), images),
    "upwards": (Up, lambda: torch.randn(5, 3, dtype=torch.float64)),
    "tokens": (Tokens, lambda: torch.arange(30).reshape(5, 6) % 11),
}


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("case", CASES)
def test_wide_network_is_the_mean_of_the_logits(case, k):
    make, inputs = CASES[case]
    members, x = [seeded(make, s) for s in range(k)], inputs()
    mean = sum(m(x) for m in members) / k
    assert (concatenate(members, x)(x) - mean).abs().max() < 1e-12


def test_wide_network_with_batch_norm_in_training_mode():
    members, x = [seeded(lambda: SmallResNet(3, 4), s).train() for s in range(2)], images(9)
    wide = concatenate(members, x).train()
    assert (wide(x) - sum(m(x) for m in members) / 2).abs().max() < 1e-12


@pytest.mark.parametrize(
    "members",
    [
        [seeded(lambda w=w: Perceptron(64, w, 3, bias=True), s) for s, w in enumerate([(5, 6), (9, 2), (1, 4)])],
        [seeded(lambda w=w: SmallResNet(w, 3), s) for s, w in enumerate([3, 5])],
        [seeded(lambda w=w: MiniViT(8, 4, 4 * w, w, 1, 3), s) for s, w in enumerate([2, 3])],
    ],
)  # fmt: skip
def test_members_of_different_widths_count_by_width(members):
    x = images()
    widths = [(m.layers[-1] if isinstance(m, Perceptron) else m.head).in_features for m in members]
    mean = sum(w / sum(widths) * m(x) for w, m in zip(widths, members, strict=True))
    assert (concatenate(members, x)(x) - mean).abs().max() < 1e-12
    fused = fuse(members, x)
    copy.deepcopy(members[0]).load_state_dict(fused.model.state_dict(), strict=True)


@pytest.mark.parametrize("order", ["joint", "sequential"])
@pytest.mark.parametrize("case", CASES)
def test_fused_has_the_shape_of_a_member_and_members_stay(case, order):
    make, inputs = CASES[case]
    members, x = [seeded(make, s) for s in range(3)], inputs()
    before = [copy.deepcopy(m.state_dict()) for m in members]
    fused = fuse(members, x, order=order)
    assert list(fused.model.state_dict()) == list(members[0].state_dict())
    make().double().load_state_dict(fused.model.state_dict(), strict=True)
    assert torch.isfinite(fused.model(x)).all()
    for member, state in zip(members, before, strict=True):
        assert all(torch.equal(v, state[key]) for key, v in member.state_dict().items())
    memory = {p.data_ptr() for m in members for p in m.parameters()}
    own = [p.data_ptr() for p in fused.model.parameters()]
    assert not memory & set(own) and len(set(own)) == len(own)


def by_hand(members, order):
    """The two lines of section 3.3 on the concatenated matrices of a perceptron without biases."""
    k, depth = len(members), len(members[0].layers)
    w = []
    for i in range(depth):
        blocks = [m.layers[i].weight.detach() for m in members]
        w.append(
            torch.cat(blocks)
            if i == 0
            else torch.block_diag(*blocks)
            if i < depth - 1
            else torch.cat(blocks, 1) / k
        )
    scored, kept = [v.clone() for v in w], []
    for i in reversed(range(depth - 1)):
        source = scored if order == "joint" else w
        score = source[i].square().sum(1) + source[i + 1].square().sum(0)
        keep = score.argsort(descending=True, stable=True)[: len(members[0].layers[i].weight)].sort().values
        w[i], w[i + 1] = w[i][keep], w[i + 1][:, keep]
        kept.append(keep)
    return w, kept[::-1]


@pytest.mark.parametrize("order", ["joint", "sequential"])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 7, 16])
def test_equals_the_definition_on_concatenated_matrices(k, order):
    members = [seeded(lambda: Perceptron(20, (12, 9, 12), 5), s) for s in range(k)]
    fused = fuse(members, torch.randn(2, 20, dtype=torch.float64), order=order)
    weights, kept = by_hand(members, order)
    for i, (layer, weight) in enumerate(zip(fused.model.layers, weights, strict=True)):
        assert torch.allclose(layer.weight, weight, rtol=1e-14, atol=0), i
    for i, (width, keep) in enumerate(zip((12, 9, 12), kept, strict=True)):
        rows = fused.kept[f"layers.{i}"]
        assert (rows[:, 0] * width + rows[:, 1]).tolist() == keep.tolist()


def test_width_is_exact_where_floats_are_one_short():
    members = [seeded(lambda: Perceptron(8, (64, 64), 3), s) for s in range(3)]
    fused = fuse(members, torch.randn(2, 8, dtype=torch.float64))
    assert [len(k) for k in fused.kept.values()] == [64, 64]
    assert int(192 * (1 - (1 - 1 / 3))) == 63  # what the released formula gives


@pytest.mark.parametrize("k", [2, 4])
def test_copies_of_one_network_are_that_network_pruned(k):
    member = seeded(lambda: Perceptron(10, (64, 64), 3), 0)
    x = torch.randn(7, 10, dtype=torch.float64)
    fused = fuse([member] * k, x)
    for rows in fused.kept.values():
        assert len(set(rows[:, 1].tolist())) == 64 // k
    scores = {g: [s[0]] for g, s in fused.scores.items()}
    pruned = fuse([member], x, widths={g: 64 // k for g in fused.kept}, score=scores)
    assert (fused.model(x) - pruned.model(x)).abs().max() < 1e-12


def test_kept_channels_carry_their_own_statistics():
    members = [seeded(lambda: SmallResNet(3, 4), s) for s in range(2)]
    fused = fuse(members, images())
    for slot, (m, u) in enumerate(fused.kept["stem.0"]):
        mine, theirs = fused.model.stem[1], members[m].stem[1]
        for what in ("weight", "bias", "running_mean", "running_var"):
            assert getattr(mine, what)[slot] == getattr(theirs, what)[u]


def test_counters_and_absent_statistics():
    for settings in ({"affine": False}, {"track_running_stats": False}, {"momentum": None}):
        members = [
            nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, **settings), nn.ReLU(), nn.Linear(4, 2))
            for _ in range(2)
        ]
        if members[0][1].num_batches_tracked is not None:
            members[0][1].num_batches_tracked.fill_(7)
            members[1][1].num_batches_tracked.fill_(9)
        x = torch.randn(6, 3)
        norm = fuse(members, x).model[1]
        assert (norm.weight is None) == (not settings.get("affine", True))
        assert (norm.running_mean is None) == (not settings.get("track_running_stats", True))
        if norm.num_batches_tracked is not None:
            assert norm.num_batches_tracked == 9 and norm.num_batches_tracked.ndim == 0
            assert norm.num_batches_tracked.dtype == torch.int64
        concatenate(members, x).train()(x)


def test_shares_and_a_share_of_the_width():
    a, b = (seeded(lambda: Perceptron(8, (10, 7), 3), s) for s in range(2))
    x = torch.randn(2, 8, dtype=torch.float64)
    fused = fuse([a, b], x, shares=(0.7, 0.3))
    assert [np.bincount(k[:, 0]).tolist() for k in fused.kept.values()] == [[7, 3], [5, 2]]
    whole = fuse([a, b], x, shares=(1, 0), weights=(1, 0))
    assert torch.equal(whole.model(x), a(x))
    assert [len(k) for k in fuse([a, b], x, widths=0.25).kept.values()] == [5, 4]
    everywhere = fuse([a, b], x, widths="global")
    assert sum(len(k) for k in everywhere.kept.values()) == 17


def test_tied_layers_are_one_layer():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)
            self.again = self.b

        def forward(self, x):
            return self.c(torch.relu(self.again(torch.relu(self.b(torch.relu(self.a(x)))))))

    members, x = [seeded(Tied, s) for s in range(2)], torch.randn(5, 3, dtype=torch.float64)
    assert (concatenate(members, x)(x) - sum(m(x) for m in members) / 2).abs().max() < 1e-12
    fused = fuse(members, x).model
    assert fused.again is fused.b


def refused(members, word, x=None, **options):
    with pytest.raises(Surgery, match=word):
        fuse(members, torch.randn(2, 3) if x is None else x, **options)


def two(make_a, make_b=None):
    torch.manual_seed(0)
    return [make_a(), (make_b or make_a)()]


def plain(*middle, inputs=3, width=4, outputs=2):
    return nn.Sequential(nn.Linear(inputs, width), *middle, nn.Linear(width, outputs))


def test_members_that_do_not_fit_are_refused_by_name():
    refused(two(lambda: plain(nn.ReLU()), lambda: plain(nn.ReLU(), outputs=3)), "2 outputs, member 1 has 3")
    refused(two(lambda: plain(nn.ReLU()), lambda: plain(nn.GELU())), "GELU.*ReLU")
    refused(two(lambda: plain(nn.ReLU()), lambda: plain(nn.Linear(4, 4))), "member 1")
    refused(two(lambda: plain(nn.BatchNorm1d(4)), lambda: plain(nn.BatchNorm1d(4, eps=1e-3))), "eps")
    refused(two(lambda: plain(nn.ReLU()), lambda: plain(nn.ReLU()).double()), "member 1.*does not run|dtype")
    refused(two(Tokens, lambda: Tokens(13)), "11 entries.*13", x=torch.zeros(2, 6, dtype=torch.int64))
    refused(two(lambda: plain(nn.ReLU())), "reorder", labels=(("cat", "dog"), ("dog", "cat")))
    refused([plain(nn.ReLU()), Perceptron(3, (4,), 2)], "member 1 is a Perceptron")
    broken = plain(nn.ReLU())
    broken[0].weight.data[0, 0] = float("nan")
    refused([plain(nn.ReLU()), broken], "0.weight of member 1.*finite")


def test_every_tensor_is_treated_or_named():
    def extra(kind):
        model = plain(nn.ReLU())
        model.register_buffer("order", torch.arange(5)) if kind == "buffer" else model.register_parameter(
            "idle", nn.Parameter(torch.randn(3))
        )
        return model

    assert "order" in fuse(two(lambda: extra("buffer")), torch.randn(2, 3)).model.state_dict()
    refused(two(lambda: extra("parameter")), "idle.*member 1")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"widths": {"0": 9}}, "9 is not a whole number from 1 to 8"),
        ({"widths": {"0": True}}, "whole number"),
        ({"widths": {"0": 2.0}}, "whole number"),
        ({"widths": {"zero": 2}}, "no groups named"),
        ({"widths": 0.0}, "share"),
        ({"widths": True}, "widths=True"),
        ({"widths": float("nan")}, "share"),
        ({"weights": (0.5, 0.6)}, "sum to 1"),
        ({"weights": (float("nan"), 1)}, "sum to 1"),
        ({"shares": (1,)}, "2 numbers"),
        ({"score": "largest"}, "choose one of"),
        ({"score": {"0": [np.ones(4), np.ones(3)]}}, "finite numbers of shapes"),
        ({"order": "backwards"}, "choose one of"),
        ({"labels": [("a", "b")]}, "1 lists of labels for 2"),
    ],
)
def test_options_without_sense_are_refused(options, word):
    refused(two(lambda: plain(nn.ReLU())), word, **options)


def test_no_members_no_example():
    for members, x in (
        ([], torch.ones(2, 3)),
        ([plain(nn.ReLU())], torch.ones(0, 3)),
        ([3], torch.ones(2, 3)),
        ([plain(nn.ReLU())], None),
    ):
        with pytest.raises(Surgery, match="give"):
            fuse(members, x)


def test_a_fused_network_can_be_fused_and_cross_weights_begin_at_zero():
    members = [seeded(lambda: Perceptron(8, (10, 10), 3), s) for s in range(3)]
    x = torch.randn(2, 8, dtype=torch.float64)
    fused = fuse(members[:2], x)
    again = fuse([fused.model, members[2]], x)
    assert torch.isfinite(again.model(x)).all()
    rows, columns = fused.kept["layers.1"][:, 0], fused.kept["layers.0"][:, 0]
    cross = rows[:, None] != columns[None, :]
    assert (fused.model.layers[1].weight.detach().numpy()[cross] == 0).all()
    assert cross.any()


def test_half_precision_and_channels_last_members():
    members = [
        SmallResNet(4, 3).to(torch.bfloat16).to(memory_format=torch.channels_last).eval() for _ in range(2)
    ]
    fused = fuse(members, torch.randn(2, 1, 8, 8, dtype=torch.bfloat16)).model
    assert {p.dtype for p in fused.parameters()} == {torch.bfloat16}


def test_magnitudes_need_no_wide_network():
    members = [seeded(lambda: MiniViT(8, 4, 8, 2, 1, 3), s) for s in range(2)]
    x = images()
    wide = concatenate(members, x)
    parts = surgery.anatomy(members[0], x)
    first = surgery.magnitudes(parts, members[0], 2)
    assert first.shape == (16,)
    rows = wide.get_parameter("layers.0.mlp.0.weight").square().sum(1)[:16]
    columns = wide.get_parameter("layers.0.mlp.2.weight").square().sum(0)[:16]
    assert np.allclose(first, ((rows + columns) / 2).detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("k", [2, 4])
def test_fusion_allocates_the_result_and_less_than_one_layer(k):
    members = [Perceptron(512, (256, 256), 10) for _ in range(k)]
    x = torch.zeros(1, 512)
    fuse(members, x)  # imports and caches
    sizes = [p.numel() * p.element_size() for p in members[0].parameters()]
    # The least of three: what other threads of this process allocate meanwhile is counted, too.
    least = min(peak_bytes(lambda: fuse(members, x)) for _ in range(3))
    assert sum(sizes) <= least <= sum(sizes) + max(sizes)
