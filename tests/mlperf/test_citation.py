"""Footnote and citation: every part that the messaging rules ask for, from the rows that are shown."""

import datetime
import re
from collections.abc import Sequence
from typing import Any

import pytest

from mlperf import citation, figures, queries
from mlperf.citation import Citation
from mlperf.facts import facts
from mlperf.filters import Filters
from tests.app.small import RESULTS, database


def note(results: list[dict[str, Any]], retrieved: datetime.date | None = None) -> str:
    return "\n".join(citation.footnote(queries.results(database(results), Filters()), facts(), retrieved))


def test_a_footnote_names_all_that_the_rules_ask_for() -> None:
    text = note(RESULTS[:1], datetime.date(2026, 11, 1))
    assert text.startswith(
        "MLPerf® Inference v3.1 edge, Closed division, submitted by Dell. Benchmarks: ResNet-50 v1.5 (resnet); "
        "scenarios: SingleStream. Result IDs: 3.1-0074. "
        "Retrieved from github.com/mlcommons/cm4mlperf-results on 2026-11-01."
    )
    assert "verified" in text
    assert text.endswith(citation.ATTRIBUTION)


def test_training_and_inference_get_a_sentence_each() -> None:
    text = note(RESULTS)
    assert "MLPerf® Inference v3.1, v4.0 datacenter and edge, Closed division" in text
    assert "MLPerf® Training v1.1, Closed division" in text
    assert "(the sources give none for the others)" in text


def test_many_ids_are_cut_and_counted() -> None:
    text = note([{"result_id": str(number), "public_id": f"3.1-{number:04}"} for number in range(40)])
    assert "3.1-0011 and 28 more." in text
    assert "3.1-0012" not in text


def test_no_ids_are_said_to_be_none() -> None:
    assert "The sources give no result IDs" in note([{"public_id": None}])


def test_unverified_results_are_named_and_set_apart_from_verified_ones() -> None:
    alone = note([{"verified": False}])
    assert citation.UNVERIFIED in alone
    assert citation.MIXED not in alone
    assert citation.VERIFIED not in alone
    assert citation.MIXED in note([{"verified": False}, {"result_id": "b"}])


def test_each_difference_that_the_rules_want_named_is_named() -> None:
    plain = note(RESULTS[:1])
    for sentence in (citation.OPEN, citation.POWER, citation.DERIVED, citation.AVAILABILITY):
        assert sentence not in plain
    odd = {"result_id": "b", "division": "open", "availability": "rdi", "has_power": True, "efficiency": 1.0}
    mixed = note([{}, odd])
    for sentence in (citation.OPEN, citation.POWER, citation.DERIVED, citation.AVAILABILITY):
        assert sentence in mixed


def test_no_rows_have_no_footnote() -> None:
    assert note([]) == ""


def test_rounds_that_do_not_compare_are_named_with_the_reason() -> None:
    results = [
        {"result_id": round_id, "round": round_id, "suite": "training", "benchmark": "ssd", "scenario": None,
         "metric": "time_to_train", "unit": "min"}
        for round_id in ("v1.1", "v2.0")
    ]  # fmt: skip
    parts = figures.picture(queries.results(database(results), Filters())).panels
    reasons = citation.not_comparable(parts, facts())
    assert len(reasons) == 1
    assert "v1.1 and" in reasons[0]
    assert citation.not_comparable(parts[:0], facts()) == []


def test_a_file_of_the_readers_own_is_named_without_a_repository_or_a_day() -> None:
    text = note([{"source": "mine.csv", "verified": False}], datetime.date(2026, 1, 31))
    assert "Read from the files mine.csv." in text
    assert "github.com" not in text
    assert "2026-01-31" not in text


def test_figures_computed_from_logs_are_said_to_be() -> None:
    computed = {"basis": "computed"}
    assert citation.COMPUTED in note([computed])
    assert citation.VERIFIED not in note([computed])
    both = note([computed, {"result_id": "b"}])
    assert f"{citation.VERIFIED} {citation.PARTLY_COMPUTED}" in both
    assert "computed" not in note([computed | {"verified": False}])


def test_energy_of_training_does_not_part_its_times() -> None:
    text = note([{"suite": "training", "has_power": True, "power_value": 1.0, "power_unit": "kJ"}])
    assert citation.ENERGY in text
    assert citation.POWER not in text


def test_a_footnote_names_the_derived_metrics_that_are_shown() -> None:
    rows = queries.results(database([{}]), Filters())
    sentence = "Derived metrics shown: speed-up over one node; samples per joule. They are not official"
    derived = ["speed-up over one node", "samples per joule", "speed-up over one node"]
    assert sentence in "\n".join(citation.footnote(rows, facts(), None, derived))
    assert "Derived metrics" not in note([{}])


