"""The programs on the pages: a consumer in Python that imports nothing of Burnline, and calls of kcat.

`SERVERS`, `SERVICE` and `REGISTRY` are what a reader replaces, and so does a test, which runs every program against a real broker.
"""

from __future__ import annotations

from burnline.docs.model import versions
from schemas.topics import CLEARED, DATA_TEAMS, Topic

SERVERS = "localhost:9092"
SERVICE = "my-service"
REGISTRY = "http://localhost:8081"

HEAD = """\
import io
import json
import struct

import fastavro
from confluent_kafka import Consumer, KafkaException

SCHEMAS = {{  # by the number that each record carries
{schemas}
}}


def decode(value):
    _zero, number = struct.unpack(">bI", value[:5])
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), SCHEMAS[number], SCHEMAS[{newest}])


def plain(value):
    return value.hex() if isinstance(value, bytes) else str(value)


def handle(event):  # yours; after a crash it gets the last events again
    print(json.dumps(event, default=plain, ensure_ascii=False))
"""
ERASE = """

def erase(key):  # yours; a tombstone: delete whatever you keep under this key
    print(json.dumps({"erased": key}))
"""
LOOP = """

settings = {{
    "bootstrap.servers": "{servers}",
    "group.id": "{group}",
    "isolation.level": "read_committed",  # nothing that a transaction takes back
    "auto.offset.reset": "earliest",  # a new group begins with the oldest record
    "enable.auto.commit": False,  # what was handled is committed, not what was fetched
}}
consumer = Consumer(settings)
consumer.subscribe(["{topic}"])
try:
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
{dispatch}
        consumer.commit(message, asynchronous=False)  # for speed: every few hundred records
finally:
    consumer.close()"""
LOOKUP = f"""\
import functools
import urllib.request


@functools.cache
def schema(number):
    with urllib.request.urlopen(f"{REGISTRY}/schemas/ids/{{number}}") as answer:
        return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))"""
"""What a program needs besides to ask a schema registry for a schema."""
DISPATCH = "        handle(decode(message.value()))"
DISPATCH_WITH_TOMBSTONES = """\
        if message.value() is None:
            erase(message.key().decode())
        else:
            handle(decode(message.value()))"""


def role(topic: Topic) -> str | None:
    """The role that a subscriber of another team plays; none where the topic is for Burnline's own programs and operators."""
    return next((role for role in (DATA_TEAMS, CLEARED) if role in topic.readers), None)


def group(topic: Topic) -> str:
    """A group that this role may use, and that no other page's program uses."""
    return ".".join(part for part in (role(topic), SERVICE, topic.name) if part)


def python(topic: Topic) -> str:
    """A consumer of the topic; run where the paths of the schemas begin."""
    known = versions(topic)
    schemas = (f'    {version.number}: fastavro.schema.load_schema("{version.path}"),' for version in known)
    head = HEAD.format(schemas="\n".join(schemas), newest=known[-1].number)
    dispatch = DISPATCH_WITH_TOMBSTONES if topic.compacted else DISPATCH
    loop = LOOP.format(servers=SERVERS, group=group(topic), topic=topic.name, dispatch=dispatch)
    return head + (ERASE if topic.compacted else "") + loop


def _kcat(topic: Topic, more: str) -> str:
    parts = (
        f"kcat -C -b {SERVERS} -t {topic.name}",
        "-X isolation.level=read_committed -o beginning -e",
        more,
    )
    return " \\\n    ".join(parts)


def kcat_headers(topic: Topic) -> str:
    """A call of kcat that shows time, key and headers of every record."""
    return _kcat(topic, r"-f '%T %k %h\n'")


def kcat_bytes(topic: Topic) -> str:
    """A call of kcat that shows the bytes of the first record, as the pages do."""
    return _kcat(topic, "-c 1 -D '' -f '%s' | xxd -p -c 32")


def kcat_decoded(topic: Topic) -> str:
    """A call of kcat that decodes every record by a schema registry."""
    return _kcat(topic, f"-s value=avro -r {REGISTRY}")
