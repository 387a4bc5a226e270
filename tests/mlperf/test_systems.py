"""Systems as links name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf.systems import SystemKey, short_names

TEXT = st.text(st.characters(exclude_characters="/"), min_size=1, max_size=20)


@given(kind=st.sampled_from(["training", "inference"]), round_id=TEXT, submitter=TEXT, system=st.text(min_size=1))
def test_a_link_names_the_system_that_it_was_made_from(kind: str, round_id: str, submitter: str, system: str) -> None:
    key = SystemKey(kind, round_id, submitter, system)  # type: ignore[arg-type]
    assert SystemKey.parse(key.text) == key


@pytest.mark.parametrize("text", ["", "inference", "inference-v3.1", "inference-v3.1/Dell", "inference-v3.1/Dell/",
                                  "cooking-v3.1/Dell/x", "inference-/Dell/x", "/Dell/x"])  # fmt: skip
def test_what_names_no_system_is_none(text: str) -> None:
    assert SystemKey.parse(text) is None


def test_short_names_tell_systems_apart() -> None:
    old, new = SystemKey("inference", "v3.0", "Dell", "a"), SystemKey("inference", "v3.1", "Dell", "a")
    other, twin = SystemKey("inference", "v3.1", "Dell", "b"), SystemKey("inference", "v3.1", "HPE", "b")
    assert short_names([old, other]) == {old: "a", other: "b"}
    assert short_names([old, new]) == {old: "a · v3.0", new: "a · v3.1"}
    assert short_names([other, twin]) == {other: "b · Dell", twin: "b · HPE"}
