"""What a model is asked and told, and what of its answer is taken.

Rules
- It is told fields of the classes that the firm shares, and no field of class personal, whatever is shared. An alert about a person is not
  told at all.
- Its answer is a text and a score for each of the two kinds of ideas about an alert. An answer that holds anything else, more, or too much is none: there
  is no way to ask for an act, and none to carry one out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from consumers.core.assist.ideas import LONGEST_TEXT, Idea
from consumers.core.plain import plain
from schemas.records import AlertEvent

CLASSES = ("public", "internal", "confidential", "personal")
OF_PEOPLE = "consultant"
QUESTION = (
    'Answer with one JSON object: {"priority": {"text": "...", "score": 0.0}, "summary": {"text": "..."}}. '
    "The score is from 0 to 1. Nothing else is read."
)


class Rubbish(Exception):  # noqa: N818  what it is
    """An answer that is not taken, and why."""


def question(alert: AlertEvent, classes: Mapping[str, str], highest: str) -> dict[str, Any] | None:
    """What a model is told of an alert; None where it is about a person. `classes` are those of the fields of an alert."""
    current: Mapping[str, Any] = alert["current"]
    if current["subject_kind"] == OF_PEOPLE:
        return None
    shared = CLASSES[: min(CLASSES.index(highest), CLASSES.index("confidential")) + 1]
    told = {name: value for name, value in current.items() if classes.get(name, "personal") in shared}
    return {"ask": QUESTION, "alert": plain(told)}


def answered(body: bytes, ideas: list[Idea]) -> list[Idea]:
    """The ideas in the model's words. Raises `Rubbish`; what the rules thought is as good as before."""
    try:
        answer = json.loads(body, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Rubbish(f"it is no JSON: {type(error).__name__}") from None
    if not isinstance(answer, dict) or set(answer) != {"priority", "summary"}:
        raise Rubbish("it is no object of priority and summary")
    return [_in_words(idea, answer[idea.kind]) if idea.kind in answer else idea for idea in ideas]


def _in_words(idea: Idea, said: Any) -> Idea:
    wanted = {"text", "score"} if idea.kind == "priority" else {"text"}
    if not isinstance(said, dict) or set(said) != wanted:
        raise Rubbish(f"{idea.kind} holds something else than {' and '.join(sorted(wanted))}")
    text, score = said["text"], said.get("score")
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT or not text.isprintable():
        raise Rubbish(f"the text of {idea.kind} is no line of 1 to {LONGEST_TEXT} characters")
    if score is not None and not (isinstance(score, Decimal) and 0 <= score <= 1):
        raise Rubbish("the score is not from 0 to 1")
    return replace(idea, text=text, score=score)


def _no_number(text: str) -> Decimal:
    raise ValueError(text)
