"""What commands print is what it says, whatever names are like."""

from __future__ import annotations

import pytest

from burnline.commands.output import print_rows


@pytest.mark.parametrize("name", ["[intern] Vertrieb", "Relaunch [/shop]", "[bold red]", "\\[x]"])
def test_a_name_that_looks_like_markup_is_shown_as_it_is(name, capsys):
    print_rows([{"subject": "odoo:db:project.project:1", "name": name}], json_=False, empty="")

    assert name in capsys.readouterr().out
