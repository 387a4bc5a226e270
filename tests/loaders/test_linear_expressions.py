"""Every regular expression that a stranger's text may reach takes time in proportion to it, whatever it holds."""

import ast
import importlib
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from loaders import mllog, submission_files
from loaders.trees import loadgen
from mlperf.facts import facts
from mlperf.log_rules import log_rules
from tests import ROOT

SCANNING: Final = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
ANCHORED: Final = frozenset({"match", "fullmatch"})
CALLS: Final = SCANNING | ANCHORED | {"compile"}

PUMPS: Final = (
    "a", "A", "0", "1", " ", "\t", "\n", '"', "\\", '\\"', "'", ".", ",", ":", "-", "_", "x", "/", "`", "{", "}", "[",
    "(", "1.", "1,", ",111", "a ", "\x1b[", '{"a": ', "<", "\u202e",
)  # fmt: skip
"""What is repeated behind each beginning; the beginnings themselves are repeated, too."""

LENGTH: Final = 1 << 13
"""Characters. What takes the square of them shows: over thirty million steps."""

LITTLE: Final = 0.001
"""Seconds of the processor for this length under which nothing is compared: a quadratic expression needs far more."""

TIMES: Final = 4
MOST: Final = 8
"""Four times the text takes four times the work, and at the square of it sixteen times."""


@dataclass(frozen=True)
class Reached:
    """An expression and texts on which it could go wrong: what it may begin to match again and again."""

    beginnings: tuple[str, ...] = ()
    made: Callable[[], list[re.Pattern[Any]]] | None = None
    """How to get at one that is put together at run time."""
    calls: frozenset[str] = frozenset()
    """How it is called, where that does not show beside its name."""
    length: int = LENGTH
    """Of the texts; less for one that is slow in proportion, and only sees names."""


def suffixes() -> list[re.Pattern[Any]]:
    """As `AcceleratorSpellings` puts them together, and what states a count."""
    toml = (ROOT / "mlperf" / "catalog" / "accelerators.toml").read_text()
    patterns = re.findall(r"^pattern = '(.*)'$", toml, re.MULTILINE)
    assert len(patterns) == 4
    return [re.compile(f"(.+?){text}" if "?P<" not in text else text, re.IGNORECASE) for text in patterns]


def servers() -> list[re.Pattern[Any]]:
    """What finds a server's model in an ID."""
    return [facts()._server.__wrapped__.__self__._pattern]  # type: ignore[attr-defined]  # behind the cache


EVENT: Final = ':::MLLOG {"namespace": "", "time_ms": 1, "event_type": "A", "key": "a", "value": '
FULL: Final = frozenset({"fullmatch"})

