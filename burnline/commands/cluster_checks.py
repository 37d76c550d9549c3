"""What `burnline doctor` asks of a cluster: topics as declared, and rights as the roles need them.

Everybody may ask what they themselves may do; the whole list of rights only who administers it.
"""

from __future__ import annotations

from burnline.commands.finding import Finding
from infra.kafka import acls, permissions
from infra.kafka import topics as cluster
from infra.kafka.changes import Kind
from infra.kafka.failures import Refused
from infra.settings import Settings
from schemas.topics import TOPICS

SHOWN = 4
APPLY = "run `burnline topics apply`"
PLAN = "`burnline topics plan` says what each of them needs"
PRUNE = f"{PLAN}; `burnline topics apply --prune` takes away what nobody declares"


def topics(settings: Settings) -> list[Finding]:
    """Whether the cluster has every topic as declared, and none of our domains beside them."""
    try:
        changes = cluster.plan(settings.kafka)
    except Refused:
        detail = f"{settings.kafka.sasl_username or 'this user'} may not see all topics and their settings"
        return [Finding("topics", "warning", detail, "run `burnline doctor` as the operator or the administrator, too")]
    beside = [change for change in changes if change.kind in {Kind.DELETE, Kind.RESET}]
    differing = [change for change in changes if change not in beside]
    findings = []
    if differing:
        names = _some(sorted({change.what for change in differing}))
        remedy = PLAN if all(change.refused for change in differing) else APPLY
        findings.append(Finding("topics", "failed", f"{len(differing)} differences, in {names}", remedy))
    else:
        findings.append(Finding("topics", "ok", f"all {len(TOPICS)} are there, as they should be"))
    if beside:
        names = ", ".join(f"{change.what} {change.item}".strip() for change in beside)
        findings.append(Finding("topics", "warning", f"nobody declares {names}", PLAN))
    return findings


def _some(names: list[str]) -> str:
    """The first few names, and how many more."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def access(settings: Settings) -> list[Finding]:
    """The whole list where it may be seen, and what the present user lacks."""
    seen = acls.sight(settings.kafka)
    if seen is acls.Sight.NO_AUTHORIZER:
        return [Finding("access", "ok", "the cluster has no authorizer: everybody may do everything")]
    listed = _listed(settings) if seen is acls.Sight.OPEN else []
    own = permissions.standing(settings)
    if own is not None and own.roles:
        return [*listed, _own(own)]
    if listed:
        return listed
    who = own.principal if own else "this user"
    remedy = "if a role is theirs, say so with BURNLINE_ACCESS__PRINCIPALS"
    return [Finding("access", "warning", f"{who} plays no role, so that nothing can be checked", remedy)]


def _listed(settings: Settings) -> list[Finding]:
    changes = acls.plan(settings) or []
    missing = [change for change in changes if change.kind is Kind.GRANT]
    if missing:
        first = f"{missing[0].what} may not {missing[0].item}"
        return [Finding("access", "failed", f"{len(missing)} rights are missing, the first: {first}", APPLY)]
    if changes:
        first = f"{changes[0].what} may {changes[0].item}"
        return [Finding("access", "warning", f"{len(changes)} rights are too many, the first: {first}", PRUNE)]
    return [Finding("access", "ok", "every role has the rights that it needs, and no more")]


def _own(own: permissions.Standing) -> Finding:
    name, played = f"access of {own.principal}", " and ".join(own.roles)
    if own.missing:
        return Finding(name, "failed", f"topics are missing: {', '.join(own.missing)}", APPLY)
    if own.lacking:
        rights = ", ".join(map(str, own.lacking))
        remedy = f"{APPLY} as the administrator, with the same BURNLINE_ACCESS__PRINCIPALS"
        return Finding(name, "failed", f"as {played} it must, and may not: {rights}", remedy)
    unasked = f"; not asked, since asking takes it: {', '.join(map(str, own.unasked))}" if own.unasked else ""
    return Finding(name, "ok", f"may do what {played} must{unasked}")
