"""Wrong answers to the exercises on photons and spikes."""

from mutants.petnet import _calibration, _sorting, _spikes

MUTANTS = [*_sorting.MUTANTS, *_spikes.MUTANTS, *_calibration.MUTANTS]
