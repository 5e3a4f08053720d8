"""The error table: one row for each training sample, what its error was at its last visits."""

from dataclasses import dataclass

import torch
from torch import Tensor

STORES = ("full", "float16", "8 bit", "sign", "class")
"""What a row keeps: all numbers, 16 or 8 bits each, their signs, or only the class the sample was taken for."""


@dataclass(frozen=True)
class _Format:
    """Encoded rows: numbers ``q`` and, where it has one, a power of two for each row, as its exponent."""

    dtype: torch.dtype
    exponent: bool


_FORMATS = {
    "float16": _Format(torch.float16, True),
    "8 bit": _Format(torch.int8, True),
    "sign": _Format(torch.uint8, False),
    "class": _Format(torch.int16, False),
}


class ErrorTable:
    """Errors of ``samples`` samples, each as it was ``delay`` visits ago. In ordinary epochs a visit is an epoch.

    A row is found by the sample's index in the data set, never by its place in a batch. Until a sample has been visited
    ``delay`` times it reads as its initial value, and :meth:`age` says so. Reading changes nothing; writing is refused whole
    if one number is not finite.

    Args:
        samples: rows, N.
        components: numbers of an error, C.
        delay: visits between writing and reading, at least 1.
        initial: ``"target"`` (the first epoch is then one of DRTP) or ``"zero"``.
        store: one of ``STORES``.
        dtype: of what is read.
        device: where it lies.

    Raises:
        ValueError: a size below 1, an unknown store or initial value.
    """

    def __init__(
        self,
        samples: int,
        components: int,
        *,
        delay: int = 1,
        initial: str = "target",
        store: str = "full",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        for name, value in (("samples", samples), ("components", components), ("delay", delay)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
        if store not in STORES or initial not in ("target", "zero"):
            raise ValueError(
                f"store {store!r} must be one of {', '.join(STORES)}, initial {initial!r} target or zero"
            )
        if store == "class" and components < 2:
            raise ValueError(
                "store 'class' keeps the class of a sample: with one component there is none. Take '8 bit'."
            )
        self.samples, self.components, self.delay = samples, components, delay
        self.initial, self.store, self.dtype = initial, store, dtype
        columns = {"sign": -(-components // 4), "class": 1}.get(store, components)
        kind = dtype if store == "full" else _FORMATS[store].dtype
        self.values = torch.zeros(delay, samples, columns, dtype=kind, device=device)
        scaled = store != "full" and _FORMATS[store].exponent
        self.exponents = torch.zeros(delay, samples if scaled else 0, dtype=torch.int16, device=device)
        self.visits = torch.zeros(samples, dtype=torch.int64, device=device)
        self.written = torch.full((delay, samples), -1, dtype=torch.int64, device=device)

    @property
    def nbytes(self) -> int:
        """Bytes of what stands for errors; counters are not part of it."""
        return sum(t.numel() * t.element_size() for t in (self.values, self.exponents))

    def read(self, index: Tensor, target: Tensor, ahead: int = 0) -> Tensor:
        """Errors of ``delay`` visits ago, ``(batch, C)``; ``target`` ``(batch, C)`` stands in for what is not there yet.

        ``ahead`` visits later they are known already if that is less than the delay.
        """
        self.check(index, len(target))
        if not 0 <= ahead < self.delay:
            raise ValueError(f"an error of {self.delay} visits ago is not known {ahead} visits ahead")
        visits = self.visits[index] + ahead
        found = self._decode(visits % self.delay, index, target)
        new = (visits < self.delay)[:, None]
        start = target.to(self.dtype) if self.initial == "target" else torch.zeros_like(found)
        return torch.where(new, start, found)

    def write(self, index: Tensor, error: Tensor, target: Tensor, step: int = 0) -> None:
        """Store ``error`` ``(batch, C)``, read again at the ``delay``-th visit from now.

        A sample that stands twice in one batch keeps its last row and counts as one visit.

        Raises:
            FloatingPointError: a number that is not finite; nothing was stored then.
        """
        self.check(index, len(error))
        if not torch.isfinite(error).all():
            raise FloatingPointError(
                "an error is not finite, nothing was stored: lower the learning rate or scale the targets"
            )
        error = error.detach().to(self.dtype)
        if len(index) > 1 and len(torch.unique(index)) < len(index):
            last = torch.zeros_like(self.visits).scatter_reduce(
                0, index, torch.arange(len(index), device=index.device), "amax", include_self=True
            )
            keep = last[index] == torch.arange(len(index), device=index.device)
            index, error, target = index[keep], error[keep], target[keep]
        slot = self.visits[index] % self.delay
        self._encode(slot, index, error, target)
        self.written[slot, index] = step
        self.visits[index] += 1

    def age(self, index: Tensor, step: int) -> Tensor:
        """Steps since what :meth:`read` would give was written, ``(batch,)``; -1 for an initial value."""
        self.check(index, len(index))
        stamp = self.written[self.visits[index] % self.delay, index]
        ready = self.visits[index] >= self.delay
        return torch.where(ready, step - stamp, torch.full_like(stamp, -1))

    def check(self, index: Tensor, batch: int) -> None:
        """Refuse indices that are no rows of this table.

        Raises:
            TypeError: no whole numbers.
            IndexError: outside the table, or not one for each sample.
        """
        if not isinstance(index, Tensor) or index.dtype not in (torch.int64, torch.int32):
            raise TypeError("index holds the number of each sample in the data set: an int64 tensor (batch,)")
        if index.shape != (batch,):
            raise IndexError(f"{batch} samples need as many indices, got shape {tuple(index.shape)}")
        if batch and not 0 <= int(index.min()) <= int(index.max()) < self.samples:
            raise IndexError(
                f"indices run from {int(index.min())} to {int(index.max())}, the table has rows 0 to {self.samples - 1}"
            )

    def state_dict(self) -> dict:
        """Everything, for a checkpoint: values, visits, ages, and what the table is."""
        kept = ("samples", "components", "delay", "initial", "store")
        tensors = {name: getattr(self, name).clone() for name in _TENSORS}
        return {"what": {name: getattr(self, name) for name in kept}, **tensors}

    def check_state(self, state: dict) -> None:
        """Refuse a state of another table; changes nothing."""
        if not isinstance(state, dict) or any(name not in state for name in ("what", *_TENSORS)):
            raise ValueError(
                "the checkpoint holds no error table; it cannot be guessed. Save with Trainer.save."
            )
        mine = self.state_dict()["what"]
        differ = [
            f"{k} {state['what'].get(k)!r} for {v!r}" for k, v in mine.items() if state["what"].get(k) != v
        ]
        differ += [
            f"{name} {tuple(state[name].shape)} of {state[name].dtype}"
            for name in _TENSORS
            if state[name].shape != getattr(self, name).shape
            or state[name].dtype != getattr(self, name).dtype
        ]
        if differ:
            raise ValueError(f"the checkpoint holds another table: {', '.join(differ)}")

    def load_state_dict(self, state: dict) -> None:
        """Take over a saved table; refused if it is not one of this shape and store."""
        self.check_state(state)
        for name in _TENSORS:
            getattr(self, name).copy_(state[name])

    # ----- formats

    def _encode(self, slot: Tensor, index: Tensor, error: Tensor, target: Tensor) -> None:
        if self.store == "full":
            self.values[slot, index] = error
        elif self.store == "class":
            self.values[slot, index] = (target - error).argmax(1, keepdim=True).to(torch.int16)
        elif self.store == "sign":
            codes = torch.sign(error).to(torch.int64) + 1  # 0, 1, 2: two bits each
            codes = torch.nn.functional.pad(codes, (0, -self.components % 4), value=1).unflatten(1, (-1, 4))
            packed = (codes * torch.tensor([1, 4, 16, 64], device=codes.device)).sum(2)
            self.values[slot, index] = packed.to(torch.uint8)
        else:
            # A power of two for each row: targets of any scale fit, and a scaling by it loses nothing.
            largest = error.abs().amax(1).double()
            power = torch.where(
                largest > 0, torch.frexp(largest).exponent, torch.zeros_like(slot, dtype=torch.int32)
            )
            unit = torch.ldexp(error.double(), -power[:, None])  # within [-1, 1]
            q = (unit * 127).round().clamp(-127, 127) if self.store == "8 bit" else unit
            self.values[slot, index] = q.to(self.values.dtype)
            self.exponents[slot, index] = power.to(torch.int16)

    def _decode(self, slot: Tensor, index: Tensor, target: Tensor) -> Tensor:
        kept = self.values[slot, index]
        if self.store == "full":
            return kept
        if self.store == "class":
            taken = torch.zeros_like(target).scatter(1, kept.long().clamp(0), 1.0)
            return (target - taken).to(self.dtype)
        if self.store == "sign":
            shifts = torch.tensor([0, 2, 4, 6], device=kept.device)
            codes = (kept.long()[:, :, None] >> shifts) & 3
            return (codes.flatten(1)[:, : self.components] - 1).to(self.dtype)
        unit = kept.double() / (127 if self.store == "8 bit" else 1)
        return torch.ldexp(unit, self.exponents[slot, index][:, None].int()).to(self.dtype)


_TENSORS = ("values", "exponents", "visits", "written")
