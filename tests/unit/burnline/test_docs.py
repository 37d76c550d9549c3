"""Generated documentation is whole, current, and true to the registry and the schemas."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import fastavro
import pytest
import yaml
from fastavro.schema import parse_schema, to_parsing_canonical_form

from burnline.docs import __main__ as command
from burnline.docs import access, asyncapi, consumer, contracts, events, files, index, pages, samples
from burnline.docs.model import ROOT, Version, bare, public_topics, rows, schema_of, short, state_of, versions
from burnline.docs.text import as_yaml, compact
from infra.kafka.access import Operation, Resource, Right, rights
from schemas import codec, event_types
from schemas.errors import Fatal
from schemas.topics import TOPICS, Topic, topic
from tests.support.pages import ends, read_page
from tests.support.registry import registry

PUBLIC = public_topics()
each_topic = pytest.mark.parametrize("contract", PUBLIC, ids=lambda contract: contract.name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which one file is current, one stale, one missing and one left over."""
    own = tmp_path / "topics"
    own.mkdir()
    (own / "current.md").write_text("as it is\n")
    (own / "stale.md").write_text("as it was\n")
    (own / "gone.md").write_text("of a topic that is gone\n")
    wanted = {own / name: "as it is\n" for name in ("current.md", "stale.md", "missing.md")}
    monkeypatch.setattr(command, "generated", lambda: wanted)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(files, "OWN", (own,))
    return own


def test_a_check_names_every_file_that_is_not_current(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "topics/stale.md is stale",
        "topics/missing.md is stale",
        "topics/gone.md is about a topic that is gone",
        "remedy: run `make docs`, and commit what it writes",
    ]
    assert (folder / "stale.md").read_text() == "as it was\n"


def test_writing_makes_all_current_and_removes_what_is_left_over(folder: Path) -> None:
    assert command.main([]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["current.md", "missing.md", "stale.md"]
    assert command.main(["--check"]) == 0


def test_a_line_end_of_another_system_is_a_difference(folder: Path) -> None:
    command.main([])
    (folder / "current.md").write_bytes(b"as it is\r\n")
    assert command.main(["--check"]) == 1


@pytest.mark.parametrize("seed", ["1", "2"])
def test_everything_generated_is_current_whatever_the_order_of_sets(seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "burnline.docs", "--check"],
        env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_what_cannot_be_documented_is_told_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_released() -> NoReturn:
        raise Fatal("a schema was never released", remedy="release it")

    monkeypatch.setattr(command, "generated", not_released)
    assert command.main([]) == 1
    assert capsys.readouterr().err == "error: a schema was never released\nremedy: release it\n"


def test_every_link_leads_somewhere() -> None:
    broken = []
    for path in (path for path in files.generated() if path.suffix == ".md"):
        for target, _, anchor in re.findall(r"\]\(([^)#\s]+)(#([\w-]+))?\)", path.read_text()):
            found = path.parent / target
            if not found.exists() or (anchor and anchor not in _anchors(found)):
                broken.append(f"{path.name}: {target}#{anchor}")
    assert broken == []


def _anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_a_topic_that_ends_says_so_everywhere() -> None:
    end, successor = "2026-10-01", "some.thing.v2"
    found = ends(topic("delivery.timesheet.v1"))
    made = {
        "page": pages.page(found),
        "catalogue": events.section(found),
        "index": index.line(found),
        "contract": contracts.contract(found),
        "asyncapi": asyncapi.document([found]),
    }
    assert {name for name, text in made.items() if end in text and successor in text} == set(made)
    assert yaml.safe_load(made["contract"])["status"] == "deprecated"
    assert {"name": "deprecated"} in yaml.safe_load(made["asyncapi"])["channels"][found.name]["tags"]
    assert "eprecated" not in pages.page(topic("delivery.timesheet.v1"))


def test_every_header_of_a_record_is_in_asyncapi() -> None:
    for found in (*PUBLIC, ends(PUBLIC[0])):
        declared = yaml.safe_load(asyncapi.document([found]))["components"]["messages"][found.name]["headers"]
        assert set(samples.headers(found)) <= set(declared["properties"])
        assert set(declared["required"]) <= set(samples.headers(found))


def test_a_program_that_knows_two_versions_reads_both_as_the_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one lacks a field, and the newer one that field's default is taken for it."""
    found = topic("delivery.milestone.v1")
    newer = versions(found)[-1]
    older = json.loads(json.dumps(newer.schema))
    state = next(field for field in older["fields"] if field["name"] == "previous")["type"][1]
    state["fields"] = [field for field in state["fields"] if field["name"] != "company_id"]
    known = [Version(1, "1.avsc", older), Version(2, "2.avsc", newer.schema)]
    for version in known:
        (tmp_path / version.path).write_text(json.dumps(version.schema))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(consumer, "versions", lambda _: known)
    names: dict[str, Any] = {}
    exec(consumer.python(found).partition("settings = ")[0], names)  # noqa: S102  to run it is the point

    event = samples.sample(found)
    for number, version in ((1, older), (2, newer.schema)):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(version), event)
        current = names["decode"](codec.HEADER.pack(0, number) + out.getvalue())["current"]
        assert current == {**event["current"], **({"company_id": None} if number == 1 else {})}


