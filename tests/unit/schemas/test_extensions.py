"""The compiled hot path: never of another source than the one beside it, and the readers made ahead are those of the text at hand."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from schemas import codec, extensions
from schemas.compiled.source import AHEAD, fingerprint, finished
from schemas.errors import Fatal
from streams.core import step
from streams.engine import batch


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source of which something was compiled."""
    monkeypatch.setattr(extensions, "ROOT", tmp_path)
    monkeypatch.setattr(extensions, "_NOTE", tmp_path / "sources.json")
    source = tmp_path / "hot.py"
    source.write_text("fast = True")
    extensions.note([source])
    return source


def test_what_was_compiled_of_these_sources_is_used(beside):
    extensions.refuse_stale()
    assert extensions.are_used()


def test_where_nothing_was_compiled_there_is_nothing_to_refuse(beside):
    (beside.parent / "sources.json").unlink()
    beside.write_text("fast = False")
    extensions.refuse_stale()
    assert not extensions.are_used()


def test_what_was_compiled_of_nobody_knows_what_is_refused(beside):
    """A compilation that is killed has put extensions in place and noted nothing."""
    (beside.parent / "sources.json").unlink()
    (beside.parent / "burnline__mypyc.cpython-311-x86_64-linux-gnu.so").touch()
    with pytest.raises(Fatal, match="compiling was interrupted") as refused:
        extensions.refuse_stale()
    assert "make pure" in refused.value.remedy


def test_a_source_that_changed_since_is_refused_with_what_to_do(beside):
    beside.write_text("fast = False")
    with pytest.raises(Fatal, match=r"hot\.py has changed since it was compiled") as refused:
        extensions.refuse_stale()
    assert "make pure" in refused.value.remedy


def test_the_modules_are_extensions_where_they_were_compiled_and_sources_elsewhere():
    suffixes = {Path(sys.modules[part.__module__].__file__ or "").suffix for part in (step, batch.Batch, codec.encode)}
    assert suffixes == {".so" if extensions.are_used() else ".py"}


def test_a_text_that_was_made_ahead_is_not_made_again(monkeypatch):
    text = "def root(): return 'made now'"
    made = ModuleType("made")
    vars(made)["root"] = lambda: "made ahead"
    monkeypatch.setitem(sys.modules, f"{AHEAD}.{fingerprint(text)}", made)
    assert finished(text, "root")() == "made ahead"


def test_another_text_has_another_name_and_is_made():
    text = "def root(): return 'made now'"
    assert fingerprint(text) != fingerprint(f"{text} ")
    assert finished(text, "root")() == "made now"
