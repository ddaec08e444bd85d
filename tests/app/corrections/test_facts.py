"""What holds after a series of statements, merges and splits."""

from typing import Any
from uuid import UUID

from app.corrections.facts import Facts, Statement

WREN, ROBIN, FINCH, HEN = (UUID(int=n) for n in range(1, 5))
ONE, TWO = UUID(int=11), UUID(int=12)


def after(*edits: tuple[dict[str, Any], list[tuple[UUID, UUID, bool | None]]]) -> Facts:
    facts = Facts()
    for effect, statements in edits:
        facts.hear(effect, [Statement(*one) for one in statements])
    return facts


def merge(old: UUID, new: UUID) -> dict[str, Any]:
    return {"groups": {str(old): str(new)}}


def split(whole: UUID, *parts: UUID) -> dict[str, Any]:
    return {"apart": [[str(group) for group in (whole, *parts)]]}


def said(*statements: tuple[UUID, UUID, bool | None]) -> tuple[dict[str, Any], list[tuple[UUID, UUID, bool | None]]]:
    return {}, list(statements)


def test_the_last_word_counts() -> None:
    assert after(said((ONE, WREN, True)), said((ONE, ROBIN, True))).hard == {ONE: ROBIN}
    assert after(said((ONE, WREN, True)), said((ONE, WREN, False))).hard == {}
    assert after(said((ONE, WREN, False)), said((ONE, WREN, True))).never == set()
    assert after(said((ONE, WREN, False)), said((ONE, ROBIN, False))).never == {(ONE, WREN), (ONE, ROBIN)}
    assert after(said((ONE, WREN, True), (TWO, WREN, False)), said((ONE, WREN, None), (TWO, WREN, None))) == Facts()
    assert after(said((ONE, WREN, True)), said((ONE, ROBIN, None))).hard == {ONE: WREN}


def test_a_merge_speaks_of_both() -> None:
    facts = after(said((ONE, ROBIN, True), (TWO, ROBIN, False)), (merge(ROBIN, WREN), []))
    assert facts.hard == {ONE: WREN} and facts.never == {(TWO, WREN)}
    torn = after(said((ONE, WREN, True), (ONE, ROBIN, False)), (merge(ROBIN, WREN), []))
    assert torn.hard == {ONE: WREN} and torn.never == set(), "it can't both be there and not"
    taken_back = after(said((ONE, ROBIN, False)), (merge(ROBIN, WREN), [(ONE, ROBIN, None)]))
    assert taken_back.never == set()


def test_parts_of_a_split_keep_away_from_each_other() -> None:
    facts = after((split(WREN, ROBIN), []), (split(ROBIN, FINCH, HEN), []))
    pairs = {(WREN, ROBIN), (WREN, FINCH), (WREN, HEN), (ROBIN, FINCH), (ROBIN, HEN), (FINCH, HEN)}
    assert facts.apart == {frozenset(pair) for pair in pairs}
    joined = after((split(WREN, ROBIN, FINCH), []), (merge(ROBIN, WREN), []))
    assert joined.apart == {frozenset((WREN, FINCH))}


def test_what_was_not_in_the_whole_is_in_no_part() -> None:
    facts = after(said((ONE, WREN, False), (TWO, HEN, False)), (split(WREN, ROBIN), []))
    assert facts.exclusions() == {ONE: {WREN, ROBIN}, TWO: {HEN}}
