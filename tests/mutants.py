"""Changes the policies in small ways, one at a time, and asks whether a test notices: `python tests/mutants.py --help`.

The changes are mutmut's; how they are tried is our own, because it is quicker: pytest collects once, then a child is
forked for each change, in which one function's code is swapped for the changed one. Only tests that reach the changed
lines are asked, the quickest first, until one fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import importlib
import os
import pickle
import random
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import libcst as cst
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import get_ignored_lines

ROOT = Path(__file__).parents[1]
NOTICED, SURVIVED, UNREACHED, UNTRIED = "noticed", "survived", "unreached", "untried"
_UNTRIED = 3  # how a child ends in which the change can't be made
_MEMORY = 6 << 30


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    """One small change to a function, and the lines of the statement that it stands in."""

    module: str
    function: str
    lines: tuple[int, int]
    change: str
    text: str  # the changed function, or the class that it stands in

    def __str__(self) -> str:
        return f"{self.module}:{self.function} {self.change}"


@dataclasses.dataclass(frozen=True, slots=True)
class Reach:
    """Which tests ran which line, and how long each took in seconds."""

    tests: dict[str, dict[int, list[str]]]  # module -> line -> test ids
    seconds: dict[str, float]


def mutants(module: str, sample: int | None, seed: int, earlier: str = "") -> Iterator[Mutant]:
    """mutmut's changes to the functions of one module of policies/: all, or so many by chance, or those of a run."""
    text = (ROOT / "policies" / f"{module}.py").read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = MutationVisitor(mutation_operators, get_ignored_lines(module, text, wrapper))
    tree, places = wrapper.visit(visitor), wrapper.resolve(PositionProvider)
    owners, spans = dict(_functions(tree)), _statements(tree, places)
    every = [each for each in visitor.mutations if each.contained_by_top_level_function in owners]
    if sample is not None and sample < len(every):
        every = random.Random(f"{seed} {module}").sample(every, sample)  # noqa: S311 - a sample
    print(f"{module}: {len(every)} changes", flush=True)  # noqa: T201
    for each in every:
        name, node = owners[each.contained_by_top_level_function]
        line = places[each.original_node].start.line
        if earlier and f" {module}:{name} {line}: " not in earlier:
            continue
        span = next((span for span in spans if span[0] <= line <= span[1]), (line, line))
        before, after = tree.code_for_node(node), tree.code_for_node(_replaced(node, each))
        yield Mutant(module, name, span, f"{line}: {_change(before, after)}", after)


def _functions(tree: cst.Module) -> Iterator[tuple[cst.CSTNode | None, tuple[str, cst.CSTNode]]]:
    """Each function that stands by itself or in a class, with its name and the whole that it stands in."""
    for node in tree.body:
        if isinstance(node, cst.FunctionDef):
            yield node, (node.name.value, node)
        elif isinstance(node, cst.ClassDef):
            inner = (each for each in node.body.body if isinstance(each, cst.FunctionDef))
            yield from ((each, (f"{node.name.value}.{each.name.value}", node)) for each in inner)


def _replaced(node: cst.CSTNode, mutation: Any) -> cst.CSTNode:
    changed = deep_replace(node, mutation.original_node, mutation.mutated_node)
    assert isinstance(changed, cst.CSTNode)
    return changed


def _statements(tree: cst.Module, places: Any) -> list[tuple[int, int]]:
    """First and last line of each simple statement, and of each head of a compound one: the smallest first."""
    found = []

    class Look(cst.CSTVisitor):
        def on_visit(self, node: cst.CSTNode) -> bool:
            if isinstance(node, cst.SimpleStatementLine):
                found.append((places[node].start.line, places[node].end.line))
            elif isinstance(node, cst.If | cst.While | cst.For | cst.FunctionDef | cst.With):
                found.append((places[node].start.line, max(places[node].start.line, places[node.body].start.line)))
            return True

    tree.visit(Look())
    return sorted(found, key=lambda span: span[1] - span[0])


