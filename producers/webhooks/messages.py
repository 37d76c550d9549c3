"""The message in a signed body, validated."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from infra.errors import PoisonMessage
from producers.core.messages import Message

MEND = "mend the sender's payload; docs/webhooks.md shows what each type holds"


class NotJsonError(PoisonMessage):
    """A body that no reader of JSON in UTF-8 could take."""


@cache
def _messages() -> TypeAdapter[Message]:
    return TypeAdapter(Annotated[Message, Field(discriminator="type")])


def parse_message(body: bytes) -> Message:
    """The message in a signed body. Raises `PoisonMessage` naming the place that is wrong with it."""
    try:
        return _messages().validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise NotJsonError(f"the body is no JSON: {first['ctx']['error']}", remedy=MEND) from None
        place = ".".join(map(str, first["loc"][1:])) or "the body"  # the first is the type
        raise PoisonMessage(f"{place}: {first['msg']}", remedy=MEND) from None
