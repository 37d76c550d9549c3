"""What a message of Debezium's says, and the connector that is asked for no more than that."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.core.log import Heard, Place, connector, hear, places
from producers.core.mapping import Children, Follow, ModelMapping, captured_models, mappings
from producers.core.policy import CapturePolicy
from schemas.errors import PoisonMessage

TABLES = {
    "project_task": (Place("project.task", "id"),),
    "purchase_order_line": (Place("purchase.order.line", "id"), Place("purchase.order", "order_id")),
}


def message(operation, table="project_task", before=None, after=None, **source):
    return json.dumps(
        {"before": before, "after": after, "source": {"table": table, **source}, "op": operation, "ts_ms": 1}
    ).encode()


@pytest.mark.parametrize(
    ("value", "heard"),
    [
        pytest.param(message("c", after={"id": 7}), [Heard("project.task", 7)], id="a row came"),
        pytest.param(message("u", after={"id": 7}), [Heard("project.task", 7)], id="a row changed"),
        pytest.param(message("d", before={"id": 7}), [Heard("project.task", 7)], id="a row went"),
        pytest.param(
            message("r", after={"id": 7}), [Heard("project.task", 7)], id="a row that the connector read at its start"
        ),
        pytest.param(message("t"), [Heard("project.task")], id="the table was emptied"),
        pytest.param(message("m"), [], id="a message that somebody wrote into the log"),
        pytest.param(message("c", table="mail_message", after={"id": 7}), [], id="a table that does not concern us"),
        pytest.param(
            message("u", table="purchase_order_line", before={"id": 3, "order_id": 8}, after={"id": 3, "order_id": 9}),
            [Heard("purchase.order.line", 3), Heard("purchase.order", 8), Heard("purchase.order", 9)],
            id="a line moved: where it was and where it is",
        ),
        pytest.param(
            message("d", table="purchase_order_line", before={"id": 3, "order_id": None}),
            [Heard("purchase.order.line", 3)],
            id="of a row that went, only its key is known",
        ),
        pytest.param(
            message("u", after={"id": 7}, sequence='[null,"120420128"]'),
            [Heard(anew=True), Heard("project.task", 7)],
            id="the first change that a connector without a memory tells",
        ),
        pytest.param(
            message("u", table="mail_message", after={"id": 7}, sequence='[null,"120420128"]'),
            [Heard(anew=True)],
            id="whatever it concerns",
        ),
        pytest.param(
            message("u", after={"id": 7}, sequence='["120420128","120420300"]'),
            [Heard("project.task", 7)],
            id="one after another",
        ),
        pytest.param(b'{"ts_ms":1795722919574}', [Heard()], id="a sign of life"),
        pytest.param(None, [], id="a tombstone"),
    ],
)
def test_what_is_heard(value, heard):
    assert hear(value, TABLES) == heard


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\x00\x00\x00\x01Avro", id="Avro"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"schema": {}, "payload": {}}', id="JSON with schemas: another converter"),
        pytest.param(b'{"op": "c", "ts_ms": 1}', id="a change of no table"),
    ],
)
def test_what_debezium_cannot_have_sent_is_refused_with_what_to_do(value):
    with pytest.raises(PoisonMessage) as refused:
        hear(value, TABLES)
    assert "log-connector" in refused.value.remedy


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["op", "source", "before", "after", "table", "id", "ts_ms"]), x)
        ),
    )
)
def test_nothing_anybody_can_write_ends_in_anything_but_a_change_or_a_poison_message(value):
    try:
        heard = hear(json.dumps(value).encode(), TABLES)
    except PoisonMessage:
        return
    assert all(isinstance(one, Heard) for one in heard)


def test_rows_point_at_their_records_at_those_that_follow_them_and_at_those_they_are_a_part_of():
    mapping = ModelMapping(
        model="a.b",
        module="a",
        fields=(),
        entities=(),
        children=(Children("lines", "a.line", "parent", ("price",)),),
        follows=(Follow("a.line", "parent"), Follow("a.other", "parent")),
    )
    assert places([mapping]) == {
        "a_b": (Place("a.b", "id"),),
        "a_line": (Place("a.line", "id"), Place("a.b", "parent")),
        "a_other": (Place("a.other", "id"),),
    }


def test_the_connector_is_asked_for_every_captured_table_and_for_ids_alone():
    policy = CapturePolicy()
    asked = connector(mappings(policy), topic="odoo-log", database="firm", host="db", port=5432)
    tables = set(asked["table.include.list"].split(","))
    assert tables >= {f"public.{model.replace('.', '_')}" for model in captured_models(policy)}
    columns = asked["column.include.list"].replace("\\.", ".").split(",")
    assert {column.rpartition(".")[0] for column in columns} == tables
    assert all(re.search(r"\.(id|\w+_id)$", column) for column in columns)
    assert "password" not in asked["database.password"].removeprefix("${env:ODOO_LOG_PASSWORD}")
    assert re.fullmatch("[a-z0-9_]+", asked["slot.name"])