REACHED: Final[dict[str, Reached]] = {
    "loaders.archives.DOCUMENT_NAMES": Reached(("docProps/", "Index/")),
    "loaders.cells._DECIMAL_COMMA": Reached(("1", "1.111", "1,")),
    "loaders.cells._PLAIN": Reached(("1", "1.", ".1", "1e", "1.1e")),
    "loaders.cells._POINT_GROUPS": Reached(("1", "1.111")),
    "loaders.cells._THOUSANDS": Reached(("1", "1,111", "1,111.")),
    "loaders.cells._UNPRINTABLE": Reached(("\x00",)),
    "loaders.checksums._LINE": Reached(("0" * 64, "0" * 64 + "  ")),
    "loaders.formats.exports._PUBLIC_ID": Reached(("v", "v1.1-", "1.1-a")),
    "loaders.formats.exports._stated": Reached(("a", "-")),
    "loaders.formats.training_columns._REPOSITORY": Reached(("training_results_", "training_results_v1.")),
    "loaders.json_records._BLANKS": Reached((" ",)),
    "loaders.json_records._NEXT_RECORD": Reached(("}", "},", "} ,", '},"', '},"a"', '},"a":', "},{")),
    "loaders.json_records._first_keys": Reached(('"', '"a', '"a"', '"a":')),
    "loaders.limits.CONTROL": Reached(("\x00",)),
    "loaders.limits.TURNING": Reached(("\u200e",)),
    "loaders.limits._DRIVE": Reached(("a",)),
    "loaders.looks.DELIMITER": Reached((",",)),
    "loaders.looks.DOCUMENTS": Reached(("xl/", "word/", "ppt/", "Index/", ".iwa"), calls=FULL),
    "loaders.looks._text": Reached(("<html", "<!doctype ")),
    "loaders.mll._ANY_KEY": Reached((" ", " a", " abc")),
    "loaders.mll._LINE": Reached((":::MLL ", ":::MLPv0.6.0 ")),
    "loaders.mll._OLDER": Reached(("a", "a 1", "a 1.", "a 1 (", "a 1 (a:", "a 1 (a:1) ", "a 1 (a:1) a:")),
    "loaders.mll._QUOTED": Reached(('"', '"a', "'", "'a", '"\\"')),
    "loaders.mll._SUBMITTED": Reached(("1", "1.", "1 a", "1 a:", "1 a : ")),
    "loaders.mllog._ANSI": Reached(("\x1b[", "\x1b[1;")),
    "loaders.mllog._INTACT_HEAD": Reached(('{"namespace": "', '{"namespace": "", "time_ms": 1')),
    "loaders.mllog._KEY": Reached(('"key": "', '"key": "a')),
    "loaders.mllog._STATUS": Reached(('"status": "', '"status": "a')),
    "loaders.mllog.wanted": Reached(
        (":::MLLOG ", "MLLOG ", EVENT, EVENT + '"', EVENT + "{", EVENT + "[", EVENT + '1, "metadata": {'),
        lambda: [mllog.wanted(("run_start", "run_stop"))], frozenset({"finditer"}),
    ),
    "loaders.normalise._INTEGER": Reached(("1",)),
    "loaders.normalise._RUN_FOLDER": Reached(("/performance/run_", "/performance/run_1", "/performance/run_1/")),
    "loaders.normalise._public_id": Reached(("v", "v1")),
    "loaders.own._OWNER": Reached(("a",)),
    "loaders.own._reason": Reached(("PID ", "PID (")),
    "loaders.submission_files._part": Reached(
        ("verify_", "compliance_", "readme", "calibration", "summary", "checker", "TEST0"),
        lambda: [one for part in submission_files.PARTS for one in (part.folders, part.names)], FULL,
    ),
    "loaders.tables._JSON": Reached(("{", "[", "{ ", "[ ")),
    "loaders.trees.endpoints._TYPE": Reached(("type", "type ", "type:", "type: ", "type: a")),
    "loaders.trees.endpoints._line": Reached(
        ('"qps"', '"qps" ', '"qps":'), lambda: [re.compile(rb'"qps"\s*+:')], frozenset({"search"})
    ),
    "loaders.trees.inference_checks._NUMBER": Reached(("1", "1.", "1.1e")),
    "loaders.trees.inference_paths._ROUND": Reached(("v", "v1", "v1.", "1.", "v1.1")),
    "loaders.trees.inference_paths._RUN": Reached(("run_", "run_1")),
    "loaders.trees.inference_paths._TEST": Reached(("TEST", "TEST1")),
    "loaders.trees.inference_paths._is_container": Reached((".", ".zip", ".tar")),
    "loaders.trees.inference_paths._owner": Reached((".", ".zip", ".tar")),
    "loaders.trees.inference_results._RUN_FOLDER": Reached(("/performance", "/performance/run_", "/performance/run_1")),
    "loaders.trees.inference_score._EARLY_STOPPING": Reached(("Only processed ", "Only processed 1 queries.")),
    "loaders.trees.inference_score._NUMBER": Reached(("1", "1.", "1.1e")),
    "loaders.trees.loadgen._EARLY_STOPPING": Reached(("Only processed ", "Only processed 1 queries.\n")),
    "loaders.trees.loadgen._NO_RESULTS": Reached(("No", "No warnings", "1", "1 errors ")),
    "loaders.trees.loadgen._line": Reached(
        ("Scenario", "Scenario ", "Scenario :", "Scenario : a", "* ", "[a] ", "a", "\r"),
        lambda: [loadgen._line()], frozenset({"finditer"}),
    ),
    "loaders.trees.loadgen._record": Reached(
        (":::MLLOG", ":::MLLOG {", ':::MLLOG {"key": "', ':::MLLOG {"key": "result_validity"'),
        lambda: [loadgen._record()], frozenset({"finditer"}),
    ),
    "loaders.trees.loadgen.read_detail": Reached(('"pid": ', '"pid": 1', '"pid": 1, "tid": 1')),
    "loaders.trees.power_readings._LINE": Reached(("Time", "Time\n", "Time,")),
    "loaders.trees.power_readings._MINUTE": Reached(("11-11-1111 11:11:",)),
    "loaders.trees.power_readings._MOMENT": Reached(("11-11-1111 11:11:11.", "11-11-1111 11:11:11.1")),
    "loaders.trees.power_readings._READING": Reached(
        ("Time,11-11-1111 11:11:11.", "Time,11-11-1111 11:11:11,Watts,", "Time,11-11-1111 11:11:11,Watts,1,Volts,")
    ),
    "loaders.trees.systems._COUNTED": Reached(("1", "1x ")),
    "loaders.trees.systems._LOG_LINE": Reached(("a", "a: ", "a: {")),
    "loaders.trees.systems._PAIR": Reached(("'", "'a", "'a': ", "'a': '", "'a': \"")),
    "loaders.trees.systems._TRAILING_COMMA": Reached(('"', '"a', '"\\', ",", ", ", '","')),
    "loaders.trees.training_group._PARTS": Reached(("1", "a", "1a")),
    "loaders.trees.training_log._TIME": Reached(
        (':::MLLOG {"namespace": "', ":::MLLOG ", ':::MLLOG "time_ms": 1111111111')
    ),
    "loaders.trees.training_paths._LOG": Reached(("result_", "result_.txt", "result_\n")),
    "loaders.trees.training_paths._POWER": Reached(("node_", "node_.txt", "sw_")),
    "loaders.trees.training_paths._ROUND": Reached(
        ("training_", "training_results_v", "training_results_v1", "training-v1.1")
    ),
    "loaders.trees.training_paths._ROUND_FOLDER": Reached(("v", "v1", "v1.1")),
    "loaders.trees.training_power_log._HOST": Reached(('"host": "', '"host": "a')),
    "loaders.trees.training_power_log._OURS": Reached(
        ('"key": "', '"key": "power_reading'), calls=frozenset({"search"})
    ),
    "loaders.trees.training_power_log._READING": Reached(
        ("MLLOG ", ':::MLLOG {"namespace": "', EVENT.replace('"a"', '"power_reading"') + '1, "metadata": {')
    ),
    "loaders.workbooks._ADDRESS": Reached(("A", "A1")),
    "loaders.workbooks._DRAWN": Reached(("xl/", "xl/media/")),
    "loaders.workbooks._MACRO": Reached(("xl/", "xl/macrosheets/")),
    "loaders.workbooks._NUMBER": Reached(("1", "1.", ".1", "1e", "1.1e")),
    "loaders.workbooks._OUTSIDE": Reached(("xl/externalLinks/", "xl/externalLinks/a.xml")),
    "loaders.workbooks._POINT_GROUPS": Reached(("1", "1.111")),
    "loaders.workbooks._SHEETS": Reached(("xl/", "xl/a.xml", "xl/.rels")),
    "mlperf.citation._key": Reached(("-",)),
    "mlperf.citation._markdown": Reached(("`",)),
    "mlperf.citation.OUR_LINK": Reached(("https://github.com/mlcommons/",)),
    "mlperf.citation.PLAIN": Reached(("a", "a.", "a ")),
    "mlperf.export.NUMBER": Reached(("1", "1.", "1e", "1.1e")),
    "mlperf.families.MARKS": Reached(("1", "1x", "_n", "_n1", "-1n", "1-node"), calls=frozenset({"search"})),
    "mlperf.figures.VENDOR": Reached(("AMD ", "AMD Instinct")),
    "mlperf.filters.INTEGER": Reached(("1",)),
    "mlperf.filters.UNSAFE": Reached(("/",)),
    "mlperf.guard.TIER": Reached((" (", " (1", " (1 % accuracy)")),
    "mlperf.guard._natural": Reached(("1", "a", "1a")),
    "mlperf.log_rules._read_metric": Reached(
        ("accuracy", "accuracy=", '{"accuracy', "AUC=", "mAP=", "'Total':", '{"exact_match":', '{"exact_match": 1,',
         "Word Error Rate:", ", accuracy=", "Word Error Rate:, accuracy=1", "Accuracy:", "Accuracy: mean", "'rouge1':",
         "'gen_len': "),
        lambda: list(log_rules().metrics.values()), frozenset({"finditer"}),
    ),
    "mlperf.spellings.ServerSpellings": Reached(("-", "-1", "-1 x", "x1"), servers, frozenset({"search"}), 1 << 10),
    "mlperf.spellings._one": Reached(("a", "a ", "a(", "a (1", "1 Nodes: a", "a (x"), suffixes, FULL),
    "mlperf.spellings._pattern": Reached(("a", "a ", "a (x1", "1 Nodes: ", "1 Nodes: ax"), suffixes, FULL),
}  # fmt: skip
"""Each expression of these rooms by module and the name it has, or the function that it stands in."""


