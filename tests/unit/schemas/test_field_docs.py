"""What a program reads out of a field's doc."""

from __future__ import annotations

import pytest

from schemas.field_docs import FieldDoc, field_doc, named_sources


@pytest.mark.parametrize(
    ("doc", "parts"),
    [
        pytest.param(
            "Time worked. Unit: minutes. Source: `account.analytic.line.unit_amount` × 60. Never null.",
            FieldDoc("Time worked.", "minutes", "`account.analytic.line.unit_amount` × 60", None, None),
            id="all parts of a field that is never missing",
        ),
        pytest.param(
            "Agreed date. Source: `project.milestone.deadline`. Null: none is set.",
            FieldDoc("Agreed date.", None, "`project.milestone.deadline`", "none is set", None),
            id="why it may be missing",
        ),
        pytest.param(
            "Accounts. Source: the order. Never null; empty where there are none.",
            FieldDoc("Accounts.", None, "the order", None, "empty where there are none"),
            id="when a list is empty",
        ),
        pytest.param(
            "Bucket, for example 31-60. It grows. Source: days, e.g. of the tick. Never null.",
            FieldDoc("Bucket, for example 31-60. It grows.", None, "days, e.g. of the tick", None, None),
            id="full stops within a part",
        ),
        pytest.param(
            "Just a sentence.",
            FieldDoc("Just a sentence.", None, None, "", None),
            id="a doc without parts says neither that it may be missing nor that it may not",
        ),
        pytest.param("", FieldDoc("", None, None, "", None), id="no doc"),
    ],
)
def test_a_doc_has_parts(doc, parts):
    assert field_doc(doc) == parts


@pytest.mark.parametrize(
    ("source", "names"),
    [
        pytest.param("`hr.employee.skill.valid_to`", ["hr.employee.skill.valid_to"], id="a field of a long model"),
        pytest.param("leave for `hr.leave`, else none", ["hr.leave"], id="a model alone"),
        pytest.param(
            "`burnline.finance.Invoice.total` less `burnline.finance.Invoice.residual`",
            ["burnline.finance.Invoice.total", "burnline.finance.Invoice.residual"],
            id="other contracts, in the order of the text",
        ),
        pytest.param("budget × rate of `currency`", [], id="a field beside it is no source of another system"),
    ],
)
def test_a_source_names_fields(source, names):
    assert named_sources(source) == names
