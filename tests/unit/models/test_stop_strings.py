"""Stop strings: nothing of them and nothing after them is shown, and nothing before them is lost."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.models.stop_strings import StopStrings


def shown(pieces: Sequence[str], stops: Sequence[str]) -> str:
    filter_, text = StopStrings(stops), ""
    for piece in pieces:
        more, stopped = filter_.feed(piece)
        text += more
        if stopped:
            return text
    return text + filter_.flush()


def test_the_beginning_of_a_stop_string_is_held_back() -> None:
    stops = StopStrings(["END"])
    assert stops.feed("fine E") == ("fine ", False)
    assert stops.feed("N") == ("", False)
    assert stops.feed("D more") == ("", True)


def test_a_beginning_that_goes_on_differently_is_shown() -> None:
    stops = StopStrings(["END"])
    assert stops.feed("E") == ("", False)
    assert stops.feed("x") == ("Ex", False)


def test_the_earliest_of_several_stops_counts() -> None:
    assert shown(["one two three"], ["three", "two"]) == "one "


def test_without_stops_everything_passes_at_once() -> None:
    assert StopStrings([]).feed("text") == ("text", False)


@given(
    pieces=st.lists(st.text(alphabet="ab", max_size=4), max_size=8),
    stops=st.lists(st.text(alphabet="ab", min_size=1, max_size=3), max_size=3),
)
def test_the_pieces_do_not_matter_when_none_holds_a_whole_later_stop(
    pieces: list[str], stops: list[str]
) -> None:
    text = "".join(pieces)
    # Fed character by character, the first stop to be complete wins.
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(s) for s in stops)]
    expected = text
    if ends:
        head = text[: ends[0]]
        expected = head[: min(len(head) - len(s) for s in stops if head.endswith(s))]
    assert shown(list(text), stops) == expected
