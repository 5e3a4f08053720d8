"""The size of a WeatherMixer, and what follows from it: parameters and floating point operations (Section 3.2)."""

from dataclasses import dataclass, replace

from efficient_ai.jigsaw._grid import Grid


@dataclass(frozen=True)
class MixerConfig:
    """A WeatherMixer.

    Args:
        lat, lon: the grid of the weather; one token is ``patch`` neighbours on one circle of latitude, all channels.
        inputs, outputs: channels; the published models have 69 variables and 3 constant masks as inputs.
        patch: length of a patch, a divisor of ``lon``.
        width: channels of a token, d.
        token_fraction, channel_fraction: hidden widths of the two mixing networks, as fractions of the number of tokens and of d.
        blocks: mixer blocks.
        dropout: probability to drop a value.
        shared_bias: one bias for each output channel (the serial model of the authors); else one for each channel and each
            place of a patch (their parallel model, and ours).
    """

    lat: int = 720
    lon: int = 1440
    inputs: int = 72
    outputs: int = 69
    patch: int = 60
    width: int = 4320
    token_fraction: float = 0.5
    channel_fraction: float = 1.0
    blocks: int = 3
    dropout: float = 1e-3
    shared_bias: bool = True

    def __post_init__(self):
        if self.lon % self.patch:
            raise ValueError(f"a patch of {self.patch} does not divide {self.lon} longitudes")
        if self.outputs > self.inputs:
            raise ValueError(f"{self.outputs} outputs cannot be blended with {self.inputs} inputs")

    @property
    def tokens(self) -> int:
        """N."""
        return self.lat * self.lon // self.patch

    @property
    def token_hidden(self) -> int:
        return int(self.tokens * self.token_fraction)

    @property
    def channel_hidden(self) -> int:
        return int(self.width * self.channel_fraction)

    def padded(self) -> "MixerConfig":
        """The model as it is sharded: as many outputs as inputs, the surplus trained towards nothing, a bias for each place."""
        return replace(self, outputs=self.inputs, shared_bias=False)

    def check(self, grid: Grid) -> None:
        """Raise ValueError, naming the axis, unless this model can be cut for ``grid``."""
        if grid.size > 1 and (self.outputs != self.inputs or self.shared_bias):
            raise ValueError("a sharded model has as many outputs as inputs: take config.padded()")
        if self.lon // self.patch % grid.rows:
            raise ValueError(
                f"{self.lon // self.patch} patches of a circle of latitude cannot be shared by {grid.rows} rows of ranks"
            )
        for name, length in (
            ("the token axis", self.tokens),
            ("the hidden token axis", self.token_hidden),
            ("the width", self.width),
            ("the hidden width", self.channel_hidden),
            ("the channel axis", self.inputs),
        ):
            grid.check_axis(name, length)


def weights(config: MixerConfig) -> dict[str, tuple[int, int]]:
    """Rows and columns of every weight matrix, by name."""
    n, d, p = config.tokens, config.width, config.patch
    h, c = config.token_hidden, config.channel_hidden
    found = {"embed": (d, config.inputs * p)}
    for k in range(config.blocks):
        found |= {f"blocks.{k}.token1": (n, h), f"blocks.{k}.token2": (h, n)}
        found |= {f"blocks.{k}.channel1": (c, d), f"blocks.{k}.channel2": (d, c)}
    found["recover"] = (config.outputs * p, 2 * d)
    found["blend"] = (config.outputs, 2 * config.outputs)
    return found


def vectors(config: MixerConfig) -> dict[str, int]:
    """Length of every bias and of every weight of a LayerNorm, by name: the parameters that rows of a grid hold twice."""
    n, d = config.tokens, config.width
    found = {"embed.bias": d}
    for k in range(config.blocks):
        found |= {f"blocks.{k}.token1.bias": config.token_hidden, f"blocks.{k}.token2.bias": n}
        found |= {f"blocks.{k}.channel1.bias": config.channel_hidden, f"blocks.{k}.channel2.bias": d}
        found |= {f"blocks.{k}.norm{i}.{kind}": d for i in (1, 2) for kind in ("weight", "bias")}
    found["recover.bias"] = config.outputs if config.shared_bias else config.outputs * config.patch
    found["blend.bias"] = config.outputs
    found |= {f"norm.{kind}": d for kind in ("weight", "bias")}
    found |= {f"norm_out.{kind}": config.outputs for kind in ("weight", "bias")}
    found |= {f"norm_blend.{kind}": 2 * config.outputs for kind in ("weight", "bias")}
    return found


def parameters(config: MixerConfig, grid: Grid | None = None) -> int:
    """Number of parameters of the serial model, or of all ranks of ``grid`` together: there every row has all biases and norms."""
    copies = 1 if grid is None else grid.rows
    return sum(a * b for a, b in weights(config).values()) + copies * sum(vectors(config).values())


def products(config: MixerConfig) -> list[tuple[int, int, int]]:
    """(m, k, n) of the matrix products of a forward pass of one sample: (m x k) times (k x n), Section 3.2."""
    n, d, p, c_in, h = config.tokens, config.width, config.patch, config.inputs, config.token_hidden
    c = config.channel_hidden
    block = [(d, n, h), (d, h, n), (n, d, c), (n, c, d)]
    ends = [(n, 2 * d, c_in * p), (config.lat * config.lon, 2 * c_in, c_in)]
    return [(n, c_in * p, d), *block * config.blocks, *ends]


def forward_flops(config: MixerConfig) -> int:
    """Floating point operations of the products of a forward pass: m n (2k - 1) each."""
    return sum(m * n * (2 * k - 1) for m, k, n in products(config))


def training_flops(config: MixerConfig) -> int:
    """A training step by the convention of the paper's logs: three forward passes."""
    return 3 * forward_flops(config)
