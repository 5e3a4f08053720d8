"""From the hits of a scan to coincidences, and what each of them really is."""

from dataclasses import dataclass

import numpy as np

from efficient_ai.petnet import _valid
from efficient_ai.petnet._detector import Detector
from efficient_ai.petnet._events import Hits
from efficient_ai.petnet._montecarlo import Scan
from efficient_ai.petnet._sorters import Window, queue, sort_compiled
from efficient_ai.petnet.physics import necr

TRUE, SCATTERED, RANDOM = range(3)
KINDS = ("true", "scattered", "random")


@dataclass(frozen=True)
class Coincidences:
    """Pairs that a sorter accepted.

    Args:
        first, second: the two crystals, shape ``(n,)`` each.
        kind: of each: 0 true (one annihilation, no photon scattered), 1 scattered (one annihilation, at least one
            photon scattered), 2 random (two annihilations).
        multiples: windows with three or more hits, as the sorter saw them.
        seconds: length of the scan.
    """

    first: np.ndarray
    second: np.ndarray
    kind: np.ndarray
    multiples: int
    seconds: float

    def __len__(self) -> int:
        return len(self.first)

    def rates(self) -> dict[str, float]:
        """Trues, scattered, randoms, multiples per second, scatter fraction and noise-equivalent count rate.

        Raises:
            ValueError: a scan of no length has no rates.
        """
        _valid.number("seconds of the scan", self.seconds, 0, above=True)
        counts = np.bincount(self.kind, minlength=3) / self.seconds
        trues, scatters, randoms = (float(count) for count in counts)
        return {
            "true": trues,
            "scattered": scatters,
            "random": randoms,
            "multiple": self.multiples / self.seconds,
            "scatter fraction": scatters / (trues + scatters) if trues + scatters else float("nan"),
            "NECR": float(necr(trues, scatters, randoms)),
        }


def coincidences(scan: Scan, detector: Detector, window: Window) -> Coincidences:
    """Sort the hits of a scan; the width of ``window`` is in seconds.

    A pair of one crystal with itself is not one, and of two hits of one crystal at one time the first one stays.
    """
    order = np.lexsort((scan.crystal, scan.time))
    again = (np.diff(scan.time[order]) == 0) & (np.diff(scan.crystal[order]) == 0)
    order = np.delete(order, np.flatnonzero(again) + 1)
    columns = (column[order] for column in (scan.crystal, scan.time, scan.decay))
    hits = Hits(np.zeros(len(order), dtype=np.int64), *columns)
    pairs = sort_compiled(hits, detector, window)
    first, second = order[pairs.index[pairs.first != pairs.second]].T
    same = scan.decay[first] == scan.decay[second]
    clean = (scan.scattered[first] == 0) & (scan.scattered[second] == 0)
    kind = np.where(same, np.where(clean, TRUE, SCATTERED), RANDOM)
    multiples = int((queue(hits, detector, window).sizes > 2).sum())
    return Coincidences(scan.crystal[first], scan.crystal[second], kind, multiples, scan.seconds)
