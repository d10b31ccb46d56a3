import io
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipelines.errors import Rejected
from pipelines.runtime.outcomes import Outcome, nothing_made, print_table, tally, to_jsonl

reasons = st.sampled_from(["unreadable", "grayscale", "too_large"])
outcomes = st.lists(
    st.one_of(
        st.builds(Outcome, name=st.text(), status=st.sampled_from(["written", "skipped"]), uri=st.text()),
        st.builds(Outcome, name=st.text(), status=st.just("rejected"), reason=reasons, detail=st.text(), uri=st.text()),
    )
)


@given(outcomes)
def test_the_tally_adds_up(found):
    counts = tally(found)
    assert sum(counts.values()) == len(found)
    assert list(counts) == sorted(counts)
    for outcome in found:
        assert counts[outcome.key] >= 1


def test_the_key_is_the_reason_of_a_rejection():
    assert Outcome(name="a", status="written").key == "written"
    assert Outcome(name="a", status="rejected", reason="toned", detail="x").key == "toned"


@given(outcomes)
def test_json_lines_are_read_back_in_order_of_name(found):
    lines = to_jsonl(found).decode().split("\n")
    assert lines.pop() == ""
    again = [Outcome(**json.loads(line)) for line in lines]
    assert again == sorted(found)
    assert to_jsonl(reversed(found)) == to_jsonl(found)


def test_json_lines_of_unicode_and_of_names_that_are_not_unicode():
    broken = b"caf\xe9.jpg".decode(errors="surrogateescape")
    data = to_jsonl(
        [
            Outcome(name="Übersicht ☕.jpg", status="rejected", reason="unreadable"),
            Outcome(name=broken, status="rejected", reason="unreadable"),
        ]
    )
    assert "Übersicht ☕.jpg".encode() in data
    assert [json.loads(line)["name"] for line in data.decode().splitlines()] == [broken, "Übersicht ☕.jpg"]


def test_a_rejection_survives_the_way_between_processes():
    again = pickle.loads(pickle.dumps(Rejected("too_small", "3 x 4 pixels")))
    assert (again.reason, again.detail) == ("too_small", "3 x 4 pixels")


@pytest.mark.parametrize(
    "counts",
    [{"written": 3}, {"grayscale": 1200, "unreadable": 2, "written": 30}, {"unreadable": 1}, {}, {"skipped": 4}],
)
def test_the_table_has_every_count_and_the_sum(counts):
    text = io.StringIO()
    print_table("Prepared [box 1]", counts, Console(file=text, width=80))
    shown = text.getvalue()
    assert shown.startswith("Prepared [box 1]\n")
    rows = [line.replace("│", " ").split() for line in shown.splitlines() if "│" in line and "─" not in line]
    figures = {words[-2]: int(words[-1].replace(",", "")) for words in rows}
    assert figures.pop("inputs") == sum(counts.values())
    assert figures == {"written": 0} | counts


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, ""),
        ({"ignored": 3}, ""),
        ({"written": 1, "unreadable": 9}, ""),
        ({"skipped": 1, "unreadable": 9}, ""),
        ({"written": 0, "ignored": 4, "unreadable": 1}, "nothing was made: the only photo was rejected"),
        ({"unreadable": 1_000, "grayscale": 200}, "nothing was made: all 1,200 photos were rejected"),
    ],
)
def test_a_run_that_rejected_every_photo_made_nothing(counts, said):
    assert nothing_made(counts) == said