@dataclass
class Used:
    """An expression as it stands in the code."""

    patterns: list[re.Pattern[Any]] = field(default_factory=list)
    """No one for what is put together at run time."""
    calls: set[str] = field(default_factory=set)


def in_code() -> dict[str, Used]:
    """Every expression of loaders/ and mlperf/, and how it is called."""
    used: dict[str, Used] = {}
    called: dict[str, set[str]] = {}
    for room in ("loaders", "mlperf"):
        for file in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for name, call in _calls(tree, module, ""):
                assert isinstance(call.func, ast.Attribute)
                known = used.setdefault(name, Used())
                known.calls |= {call.func.attr} & (SCANNING | ANCHORED)
                known.patterns += _constant(call)
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and node.attr in SCANNING | ANCHORED:
                    called.setdefault(f"{module}.{ast.unparse(node.value).split('.')[-1]}", set()).add(node.attr)
    for name, known in used.items():
        known.calls |= called.get(name, set())
    return used


def _calls(node: ast.AST, module: str, inside: str) -> Iterator[tuple[str, ast.Call]]:
    """Calls of `re`, each under the name that it is given, or that of the function around it."""
    for inner in ast.iter_child_nodes(node):
        name = inside
        if isinstance(inner, ast.FunctionDef | ast.ClassDef) and (not inside or isinstance(inner, ast.FunctionDef)):
            name = inner.name if inner.name != "__init__" else inside
        elif isinstance(inner, ast.Assign | ast.AnnAssign) and not inside:
            target = inner.targets[0] if isinstance(inner, ast.Assign) else inner.target
            name = ast.unparse(target)
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) in {f"re.{call}" for call in CALLS}:
            yield f"{module}.{name}", inner
        yield from _calls(inner, module, name)


