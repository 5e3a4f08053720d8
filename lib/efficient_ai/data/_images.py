"""Image data as arrays."""

from dataclasses import dataclass

import numpy as np

from efficient_ai.data._registry import open_dataset


@dataclass(frozen=True)
class Images:
    """A split image data set.

    Args:
        x_train: float32 in [0, 1], shape ``(n, height, width)``.
        y_train: class index, int64, shape ``(n,)``.
        x_valid, y_valid: the same for validation; never used for fitting.
        x_test, y_test: the same for the final number; never used for any choice.
        classes: names of the classes, by index.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_valid: np.ndarray
    y_valid: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]


_FASHION_CLASSES = (
    "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def fashion_mnist(train: int = 8000, valid: int = 2000, test: int = 2000) -> Images:
    """Fashion-MNIST: real photographs of clothes in ten classes.

    Training and validation images are taken from the 10 000 shipped training images, without overlap: the first
    ``train`` and the last ``valid`` of them. Test images are the first ``test`` of the 2 000 shipped test images.

    Raises:
        ValueError: more images are asked for than are shipped.
    """
    if min(train, valid, test) < 0 or train + valid > 10_000 or test > 2_000:
        raise ValueError(
            f"asked for {train} training, {valid} validation and {test} test images; "
            "shipped are 10 000 for training and validation together and 2 000 for the test"
        )
    with np.load(open_dataset("fashion_mnist")) as arrays:
        x, y = arrays["x_train"], arrays["y_train"]
        x_test, y_test = arrays["x_test"][:test], arrays["y_test"][:test]
    first_valid = len(x) - valid
    return Images(
        *_split(x[:train], y[:train]),
        *_split(x[first_valid:], y[first_valid:]),
        *_split(x_test, y_test),
        classes=_FASHION_CLASSES,
    )


def digits(train: int = 1200, valid: int = 300, test: int = 297) -> Images:
    """Handwritten digits of 8 x 8 pixels, 17 grey levels scaled to [0, 1].

    Training images are the first ``train``, test images the last ``test`` of the 1 797 shipped ones, validation images the
    ``valid`` before those. The file is ordered by writer, so that test digits are mostly by hands that training did not see.

    Raises:
        ValueError: more images are asked for than are shipped.
    """
    if min(train, valid, test) < 0 or train + valid + test > 1797:
        raise ValueError(f"asked for {train} + {valid} + {test} images; shipped are 1 797 in all")
    with np.load(open_dataset("digits")) as arrays:
        x, y = arrays["x"].astype(np.float32) / 16, arrays["y"].astype(np.int64)
    end = 1797 - test
    parts = (slice(train), slice(end - valid, end), slice(end, 1797))
    return Images(*(a[part] for part in parts for a in (x, y)), classes=tuple("0123456789"))


def _split(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x.astype(np.float32) / 255, y.astype(np.int64)
