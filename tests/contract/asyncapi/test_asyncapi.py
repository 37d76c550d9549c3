"""The official parser of AsyncAPI accepts the document, finds in it what the registry has, and would have said so."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from burnline.docs import asyncapi
from burnline.docs.model import public_topics
from schemas import catalogue
from tests.support.pages import ends
from tests.support.tools import installed

HERE = Path(__file__).parent
RECIPE = [HERE / name for name in ("package.json", "package-lock.json", "validate.js")]
BROKEN = {
    "a reference to nothing": ("#/components/messages/people.consultant.v1", "#/components/messages/nobody"),
    "a schema that is no Avro": ("type: enum", "type: enumeration"),
    "a binding that Kafka does not have": ("partitions: 6", "partitions: six"),
}


def opinions(folder: Path, documents: dict[str, str]) -> dict[str, Any]:
    """What the parser thinks of each document."""
    tool = installed("asyncapi", RECIPE, ["node", "--version"], ["npm", "ci", "--ignore-scripts"])
    paths = [folder / f"{place}.yaml" for place in range(len(documents))]
    for path, text in zip(paths, documents.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["node", tool / "validate.js", *paths], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(documents, json.loads(done.stdout), strict=True))


def test_the_document_is_valid_and_says_what_the_registry_has(tmp_path: Path) -> None:
    """One test, since starting the parser is what takes the time."""
    good, example = asyncapi.document(public_topics()), asyncapi.document(public_topics()[:1])
    broken = {name: example.replace(old, new, 1) for name, (old, new) in BROKEN.items()}
    ending = asyncapi.document([ends(public_topics()[0])])
    found = opinions(tmp_path, {"good": good, "of a topic that ends": ending, **broken})

    for name in ("good", "of a topic that ends"):
        assert found[name]["errors"] == []
        assert set(found[name]["others"]) <= {"asyncapi-latest-version"}
    assert [name for name in broken if not found[name]["errors"]] == []

    fields = {topic.record: [f["name"] for f in catalogue.load(topic.record)["fields"]] for topic in public_topics()}
    assert found["good"]["channels"] == [
        {"address": topic.name, "messages": [{"name": topic.record, "fields": fields[topic.record]}]}
        for topic in public_topics()
    ]
    assert set(found["good"]["operations"]) == {
        f"{role}.{action}.{topic.name}"
        for topic in public_topics()
        for action, roles in (("send", topic.publishers), ("receive", topic.readers))
        for role in roles
    }
