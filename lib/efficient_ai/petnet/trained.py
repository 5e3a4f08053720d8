"""The trained networks that ship with the chapter, made by ``hpc/petnet/train.py``: weights, curve, and where from."""

import json
import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from efficient_ai import provenance
from efficient_ai.petnet._generator import SAFIR, SMALL, STANDARD
from efficient_ai.petnet._learn import Recipe, Trained
from efficient_ai.petnet._neurons import SpikingNetwork
from efficient_ai.petnet._stream import BARS

_FOLDER = Path(__file__).parent / "trained"
SETS = {"small": SMALL, "standard": STANDARD, "SAFIR": SAFIR, "bars": BARS}


@dataclass(frozen=True)
class Shipped:
    """A network as it was shipped.

    Args:
        network: in evaluation, float32.
        recipe: it was trained with.
        about: seed, seconds, machine, commit, date, versions.
        curve: updates done, precision, recall, F1 and mean gap in bins, shape ``(tests, 5)``.
    """

    network: SpikingNetwork
    recipe: Recipe
    about: dict
    curve: np.ndarray


def told(trained: Trained) -> dict:
    """A training without its weights, for a JSON file: recipe, seed, curve of the scores, loss over the updates.

    Scores that do not exist, as the precision of a silent network, are ``None``. The loss is a mean over each hundredth.
    """
    recipe = asdict(trained.recipe)
    recipe.pop("settings")
    parts = np.array_split(np.array(trained.loss), min(100, len(trained.loss)))
    curve = [(score.precision, score.recall, score.f1, score.mean_gap) for _, score in trained.tests]
    return {
        "seed": trained.seed,
        "recipe": recipe,
        "seconds": round(trained.seconds, 1),
        "updates": [done for done, _ in trained.tests],
        **{
            name: [None if math.isnan(row[k]) else round(row[k], 5) for row in curve]
            for k, name in enumerate(("precision", "recall", "F1", "mean gap"))
        },
        "sent per wanted": [
            round((score.true + score.false) / max(score.true + score.missed, 1), 4)
            for _, score in trained.tests
        ],
        "loss": [float(f"{part.mean():.4g}") for part in parts],
    }


def save(name: str, trained: Trained) -> Path:
    """Write a trained network of the set ``name`` to the place from which it ships."""
    about = {
        "set": name,
        **{key: told(trained)[key] for key in ("seed", "recipe", "seconds")},
        "machine": provenance.machine(),
        "commit": trained.commit,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": provenance.versions(),
    }
    curve = [(done, score.precision, score.recall, score.f1, score.mean_gap) for done, score in trained.tests]
    state = {key: value.detach().cpu().numpy() for key, value in trained.network.state_dict().items()}
    _FOLDER.mkdir(exist_ok=True)
    path = _FOLDER / f"{name}-{trained.seed}.npz"
    np.savez_compressed(path, about=json.dumps(about), curve=np.array(curve, dtype=float), **state)
    return path


def seeds(name: str) -> list[int]:
    """The seeds of which a network of the set ``name`` ships."""
    return sorted(int(path.stem.rsplit("-", 1)[1]) for path in _FOLDER.glob(f"{name}-*.npz"))


def load(name: str, seed: int) -> Shipped:
    """A network that ships.

    Raises:
        FileNotFoundError: there is none; the message says how to make it.
    """
    path = _FOLDER / f"{name}-{seed}.npz"
    if not path.exists():
        raise FileNotFoundError(
            f"no network of the set {name!r} and seed {seed} ships; make it with: "
            f"python hpc/petnet/train.py --set {name} --seeds {seed}"
        )
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        fields = dict(about["recipe"])
        fields["hidden"] = tuple(fields["hidden"])
        recipe = Recipe(SETS[name], **fields)
        network = SpikingNetwork(recipe.sizes)
        state = {key: torch.from_numpy(file[key]) for key in network.state_dict()}
        network.load_state_dict(state)
        return Shipped(network.eval(), recipe, about, file["curve"])