DAY = datetime.date(2026, 11, 1)
HOSTILE = (
    "[click](http://evil.example)", "<img src=x onerror=alert(1)>", "*bold* _it_ ~gone~ `code` ``more``", "# 1. - x",
    "www.evil.example me@evil.example http://evil.example", "\n\n# Heading\r\n- item", "&lt; \\ { } } $x$ % ^ ~ #_&",
    "1. list", "- list", ":red[x] :tada:", "a | b", "`", "` ", "\u202egnp.exe\u2028x", "{{values}}",
    "Müller™ 東京", "\x00a\x1b[31m",
)  # fmt: skip


def cited(results: list[dict[str, Any]], derived: Sequence[str] = ()) -> Citation:
    return citation.cite(queries.results(database(results), Filters()), facts(), DAY, derived)


def test_a_citation_names_all_that_the_rules_ask_for() -> None:
    first, item, *_ = cited([{}]).text.splitlines()
    assert first == (
        "MLPerf® Inference v3.1, published on 2023-09-11. Result verified by MLCommons Association. "
        "Retrieved from github.com/mlcommons/cm4mlperf-results on 2026-11-01."
    )
    assert item == (
        "- Dell, XR7620_L4x1_TRT (Dell PowerEdge XR7620 (1x L4, TensorRT)), 1 × NVIDIA L4: ResNet-50 v1.5 (resnet), "
        "SingleStream, 0.344907 ms; edge, Closed division, available; result ID 3.1-0074; "
        "https://github.com/mlcommons/inference_results_v3.1"
    )
    assert cited([{}]).text.endswith(f"{citation.VERIFIED}\n\n{citation.ATTRIBUTION}\n")


def test_no_rows_have_no_citation() -> None:
    assert cited([]) == Citation("", "", "")


def test_a_result_in_two_suites_is_cited_once_with_both() -> None:
    text = cited(RESULTS).text
    assert text.count("12839.1 samples/s") == 1
    assert "datacenter and edge, Closed division" in text
    assert text.index("MLPerf® Inference v4.0") < text.index("MLPerf® Inference v3.1") < text.index("MLPerf® Training")


def test_the_word_unverified_stands_beside_each_unverified_score() -> None:
    own = {"verified": False, "basis": "computed", "source": "mine.zip", "source_path": "run/result_0.txt"}
    found = cited([own, {"result_id": "b", "value": 0.5}])
    for text in found:
        assert "0.344907 ms (unverified), computed from logs" in text
        assert "0.5 ms; edge" in text
        assert citation.UNVERIFIED_RESULT in text
        assert citation.VERIFIED_RESULT in text
        assert citation.MIXED in text
    assert "; run/result_0.txt\n" in found.text
    assert citation.VERIFIED_RESULT not in cited([own]).text


def test_what_is_special_about_a_score_stands_beside_it() -> None:
    special = {"model": "tiny", "inferred": True, "basis": "computed", "division": "open", "availability": "rdi",
               "has_power": True, "power_value": 57.25, "power_unit": "W", "nodes": 2, "value": 1e16}  # fmt: skip
    text = cited([special]).text
    for words in (
        "(resnet), model tiny, SingleStream, 1e+16 ms, inferred from another scenario, ",
        "computed from the published logs, with power: 57.25 W;",
        "1 × NVIDIA L4, 2 nodes:",
        "Open division, rdi;",
    ):
        assert words in text
    assert "12839 ms, with power;" in cited([{"value": 12839.0, "has_power": True}]).text


def test_derived_metrics_are_named_as_such_in_every_form() -> None:
    for text in cited([{}], ["speed-up", "speed-up"]):
        assert "Derived metrics shown: speed-up. They are not official MLPerf metrics" in text


def test_what_is_not_listed_is_counted_by_round() -> None:
    many = [{"result_id": str(number), "value": number + 0.5} for number in range(45)]
    found = cited([*many, {"result_id": "old", "round": "v3.0", "round_index": 5}])
    for text in found:
        assert "39.5 ms" in text
        assert "40.5 ms" not in text
        assert "5 more results of this round, not listed here" in text
        assert "1 more result of this round, not listed here" in text


