"""What commands print is what it says, whatever names are like."""

from __future__ import annotations

import pytest

from burnline.commands.output import print_rows


@pytest.mark.parametrize("name", ["[intern] Vertrieb", "Relaunch [/shop]", "[bold red]", "\\[x]"])
def test_a_name_that_looks_like_markup_is_shown_as_it_is(name, capsys):
    print_rows([{"subject": "odoo:db:project.project:1", "name": name}], json_=False, empty="")

    assert name in capsys.readouterr().out


def test_an_id_stands_whole_however_narrow_the_terminal_is(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    identity = "9d1c4f6e-8a3b-5f0d-b1c7-2f4f6a1be0aa"
    words = "something that takes more room than there is beside it"
    print_rows([{"what": words, "why": words, "id": identity}], json_=False, empty="")
    assert identity in capsys.readouterr().out
