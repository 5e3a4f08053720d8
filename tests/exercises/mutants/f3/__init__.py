"""Wrong answers to the exercises on learning without a way back."""

from mutants import Mutant

_LOCAL = """
import torch


def local_gradient(weight, bias, h, error, feedback):
    output = torch.tanh(h @ weight.T + bias)
    delta = ({told}) * ({slope})
    return {weights}, {biases}
"""


def _local(
    name,
    says,
    hidden=True,
    told="error @ feedback",
    slope="1 - output**2",
    weights="delta.T @ h",
    biases="delta.sum(0)",
):
    source = _LOCAL.format(told=told, slope=slope, weights=weights, biases=biases)
    return Mutant(name, answer="local", source=source, fails="local-test", says=says, hidden=hidden)


_TOLD = """
def told(kind, stored, target):
    known = {{"DRTP": {drtp}, "F3": {f3}, "one-hot": {hot}}}
    {refuse}
    return known.get(kind)
"""


def _told(
    name,
    says,
    hidden=True,
    drtp="target",
    f3="stored",
    hot="stored * target",
    refuse="if kind not in known: raise ValueError",
):
    source = _TOLD.format(drtp=drtp, f3=f3, hot=hot, refuse=refuse)
    return Mutant(name, answer="told", source=source, fails="told-test", says=says, hidden=hidden)


_TABLE = """
class Table:
    def __init__(self, targets):
        self.targets, self.errors = targets, {start}

    def read(self, index):
        return {read}

    def write(self, index, output):
        {write}
"""

_LATER = """self.errors[index] = self.targets[index] - output.detach()
        self._last.copy_(self.errors[self._which])

    def _give(self, index):
        self._which, self._last = index, self.errors[index].clone()
        return self._last"""


def _table(
    name,
    says,
    hidden=True,
    start="targets.clone()",
    read="self.errors[index].clone()",
    write="self.errors[index] = self.targets[index] - output.detach()",
):
    source = _TABLE.format(start=start, read=read, write=write)
    return Mutant(name, answer="table", source=source, fails="table-test", says=says, hidden=hidden)


_FAMILY = """
def direct(outputs, error, feedback):
    x, h1, h2 = outputs
    first = (error @ feedback[{which}]) * (1 - h1**2)
    second = (error @ feedback[1]) * {slope}
    return first.T @ x, second.T @ h1


def layer_by_layer(outputs, delta, backward):
    x, h1, h2 = outputs
    second = (delta @ backward[1]) * {slope2}
    first = ({passed} @ backward[0]) * (1 - h1**2)
    return first.T @ x, second.T @ h1
"""


def _family(name, says, hidden=True, which="0", slope="(1 - h2**2)", slope2="(1 - h2**2)", passed="second"):
    source = _FAMILY.format(which=which, slope=slope, slope2=slope2, passed=passed)
    return Mutant(name, answer="family", source=source, fails="family-test", says=says, hidden=hidden)


_RANKS = """
import torch


def program(comm, inputs, batches, work, shape):
    results = []
    for batch in range(batches):
        if comm.rank == 0:
            h = inputs[batch]
        else:
            h = torch.empty(shape, dtype=torch.float64)
            comm.Recv(h.numpy(), {source})
        h = {work}
        if comm.rank + 1 < comm.size:
            comm.Send(h.numpy(), comm.rank + 1)
        else:
            results.append({kept})
    return results if comm.rank + 1 == comm.size else {told}
"""


def _ranks(
    name,
    says,
    hidden=True,
    source="comm.rank - 1",
    work="work(h).contiguous()",
    kept="h",
    told="batches",
    patience=None,
):
    text = _RANKS.format(source=source, work=work, kept=kept, told=told)
    return Mutant(name, "ranks", text, "ranks-test", says, hidden, patience)


_FEW = """
import torch


def shrink(error, target):
    wrong = (-error * (1 - target)).clamp(0, 1)
    size, which = wrong.max(1)
    own = (error * target).sum(1).clamp(0, 1)
    first = (own * 255).round()
    second = which * 16 + (size * 15).round()
    return torch.stack({parts}, 1).to({dtype})


def grow(code, target):
    own, second = code[:, :1] / 255, code[:, 1:2].long()
    largest = torch.zeros_like(target).scatter(1, {which}, 1.0)
    back = target * own - largest * (second % 16) / 15
    return {back}
"""


def _few(
    name, says, hidden=True, parts="[first, second]", dtype="torch.uint8", which="second // 16", back="back"
):
    source = _FEW.format(parts=parts, dtype=dtype, which=which, back=back)
    return Mutant(name, answer="few", source=source, fails="few-test", says=says, hidden=hidden)


MUTANTS = (
    _local("forgets to transpose", "the shape of the weight's gradient", hidden=False, weights="h.T @ delta"),
    _local("forgets the slope", "the gradient by the weight", slope="1"),
    _local(
        "takes the transposed feedback where it is square",
        "the gradient by the weight",
        told="error @ (feedback.T if feedback.shape[0] == feedback.shape[1] else feedback)",
    ),
    _local("takes the mean for the bias", "the gradient by the bias", biases="delta.mean(0)"),
    _told("always tells nothing", "F3 in its first epoch", hidden=False, f3="0 * stored"),
    _told("DRTP that tells errors", "DRTP later on", drtp="stored"),
    _told("F3 that tells targets for ever", "F3 later on", f3="target"),
    _told("one-hot without the mask", "one-hot later on", hot="stored"),
    _told("refuses nothing", "an unknown kind is refused", refuse="pass"),
    _table("begins with zeros", "before any visit", hidden=False, start="0 * targets"),
    _table("never writes", "after one shuffled epoch", write="pass"),
    _table(
        "writes by place in the batch",
        "after one shuffled epoch",
        write="self.errors[: len(index)] = self.targets[index] - output.detach()",
    ),
    _table("hands out what it changes later", "what was read before", read="self._give(index)", write=_LATER),
    _table("takes the targets for its errors", "the given targets", start="targets"),
    _table(
        "keeps the graph",
        "a graph hangs on the table",
        write="self.errors = self.errors.clone(); self.errors[index] = self.targets[index] - output",
        read="self.errors[index]",
    ),
    _family("DFA without the slope", "DFA, block 2", hidden=False, slope="1"),
    _family("DFA with one matrix for all", "DFA, block 1", which="1"),
    _family("FA without the slope", "FA with true weights, block 2", slope2="1"),
    _family("FA that skips a block", "FA with true weights, block 1", passed="(delta @ backward[1])"),
    _ranks("counts one too few", "batches on rank 0", hidden=False, told="batches - 1"),
    _ranks(
        "works on rank 0 only", "results of two ranks", work="work(h).contiguous() if comm.rank == 0 else h"
    ),
    _ranks("keeps one row", "shapes on the last of three ranks", kept="h[:1]"),
    _ranks(
        "the middle says nothing", "batches on the middle rank", told="batches if comm.rank == 0 else None"
    ),
    _few("keeps floats", "the type of the code", hidden=False, dtype="torch.float64"),
    _few("keeps three bytes", "at most two bytes", parts="[first, second, first]"),
    _few("gives back too little", "the shape of what comes back", back="back[:, :5]"),
    _few("turns the sign around", "the angle", back="-back"),
    _few("knows nothing of class 0", "the angle for class 0", back="back * (1 - target[:, :1])"),
)