def _constant(call: ast.Call) -> list[re.Pattern[Any]]:
    """The expression of a call of `re` that is written there."""
    pattern = call.args[0]
    if not isinstance(pattern, ast.Constant):
        return []
    flags = [argument for argument in call.args[1:] if ast.unparse(argument).startswith("re.")]
    value = eval(ast.unparse(flags[0]), {"re": re}) if flags else 0  # the project's own code
    return [re.compile(pattern.value, value)]


USED: Final = in_code()


def expressions(name: str) -> list[re.Pattern[Any]]:
    """An expression as it runs."""
    reached = REACHED[name]
    if reached.made is not None:
        return reached.made()
    if USED[name].patterns:
        return USED[name].patterns
    module, _, attribute = name.rpartition(".")
    return [getattr(importlib.import_module(module), attribute)]


def test_every_expression_is_listed_here_with_what_could_make_it_slow() -> None:
    assert set(USED) == set(REACHED)


def seconds(expression: re.Pattern[Any], calls: set[str], text: str, repeats: int) -> float:
    """Of the processor, the least of some tries."""
    given: Any = text.encode("latin-1", "replace") if isinstance(expression.pattern, bytes) else text
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        if calls & SCANNING:
            deque(expression.finditer(given), maxlen=0)
        if "match" in calls:
            expression.match(given)
        if "fullmatch" in calls:
            expression.fullmatch(given)
        best = min(best, time.process_time() - begun)
    return best


def is_linear(
    expression: re.Pattern[Any], calls: set[str], beginning: str, pump: str, end: str, length: int = LENGTH
) -> bool:
    """Whether four times the text takes about four times the work; measured again, and better, where it seems not."""
    text, longer = (beginning + pump * (times * length // len(pump)) + end for times in (1, TIMES))
    for repeats in (1, 5):
        little = max(LITTLE, seconds(expression, calls, text, repeats))
        if little == LITTLE or seconds(expression, calls, longer, repeats) < MOST * little:
            return True
    return False


@pytest.mark.parametrize("name", sorted(REACHED))
def test_an_expression_takes_time_in_proportion_to_the_text(name: str) -> None:
    reached = REACHED[name]
    calls = set(reached.calls or USED[name].calls)
    assert calls & (SCANNING | ANCHORED), "nothing says how it is called"
    for expression in expressions(name):
        for beginning in ("", *reached.beginnings):
            for pump in (*PUMPS, *reached.beginnings):
                for end in ("", "\n\0"):
                    is_fine = is_linear(expression, calls, beginning, pump, end, reached.length)
                    assert is_fine, (expression.pattern, beginning, pump)


@pytest.mark.parametrize(
    ("pattern", "beginning", "pump", "length"),
    [
        (r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', '"', '\\"', 1 << 10),
        (r'^(?:\{"accuracy|accuracy)[": ]*=?\s*([\d.]+)', "accuracy", " ", 1 << 10),
        (r"Word Error Rate:[^\n]*, accuracy=([\d.]+)%", "", "Word Error Rate:", 1 << 13),
    ],
)
def test_an_expression_that_takes_the_square_of_its_text_is_found(
    pattern: str, beginning: str, pump: str, length: int
) -> None:
    assert not is_linear(re.compile(pattern), {"finditer"}, beginning, pump, "", length)
