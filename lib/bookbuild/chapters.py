"""The ten papers and the finale, once: the map, the status page and the scoreboard are drawn from this table."""

from dataclasses import dataclass

PARTS = {
    "I": "Measure",
    "II": "Search",
    "III": "Learn differently",
    "IV": "Shrink and fuse",
    "V": "Science",
    "VI": "Scale out",
    "VII": "Finale",
}


@dataclass(frozen=True)
class Chapter:
    """One chapter: its name is that of its notebook and of its sub-package; `paper` is a key of ``references.bib``.

    `method` is what people call it, for narrow places. `before`: what a reader should have met. `then`: names of chapters that go on
    from here.
    """

    name: str
    part: str
    title: str
    question: str
    paper: str = ""
    arxiv: str = ""
    method: str = ""
    before: str = ""
    then: tuple[str, ...] = ()


CHAPTERS = (
    Chapter("energy", "I", "Measure the energy of AI", "What does a training run cost in joules, and who says so?",
            "caspart2022energy", "2212.01698", "Energy",
            before="power, energy and time; training and inference of a network", then=("propulate", "petnet")),
    Chapter("propulate", "II", "Search without waiting", "Does a search get faster when nobody waits for the slowest?",
            "taubert2023propulate", "2301.08713", "Propulate",
            before="training a network, and that its settings matter; MPI is explained on the way", then=("jigsaw", "ab_training")),
    Chapter("f3", "III", "Learn from yesterday's error", "Can a network learn without a backward pass?",
            "fluegel2024f3", "2304.13372", "F³",
            before="the chain rule and backpropagation in a network of a few layers", then=("oialr", "jigsaw")),
    Chapter("oialr", "III", "Freeze the basis, train the rest", "When has a weight matrix settled, and what is left to learn?",
            "coquelin2024oialr", "2401.08505", "OIALR",
            before="matrix products, orthogonal matrices, the singular value decomposition", then=("ab_training", "pruning")),
    Chapter("ab_training", "III", "Train halves apart", "How little can ranks say to each other and still learn together?",
            "coquelin2024ab", "2405.01067", "AB-training",
            before="stochastic gradient descent, low-rank factors; better after OIALR", then=("jigsaw",)),
    Chapter("pruning", "IV", "Cut a forecaster down", "How much of a transformer does a forecast need?",
            "kiefer2024pruning", "2412.12883", "Pruning",
            before="attention and a training loop; better after ReCycle", then=("transplantation",)),
    Chapter("transplantation", "IV", "Fuse networks by transplanting neurons", "Can two networks become one of the same size?",
            "oez2024transplantation", "2502.06849", "Transplantation",
            before="networks of several layers, and ensembles", then=("pruning", "oialr")),
    Chapter("recycle", "V", "Forecast what the habit leaves over", "What remains to learn once the usual day is subtracted?",
            "weyrauch2024recycle", "2405.03429", "ReCycle",
            before="linear regression and attention; no knowledge of power grids", then=("pruning",)),
    Chapter("petnet", "V", "Pair photons with spikes", "Can a spiking network sort coincidences in a scanner?",
            "debus2024petnet", "2504.06730", "PETNet",
            before="a training loop and a sigmoid; no knowledge of neurons or scanners", then=("energy",)),
    Chapter("jigsaw", "VI", "Cut one model into pieces", "How is a model trained that fits on no single device?",
            "kieckhefen2025jigsaw", "2507.05753", "Jigsaw",
            before="matrix products in blocks; MPI as far as the chapter on Propulate", then=("ab_training", "propulate")),
    Chapter("capstone", "VII", "All methods on one task", "What do the methods give together, in quality, time, memory, traffic and energy?",
            method="Finale"),
)  # fmt: skip

BY_NAME = {chapter.name: chapter for chapter in CHAPTERS}
