"""`docs/privacy.md`: where what is about people stands, what an erasure removes, and what it leaves. From the registry and the schemas."""

from __future__ import annotations

import re
from typing import Any

from burnline.docs.model import kept
from schemas import privacy
from schemas.field_docs import field_doc
from schemas.shapes import names_of
from schemas.topics import TOPICS, Topic

PERSON_IDS = re.compile(r"\b(hr\.employee|res\.users|res\.partner) ids?\b")
PERSONS, ROWS_OF_PERSONS = ("employee", "partner"), "burnline.internal.ConsultantEntry"
HEAD = """# Data about people

Generated from `schemas/topics` and `schemas/avro` by `make docs`: do not edit.

A field of class *personal* stands on a compacted topic, where a tombstone erases it, or on a topic of class *personal*, which only those cleared for people may
read. What names a person outright stands on compacted topics only. A test holds every schema to that.
"""
ERASED = """## What an erasure removes

`burnline privacy erase <consultant> --reason …` writes a tombstone for every key of the person on these topics, has the brokers compact them, and reads the logs again
until nothing under these keys has a value.

| topic | key | personal fields |
|---|---|---|
"""
STAYS = """## What stays, and what it says

These topics keep history. They carry the person's number, and no name; once the name is erased here and in Odoo, the number leads to nobody.

| topic | class | kept | personal fields | numbers of people |
|---|---|---|---|---|
"""
DECIDED = """## Who decided

Who decided something in the firm's name stands with the decision for as long as the topic is kept, and is not erased: somebody has to answer for it.

| topic | fields | kept | read by |
|---|---|---|---|
"""
OPAQUE = """## What others said

These fields hold what came from outside, as it came. A name that a sender wrote into them stands there for as long as the topic is kept. An erasure looks for the person's
names in every record of every topic, and tells each place; here they count as documented, anywhere else as a finding.

| topic | fields | kept | read by |
|---|---|---|---|
"""
REST = """## Dead letters, logs, screens

- A record of a topic in the first table never travels in a dead letter: the letter has its place, its size and its digest, and no bytes of it, so that no letter outlives an
  erasure. Such a record is read again where it stands, or from Odoo.
- The bytes of other records of class *personal* are in their letters; `burnline dlq` shows them only with `--personal`. Who may read letters: [access.md](access.md).
- `burnline tail` and `burnline dlq` mask fields of class *personal*; `--personal` shows them.
- Logs mask what is named like a field of class *personal*, and whatever others said, at any depth.

## How to erase somebody

1. Erase or anonymise the person in Odoo: what Odoo still has, the next sweep publishes again.
2. Stop the streams (`burnline streams`, `burnline run`): their workers have the person's rows in memory. Restart capture and actions afterwards, for the same reason.
3. `burnline privacy erase odoo:<database>:hr.employee:<id> --reason "<number of the request>" --dry-run`, look, and then without `--dry-run`.
4. Start the streams. Run the command once more a day later: it writes nothing where nothing is left, and says so. Records of the streams' inputs that were not worked on in step 2
   may have brought rows back; it finds them.

To compact at once, the command sets `segment.ms`, `min.cleanable.dirty.ratio` and `min.compaction.lag.ms` of the topics for as long as it takes, which needs the right to alter them
(role `steward`). Without it: `--no-compact`, and run the command again after the brokers have compacted by themselves (at the latest `max.compaction.lag.ms` after the next
record in the segment, if that is set). Backups of the brokers' disks, and what subscribers keep, are theirs to erase: the tombstone on the topic tells them.

The reason is in the audit trail (`burnline trail list --kind erasure`), and in the tombstones' headers until the brokers drop these, after `delete.retention.ms`.
"""


def page() -> str:
    """The whole page."""
    topics = list(TOPICS.values())
    gone = [topic for topic in topics if privacy.erases(topic) and _keyed_by_person(topic)]
    erased = [_erased(topic) for topic in gone]
    stays = [_stays(topic) for topic in topics if topic not in gone and (_fields(topic) or _numbers(topic))]
    opaque = [_opaque(topic) for topic in topics if privacy.opaque(topic)]
    decided = [_decided(topic) for topic in topics if _deciders(topic)]
    parts = [
        HEAD,
        ERASED + "\n".join(erased) + "\n",
        STAYS + "\n".join(stays) + "\n",
        DECIDED + "\n".join(decided) + "\n",
        OPAQUE + "\n".join(opaque) + "\n",
        REST,
    ]
    return "\n".join(parts)


def _keyed_by_person(topic: Topic) -> bool:
    return topic.key in PERSONS or ROWS_OF_PERSONS in topic.rows


def _erased(topic: Topic) -> str:
    return f"| `{topic.name}` | {topic.key} | {_fields(topic)} |"


def _stays(topic: Topic) -> str:
    return (
        f"| `{topic.name}` | {topic.data_class} | {kept(topic)} | {_fields(topic) or '–'} | {_numbers(topic) or '–'} |"
    )


def _deciders(topic: Topic) -> str:
    return _listed(field.field for field in privacy.personal(topic) if field.decider)


def _decided(topic: Topic) -> str:
    return f"| `{topic.name}` | {_deciders(topic)} | {kept(topic)} | {', '.join(topic.readers)} |"


def _opaque(topic: Topic) -> str:
    fields = ", ".join(f"`{name}`" for name in privacy.opaque(topic))
    return f"| `{topic.name}` | {fields} | {kept(topic)} | {', '.join(topic.readers)} |"


def _fields(topic: Topic) -> str:
    return _listed(field.field for field in privacy.personal(topic) if not field.decider)


def _numbers(topic: Topic) -> str:
    return _listed(
        field["name"]
        for schema in privacy.records_of(topic)
        for named in names_of(schema).values()
        for field in named.get("fields", ())
        if PERSON_IDS.search(field_doc(field["doc"]).meaning)
    )


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))
