"""Wrong migration: who leaves, and what is done with the news."""

from mutants import Mutant

# The right functions with the places to get wrong.
_LEAVE = """
from dataclasses import replace


def emigrate(worker, counts):
    mine = [one for one in worker.residents.values() if one.active{owned}]
    total = sum(counts.values())
    {guard}
    leaving = sorted(mine, key=lambda one: one.loss)[:total]
    {shuffle}
    for island, count in counts.items():
        for _ in range(count):
            one = {deal}
            one.active = False
            for rank in {told}:
                worker.send(rank, "left", (one.name, one.steps))
            owner = {owner}
            moved = replace(one, owner=owner, steps=one.steps{step}, active=True)
            for rank in worker.islands[island]:
                worker.send(rank, "arrived", moved)
"""

_MAIL = """
def receive(worker, kind, content):
    if kind == "left":
        if content in worker.residents:
            worker.residents[content].active = False
        {early}
        return
    visit = (content.name, content.steps)
    {late}
    worker.residents[visit] = content
"""


def _leave(
    owned=" and one.owner == worker.rank",
    guard="if total > len(mine): return",
    shuffle="worker.rng.shuffle(leaving)",
    deal="leaving.pop()",
    told="worker.neighbours",
    owner="worker.rng.choice(worker.islands[island])",
    step=" + 1",
):
    return _LEAVE.format(
        owned=owned, guard=guard, shuffle=shuffle, deal=deal, told=told, owner=owner, step=step
    )


def _wrong(name: str, says: str, hidden: bool = True, **places) -> Mutant:
    return Mutant(name, answer="leave", source=_leave(**places), fails="leave-test", says=says, hidden=hidden)


def _wrong_mail(name: str, says: str, early: str, late: str, hidden: bool) -> Mutant:
    source = _MAIL.format(early=early, late=late)
    return Mutant(name, answer="mail", source=source, fails="mail-test", says=says, hidden=hidden)


MUTANTS = [
    _wrong(
        "sends away what others own",
        "no longer active on rank 0, of those it owns",
        hidden=False,
        owned="",
    ),
    _wrong(
        "arrives with the old number of steps",
        "(loss, steps, active, owner is of its new island) of",
        hidden=False,
        step="",
    ),
    _wrong(
        "tells nobody", "the messages 'left' as pairs (rank, content), has 0 items", hidden=False, told="[]"
    ),
    _wrong(
        "the same best ones to every island",
        "no longer active on rank 0, of those it owns",
        deal="leaving[_ % len(leaving)]",
        shuffle="",
    ),
    _wrong(
        "sends as many as there are",
        "messages sent is",
        guard="",
        deal="leaving.pop() if leaving else mine[0]",
    ),
    _wrong("the best always goes to the same island", "the ranks to which the best one went", shuffle=""),
    _wrong(
        "the first rank of an island owns all immigrants",
        "the owners that were drawn",
        owner="worker.islands[island][0]",
    ),
    _wrong_mail(
        "forgets a departure that it hears of too early",
        "breeds on rank",
        early="",
        late="",
        hidden=False,
    ),
    _wrong_mail(
        "one early departure stands for all visits of that name",
        "two owners: individual",
        early="else: worker.late.add(content[0])",
        late="""if content.name in worker.late:
        worker.late.remove(content.name)
        content.active = False""",
        hidden=True,
    ),
    _wrong_mail(
        "remembers the last early departure only",
        "breeds on rank",
        early="else: worker.late.clear(); worker.late.add(content)",
        late="content.active = visit not in worker.late",
        hidden=True,
    ),
]
