"""Laws of what routing saves: it decodes some fields only, and encodes an entry once for two subjects; neither may be seen in what comes of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from schemas import catalogue, codec
from schemas.errors import PoisonMessage
from schemas.events import MIRRORED
from schemas.topics import topic
from streams import core
from streams.core.routes.timesheets import READS
from tests.support import avro


@pytest.mark.parametrize("name", READS)
def test_what_is_not_decoded_is_not_missed(name):
    record = topic(name).record
    partly = codec.decoder(READS[name])

    @settings(max_examples=200)
    @given(avro.values(catalogue.load(record)))
    def check(value):
        data = codec.encode(record, value)
        whole, (found, part) = codec.decode_wire(data), partly(data)
        assert found == whole.name
        assert routed(name, part) == routed(name, whole.value)
        assert all(part["meta"][field] == whole.value["meta"][field] for field in MIRRORED.values())

    check()


@settings(max_examples=100)
@given(avro.values(catalogue.load("burnline.delivery.TimesheetEvent")))
def test_a_twin_is_sealed_as_if_it_were_alone(value):
    event = codec.decode_wire(codec.encode("burnline.delivery.TimesheetEvent", value)).value
    found = routed("delivery.timesheet.v1", event)
    for one, other in pairwise(found) if isinstance(found, list) else ():
        if other.twin:
            alone = codec.encode_wire(other.kind, other.entry)
            assert codec.with_first_text(codec.encode_wire(one.kind, one.entry), other.subject) == alone


def routed(name, event):
    try:
        return list(core.route(name, event))
    except PoisonMessage as error:
        return str(error)
