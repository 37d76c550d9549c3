"""The contracts as subscribers get them: each field says what it means, and what it names is there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import odoorpc
import pytest

from schemas import catalogue
from schemas.field_docs import field_doc, named_sources
from schemas.lint import findings

FILES = {path.stem: json.loads(path.read_text()) for path in sorted(catalogue.AVRO_FOLDER.glob("*.avsc"))}
ENTERPRISE = ("approval.", "project.task.planned_date_begin")
"""What only Odoo Enterprise has; the lab is a Community."""


def named(schema: Any, kind: str) -> Iterator[dict[str, Any]]:
    """The records, or the enums, declared anywhere in a schema."""
    match schema:
        case dict():
            if schema.get("type") == kind:
                yield schema
            for value in schema.values():
                yield from named(value, kind)
        case list():
            for value in schema:
                yield from named(value, kind)


def sources() -> Iterator[tuple[str, str]]:
    """Every name in the source of a field, with where it stands."""
    for file, schema in FILES.items():
        for record in named(schema, "record"):
            for field in record["fields"]:
                for name in named_sources(field_doc(field["doc"]).source or ""):
                    yield f"{file}: {field['name']}", name


@pytest.mark.parametrize("name", FILES)
def test_a_contract_says_everything_of_every_field(name):
    assert findings(FILES[name]) == []


def test_a_source_in_another_contract_is_there():
    known = {f"{file}.{field['name']}" for file, schema in FILES.items() for field in schema["fields"]} | set(FILES)
    named_ones = [(where, name) for where, name in sources() if name.startswith("burnline.")]
    assert named_ones
    assert [pair for pair in named_ones if pair[1] not in known] == []


@pytest.mark.odoo
def test_a_source_in_odoo_is_there(real_odoo):
    at = urlsplit(real_odoo.url)
    rpc = odoorpc.ODOO(at.hostname, port=at.port)
    rpc.login(real_odoo.db, real_odoo.user, real_odoo.password)
    models = {row["model"] for row in rpc.execute("ir.model", "search_read", [], ["model"])}
    rows = rpc.execute("ir.model.fields", "search_read", [("model", "in", sorted(models))], ["model", "name"])
    known = {f"{row['model']}.{row['name']}" for row in rows} | models
    wanted = [pair for pair in sources() if not pair[1].startswith(("burnline.", *ENTERPRISE))]
    assert len(wanted) > 200
    assert [pair for pair in wanted if pair[1] not in known] == []


@pytest.mark.parametrize("kind", ["record", "enum"])
def test_short_names_are_given_once_since_the_typed_classes_have_no_namespaces(kind):
    names = Counter(found["name"].rpartition(".")[2] for schema in FILES.values() for found in named(schema, kind))
    assert [name for name, count in names.items() if count > 1] == []
