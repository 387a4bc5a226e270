"""What checks say in a cell and in a sentence, and how places are named."""

import pytest

from ui import verdicts


@pytest.mark.parametrize(
    ("found", "cell", "words"),
    [
        ([], "–", "No rule is known"),
        (["met", "met"], "✓ 2 of 2 met", "it would count: all 2 checks are met."),
        (["met", "broken"], "✗ 1 of 2 broken", "Would not count: 1 of 2 checks is broken."),
        (["broken", "broken", "unknown"], "✗ 2 of 3 broken", "are broken. Of 1 the logs do not tell."),
        (["met", "unknown"], "? 1 of 2 met", "1 of 2 checks are met, of 1 the logs do not tell."),
        (["unknown"], "? 0 of 1 met", "0 of 1 checks are met, of 1 the logs do not tell."),
    ],
)
def test_a_broken_check_comes_before_an_untold_one_and_that_before_all_met(
    found: list[str], cell: str, words: str
) -> None:
    assert verdicts.short(found) == cell
    assert words in verdicts.sentence(found)


@pytest.mark.parametrize(
    ("path", "folder", "shown"),
    [
        ("a.zip/run/log.txt:7", "a.zip/run", "log.txt:7"),
        ("a.zip/run", "a.zip/run", "run"),
        ("a.zip/running/log.txt", "a.zip/run", "a.zip/running/log.txt"),
        ("log.txt:7", "log.txt", "log.txt:7"),
        ("log.txt", "", "log.txt"),
    ],
)
def test_a_place_is_named_as_seen_from_its_folder(path: str, folder: str, shown: str) -> None:
    assert verdicts.inside(path, folder) == shown


def test_a_long_name_keeps_its_ends_and_loses_what_turns_it() -> None:
    assert verdicts.brief("short\u202e\nname") == "short name"
    brief = verdicts.brief(f"start{'x' * 10_000}end")
    assert len(brief) <= verdicts.BRIEF
    assert brief.startswith("start")
    assert brief.endswith("end")


def test_a_place_in_an_upload_begins_with_the_upload_and_names_a_lone_file_once() -> None:
    rows = verdicts.places([("a.zip", "run/log.txt", 7), ("log.txt", "log.txt", None), ("a", "a/log.txt", 1)])
    assert rows["place"].to_pylist() == ["a.zip/run/log.txt:7", "log.txt", "a/a/log.txt:1"]