def test_a_program_may_ask_a_registry_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    (lookup,) = re.findall(r"```python\n(.*?)\n```", (files.DOCS / "README.md").read_text(), re.DOTALL)
    found = topic("delivery.timesheet.v1")
    page = read_page(found.name)
    head = page.program.partition("settings = ")[0]
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    with registry() as address:
        exec(head.replace("SCHEMAS[number]", "schema(number)") + lookup.replace(consumer.REGISTRY, address), names)  # noqa: S102  to run it is the point
        names["SCHEMAS"] = {versions(found)[-1].number: None}  # nothing that it could be read with
        event = names["decode"](bytes.fromhex(page.digits))
    assert json.loads(json.dumps(event, default=names["plain"])) == page.sample


@each_topic
def test_a_program_may_do_what_it_does_on_a_cluster_with_rights(contract: Topic) -> None:
    role = consumer.role(contract)
    if role is None:
        assert not {"analytics", "people-analytics"} & set(contract.readers)
        return
    given = rights(TOPICS.values(), access.AS_SHIPPED)[role]
    assert Right(Resource.TOPIC, contract.name, Operation.READ) in given
    groups = [right.name for right in given if (right.resource, right.operation) == (Resource.GROUP, Operation.READ)]
    assert consumer.group(contract).startswith(tuple(groups))
    assert f'"{consumer.group(contract)}"' in read_page(contract.name).program


def test_every_event_type_is_described_and_nothing_else_is() -> None:
    for contract in PUBLIC:
        assert all(event_types.meaning(contract, verb) for verb in contract.verbs)
    declared = {name: set(contract.verbs) for name, contract in TOPICS.items()}
    assert [name for name, told in event_types.MEANINGS.items() if not set(told) <= declared.get(name, set())] == []


def test_an_event_type_without_a_description_says_where_to_write_it() -> None:
    with pytest.raises(Fatal, match=r"delivery\.timesheet\.blessed\.v1"):
        event_types.meaning(_with_verb(topic("delivery.timesheet.v1"), "blessed"), "blessed")


def _with_verb(contract: Topic, verb: str) -> Topic:
    return Topic(
        contract.name, contract.record, contract.key, contract.process, contract.owner, contract.data_class, (verb,)
    )


@each_topic
def test_a_sample_is_valid_and_comes_back_as_it_went(contract: Topic) -> None:
    assert codec.decode(samples.encoded(contract)) == (contract.record, samples.sample(contract))


@each_topic
def test_a_sample_is_coherent(contract: Topic) -> None:
    event = samples.sample(contract)
    meta, current, previous = event["meta"], event["current"], event.get("previous")
    assert meta["event_type"] in [contract.event_type(verb) for verb in contract.verbs]
    if previous is not None:
        assert event["changed"] == [name for name in current if current[name] != previous[name]] != []
        assert meta["version"] > 1
    if short(state_of(contract)["name"]) not in samples._table()["meta"]:
        assert re.fullmatch(rf"odoo:firm:[a-z.]+:{next(iter(current.values()))}", meta["subject"])


def test_the_table_of_samples_names_nothing_that_is_gone() -> None:
    table = samples._table()
    fields = {short(state_of(contract)["name"]): {row.path for row in rows(state_of(contract))} for contract in PUBLIC}
    everywhere = set().union(*fields.values())
    assert set(table["any"]) <= everywhere
    for name, found in [*table["records"].items(), *table["before"].items()]:
        assert set(found) <= fields[name], name
    assert set(table["meta"]) <= set(fields)


@pytest.mark.parametrize(
    ("kind", "doc", "value"),
    [
        pytest.param("string", "Rule that speaks, for example budget_burn.hours.", "budget_burn.hours", id="as told"),
        pytest.param(["null", "string"], "Levels, for example hours:90, cost:50.", "hours:90", id="the first of some"),
        pytest.param(["null", "string"], "Nothing to go by.", None, id="null where it may be"),
        pytest.param("string", "Nothing to go by.", "example", id="a word"),
        pytest.param("long", "A number.", 1, id="a number"),
        pytest.param({"type": "array", "items": "long"}, "Some.", [], id="an empty list"),
        pytest.param({"type": "enum", "name": "E", "symbols": ["unknown", "a"]}, "One.", "a", id="a known symbol"),
    ],
)
def test_a_field_that_nobody_gave_a_sample_takes_what_its_schema_says(kind: Any, doc: str, value: object) -> None:
    assert samples._unknown(kind, doc) == value


@each_topic
def test_a_schema_without_its_descriptions_reads_the_same_bytes(contract: Topic) -> None:
    whole = schema_of(contract)
    assert to_parsing_canonical_form(parse_schema(bare(whole))) == to_parsing_canonical_form(parse_schema(whole))


@each_topic
def test_a_program_imports_nothing_of_ours(contract: Topic) -> None:
    nodes = list(ast.walk(ast.parse(read_page(contract.name).program)))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported - sys.stdlib_module_names == {"confluent_kafka", "fastavro"}


def test_text_is_the_same_for_whatever_looks_alike() -> None:
    twice = {"a": 1}
    assert as_yaml({"z": twice, "a": twice, "t": "one\ntwo\n"}) == "z:\n  a: 1\na:\n  a: 1\nt: |\n  one\n  two\n"
    assert compact({"a": [1, 2]}) == '{"a": [1, 2]}'
    assert compact({"a": ["x" * 100, "y" * 100]}) == f'{{\n  "a": [\n    "{"x" * 100}",\n    "{"y" * 100}"\n  ]\n}}'