def entries(bibtex: str) -> dict[str, dict[str, str]]:
    """Entries by key, read as BibTeX does: braces are counted whatever stands before them."""
    found: dict[str, dict[str, str]] = {}
    for entry in bibtex.strip().split("\n\n"):
        lines = entry.splitlines()
        head, last = re.fullmatch(r"@misc\{([a-z0-9_]+),", lines[0]), lines[-1]
        assert head
        assert last == "}"
        assert head[1] not in found
        found[head[1]] = fields = {}
        for line in lines[1:-1]:
            name, _, value = line.removesuffix(",").strip().partition(" = ")
            depths = [value[:end].count("{") - value[:end].count("}") for end in range(1, len(value) + 1)]
            assert depths[-1] == 0
            assert name == "month" or all(depth > 0 for depth in depths[:-1])
            fields[name] = value
    return found


def test_bibtex_has_an_entry_per_kind_and_round() -> None:
    found = entries(cited(RESULTS).bibtex)
    assert list(found) == ["mlperf_inference_v4_0", "mlperf_inference_v3_1", "mlperf_training_v1_1"]
    note = found["mlperf_inference_v3_1"].pop("note")
    assert found["mlperf_inference_v3_1"] == {
        "author": "{{MLCommons Association}}",
        "title": "{{MLPerf®} Inference v3.1 Results}",
        "year": "{2023}",
        "month": "sep",
        "howpublished": r"{\url{https://github.com/mlcommons/inference_results_v3.1}}",
        "url": "{https://github.com/mlcommons/inference_results_v3.1}",
        "urldate": "{2026-11-01}",
    }
    assert r"Dell, XR7620\_L4x1\_TRT (Dell PowerEdge" in note
    assert citation.ATTRIBUTION in note


def test_rounds_that_the_catalog_lacks_have_keys_of_their_own_and_no_invented_date() -> None:
    found = entries(cited([{"round": "v9.9"}, {"round": "V9_9", "result_id": "b"}, {"result_id": "c"}]).bibtex)
    assert len(found) == 3
    strange = [fields for key, fields in found.items() if key.startswith("mlperf_inference_v9_9_")]
    assert [sorted(fields) for fields in strange] == [["author", "note", "title", "urldate"]] * 2


def test_every_special_of_tex_is_escaped() -> None:
    note = entries(cited([{"submitter": "a&b%c$d#e_f{g}h~i^j\\k"}]).bibtex)["mlperf_inference_v3_1"]["note"]
    assert (
        r"a\&b\%c\$d\#e\_f\textbraceleft{}g\textbraceright{}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k,"
    ) in note


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_name_leaves_its_place(hostile: str) -> None:
    columns = ("round", "division", "availability", "submitter", "system_id", "system_name", "accelerator", "benchmark",
               "model", "scenario", "unit", "power_unit", "public_id", "source", "source_path", "link")  # fmt: skip
    strange = {column: f"{hostile} {number}" for number, column in enumerate(columns)}
    found = cited([{**strange, "has_power": True, "power_value": 1.0, "result_id": hostile}], [hostile])
    plain = cited([{**{column: f"x {column}" for column in columns}, "has_power": True, "power_value": 1.0}], ["x"])
    assert len(found.text.splitlines()) == len(plain.text.splitlines())
    assert len(found.markdown.splitlines()) == len(plain.markdown.splitlines())
    assert [set(fields) for fields in entries(found.bibtex).values()] == [
        set(fields) for fields in entries(plain.bibtex).values()
    ]
    assert not re.search("[\x00-\x09\x0b-\x1f\u2028\u202e]", "".join(found))
    bare = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", found.markdown.replace("**MLPerf® Inference**", ""))
    bare = bare.replace(citation.ATTRIBUTION, "")
    assert not re.search(r"[\[\]<>*_`~#|\\&$@^{}]|www|http|^\s*\d+[.)]|^- [-+*]|:[a-z]", bare, re.MULTILINE)


def test_markdown_keeps_the_words_of_a_strange_name() -> None:
    assert "``a`b``" in cited([{"submitter": "a`b"}]).markdown
    assert "`` `a ``" in cited([{"submitter": "`a"}]).markdown
    assert "- Müller™" not in cited([{"submitter": "Müller™"}]).markdown
    assert "- `Müller™`" in cited([{"submitter": "Müller™"}]).markdown
    assert "- Müller " in cited([{"submitter": "Müller", "system_id": None, "system_name": None}]).markdown.replace(
        ",", " "
    )


def test_only_links_to_mlcommons_become_links() -> None:
    ours = "https://github.com/mlcommons/inference_results_v3.1/tree/HEAD/closed/Dell"
    assert f"<{ours}>" in cited([{"link": ours}]).markdown
    for link in ("https://github.com/evil/x", "javascript:alert(1)", f"{ours}> <https://evil.example"):
        assert f"`{link}`" in cited([{"link": link}]).markdown
