"""Sums and copies among ranks, made of messages, so that every byte has a sender and a receiver.

A library's all-reduce hides who sends to whom. Here a sum inside a group goes round a ring; a sum over the world goes to the first
rank of each group, round a ring of those, and back. In both cases all ranks together send ``2 (p - 1)`` times the length of the
tensor; of that, ``2 (groups - 1)`` lengths pass between groups. All ranks end with the same bits.
"""

from collections.abc import Sequence

import torch

from efficient_ai.transport import Transport

_TAG = 40
_CARRIED = {torch.bfloat16: torch.int16, torch.float16: torch.int16, torch.bool: torch.uint8}


def _bytes_of(tensor: torch.Tensor) -> torch.Tensor:
    """The same memory in a type that every transport carries: MPI knows no bfloat16."""
    return tensor.view(_CARRIED[tensor.dtype]) if tensor.dtype in _CARRIED else tensor


def _pass(transport: Transport, sends: Sequence, receives: Sequence) -> None:
    """Messages ``(tensor, partner)``; empty ones are not sent."""
    out = [(_bytes_of(t), rank, _TAG) for t, rank in sends if t.numel()]
    into = [(_bytes_of(t), rank, _TAG) for t, rank in receives if t.numel()]
    transport.post(out, into).wait()


def ring_sum(transport: Transport, tensor: torch.Tensor, ranks: Sequence[int]) -> None:
    """Replace ``tensor``, flat, by its sum over ``ranks``, in place: collect a chunk each, then hand the chunks round.

    Args:
        transport: of a communicator that holds these ranks.
        tensor: shape ``(n,)``, contiguous.
        ranks: in the order of the ring, this one among them.
    """
    n = len(ranks)
    if n == 1 or tensor.numel() == 0:
        return
    place = ranks.index(transport.rank)
    following, before = ranks[(place + 1) % n], ranks[(place - 1) % n]
    chunks = tensor.tensor_split(n)
    room = torch.empty_like(chunks[0])
    for step in range(n - 1):
        incoming = chunks[(place - step - 1) % n]
        heard = room[: incoming.numel()]
        _pass(transport, [(chunks[(place - step) % n], following)], [(heard, before)])
        incoming += heard
    for step in range(n - 1):
        _pass(transport, [(chunks[(place + 1 - step) % n], following)],
              [(chunks[(place - step) % n], before)])  # fmt: skip


def two_level_sum(transport: Transport, tensor: torch.Tensor, groups: Sequence[Sequence[int]]) -> None:
    """Replace ``tensor`` by its sum over all groups, in place: to each group's first rank, round a ring of those, and back.

    Args:
        transport: of the communicator whose ranks the groups name.
        tensor: shape ``(n,)``, contiguous.
        groups: disjoint, this rank in one of them.
    """
    mine = next(group for group in groups if transport.rank in group)
    first, others = mine[0], mine[1:]
    if transport.rank == first:
        heard = [torch.empty_like(tensor) for _ in others]
        _pass(transport, [], list(zip(heard, others, strict=True)))
        for part in heard:
            tensor += part
        ring_sum(transport, tensor, [group[0] for group in groups])
        _pass(transport, [(tensor, rank) for rank in others], [])
    else:
        _pass(transport, [(tensor, first)], [])
        _pass(transport, [], [(tensor, first)])


def two_level_copy(
    transport: Transport, tensor: torch.Tensor, root: int, groups: Sequence[Sequence[int]]
) -> None:
    """Give everybody the ``tensor`` of rank ``root``, in place: to one rank of every other group, and on inside each."""
    heads = [root if root in group else group[0] for group in groups]
    head, mine = next((h, g) for h, g in zip(heads, groups, strict=True) if transport.rank in g)
    if transport.rank == root:
        _pass(transport, [(tensor, other) for other in heads if other != root], [])
    elif transport.rank == head:
        _pass(transport, [], [(tensor, root)])
    if transport.rank == head:
        _pass(transport, [(tensor, rank) for rank in mine if rank != head], [])
    else:
        _pass(transport, [], [(tensor, head)])


def groups_of(world: int, size: int) -> list[list[int]]:
    """Ranks in groups of ``size``; what is left over joins the first groups, one each. At least one group.

    Raises:
        ValueError: no rank, or no whole number of ranks in a group.
    """
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in (world, size)):
        raise ValueError(f"a group has a whole number of ranks, at least 1: world {world!r}, group {size!r}")
    count = max(1, world // size)
    least, more = divmod(world, count)
    lengths = [least + (i < more) for i in range(count)]
    starts = [sum(lengths[:i]) for i in range(count)]
    return [list(range(start, start + n)) for start, n in zip(starts, lengths, strict=True)]