def _change(before: str, after: str) -> str:
    """The first line that differs, as it was and as it is."""
    old, new = before.splitlines(), after.splitlines()
    first = next(at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    return f"{old[first].strip()} -> {new[first].strip()}"


def _code_in(code: CodeType, name: str) -> CodeType:
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    for each in inner:
        if each.co_name == name.partition(".")[0]:
            rest = name.partition(".")[2]
            return _code_in(each, rest) if rest else each
    raise LookupError(name)


def swap(mutant: Mutant) -> None:
    """From here on, whoever calls the function gets the changed one, wherever its name went."""
    path = ROOT / "policies" / f"{mutant.module}.py"
    found: Any = importlib.import_module(f"policies.{mutant.module}")
    for name in mutant.function.split("."):
        found = vars(found)[name]
    found.__code__ = _code_in(
        compile("from __future__ import annotations\n" + mutant.text, str(path), "exec"), mutant.function
    )


class Trial:
    """The pytest plugin: what was collected is run as often as there are changes."""

    def __init__(self, chosen: Iterable[Mutant], asked: argparse.Namespace) -> None:
        self.chosen, self.limit, self.at_once, self.each = chosen, asked.limit, asked.at_once, asked.each
        self.known: Path | None = asked.reach
        self.count: Counter[tuple[str, str]] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Of a test that runs with a hundred seeds a few are enough."""
        seen: dict[str, int] = defaultdict(int)
        for item in list(items):
            name, _, seed = item.nodeid.partition("[")
            seen[name] += seed.rstrip("]").isdigit() and len(seed) < 6  # longer ones are what the test is about
            if seen[name] > self.each:
                items.remove(item)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        gc.freeze()  # what the parent made is not touched by a child's collector, so it stays shared
        reach = self.reach()
        running: dict[int, Mutant] = {}
        for mutant in self.chosen:
            if not (tests := self.asked(mutant, reach)):
                self.tell(mutant, UNREACHED)
                continue
            if len(running) == self.at_once:
                self.take(running)
            allowed = 10 + 5 * sum(reach.seconds[each] for each in tests)
            running[_fork(lambda m=mutant, t=tests: self.run(m, t), allowed)] = mutant
        while running:
            self.take(running)
        return True

    def take(self, running: dict[int, Mutant]) -> None:
        """Wait for one child; whatever isn't a clean end is a test that noticed: a failure, no end, no memory."""
        child, status = os.wait()
        mutant = running.pop(child)
        untried = os.waitstatus_to_exitcode(status) == _UNTRIED
        self.tell(mutant, UNTRIED if untried else NOTICED if status else SURVIVED)

    def tell(self, mutant: Mutant, verdict: str) -> None:
        self.count[mutant.module, verdict] += 1
        if verdict != NOTICED:
            print(f"{verdict} {mutant}", flush=True)  # noqa: T201

    def asked(self, mutant: Mutant, reach: Reach) -> list[str]:
        """The tests that reach the change, the quickest first, up to `limit` seconds of them."""
        lines = reach.tests.get(mutant.module, {})
        first, last = mutant.lines
        found = {test for line in range(first, last + 1) for test in lines.get(line, ()) if test in self.items}
        spent, tests = 0.0, []
        for test in sorted(found, key=lambda test: (reach.seconds[test], test)):
            if (spent := spent + reach.seconds[test]) > self.limit and tests:
                break
            tests.append(test)
        return tests

    def run(self, mutant: Mutant, tests: Sequence[str]) -> int:
        try:
            swap(mutant)
        except (SyntaxError, LookupError, AttributeError, ValueError):
            return _UNTRIED
        return int(any(_failed(self.items[each]) for each in tests))

    def reach(self) -> Reach:
        """Run the tests that are not known yet once, in a child: what they remember does not stay in the parent."""
        kept = self.known or Path(tempfile.mkdtemp()) / "reach"
        reach = pickle.loads(kept.read_bytes()) if kept.exists() else Reach({}, {})  # noqa: S301 - our own file
        if new := [name for name in self.items if name not in reach.seconds]:
            _, status = os.waitpid(_fork(lambda: kept.write_bytes(pickle.dumps(self.watch(new, reach))) * 0, 3600), 0)
            if status:
                raise SystemExit("a test fails without any change")
            reach = pickle.loads(kept.read_bytes())  # noqa: S301
        return reach

    def watch(self, names: Sequence[str], reach: Reach) -> Reach:
        import coverage

        recorder = coverage.Coverage(data_file=None, include=[f"{ROOT}/policies/*"], config_file=False)
        recorder.start()
        for name in names:
            recorder.switch_context(name)
            began = time.process_time()
            if _failed(self.items[name]):
                raise SystemExit(f"fails without any change: {name}")
            reach.seconds[name] = time.process_time() - began
        recorder.stop()
        found = recorder.get_data()
        for file in found.measured_files():
            lines = reach.tests.setdefault(Path(file).stem, {})
            for line, tests in found.contexts_by_lineno(file).items():
                lines[line] = [*lines.get(line, ()), *tests]
        return reach


def _failed(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _fork(work: Callable[[], int], seconds: float) -> int:
    """A child that does `work` and ends with its answer; one that takes too long or too much is ended."""
    sys.stdout.flush()
    if child := os.fork():
        return child
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds + time.process_time()) + 1,) * 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        answer = work()
    except BaseException as error:
        print(repr(error), file=sys.stderr)  # noqa: T201
        answer = 1
    os._exit(answer)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("modules", nargs="+", help="names in policies/, without .py")
    words.add_argument("--tests", nargs="+", required=True, help="files and folders that reach them")
    words.add_argument("--sample", type=int, help="so many changes of each module, by chance")
    words.add_argument("--seed", type=int, default=1, help="of the sample")
    words.add_argument("--again", type=Path, help="what an earlier run printed: only what survived it is tried")
    words.add_argument("--limit", type=float, default=10.0, help="seconds of tests for one change")
    words.add_argument("--each", type=int, default=5, help="seeds of one test that are taken")
    words.add_argument("--at-once", type=int, default=2)
    words.add_argument("--reach", type=Path, help="a file that keeps which test reaches which line")
    asked = words.parse_args()
    settings.register_profile(
        "mutants", database=None, derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate)
    )
    settings.load_profile("mutants")
    earlier = asked.again.read_text(encoding="utf-8") if asked.again else ""
    every = (each for module in asked.modules for each in mutants(module, asked.sample, asked.seed, earlier))
    wanted = (each for each in every if not earlier or f" {each}\n" in earlier)
    trial = Trial(wanted, asked)
    quiet = ("-n0", "-m", "not long", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
    pytest.main([*quiet, *asked.tests], plugins=[trial])
    for module in asked.modules:
        told = {verdict: trial.count[module, verdict] for verdict in (NOTICED, SURVIVED, UNREACHED, UNTRIED)}
        print(f"{module}: {told}")  # noqa: T201


if __name__ == "__main__":
    main()
