"""Wrong calibrations."""

from mutants import Mutant

_FIND = """
def find_delays(hits, detector, spread, longest):
    first, second = [], []
    for lag in range(1, 5):
        a = np.arange(len(hits) - lag)
        b = a + lag
        good = (hits.sample[a] == hits.sample[b]) & (hits.time[b] - hits.time[a] <= longest)
        good &= detector.opposite(hits.crystal[a], hits.crystal[b], spread)
        first.append(a[good])
        second.append(b[good])
    first, second = np.concatenate(first), np.concatenate(second)
    gap = {gap}
    one, other = hits.crystal[first], hits.crystal[second]
    delays, trusted = np.zeros(detector.crystals), np.ones(len(gap), dtype=bool)
    for _ in range({rounds}):
        rows = np.arange(trusted.sum())
        matrix = np.zeros((len(rows), detector.crystals))
        np.add.at(matrix, (rows, one[trusted]), 1.0)
        np.add.at(matrix, (rows, other[trusted]), -1.0)
        delays = np.linalg.lstsq(matrix, gap[trusted].astype(float), rcond=None)[0]
        off = np.abs(gap - (delays[one] - delays[other]))
        trusted = off < max(1.0, 1.5 * np.median(off))
    {spoil}
    return delays
"""


def _calibration(name, says, hidden=True, gap="hits.time[second] - hits.time[first]", rounds=12, spoil=""):
    source = _FIND.format(gap=gap, rounds=rounds, spoil=spoil)
    return Mutant(name, answer="calibrate", source=source, fails="calibrate-test", says=says, hidden=hidden)


MUTANTS = [
    _calibration("the wrong sign", "the delays: ", hidden=False, gap="hits.time[first] - hits.time[second]"),
    _calibration("believes the chance pairs", "by the strict measure", rounds=1),
    _calibration("one crystal is off", "half a bin", spoil="delays[5] += 0.7"),
]
