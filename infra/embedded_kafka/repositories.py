"""Which Maven repository the broker's jars come from: pure.

The order: the one that Burnline's settings name, and no other; the user's mirror of Maven Central; jgo's defaults with what the
user added to jgo's own configuration. No host name stands in this code.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

# Maven's patterns for "Central is among those this mirror serves"; an exclusion makes a mirror not serve it.
_SERVES_CENTRAL = frozenset({"*", "central", "external:*"})


def choose_repositories(setting: str | None, maven_settings: str | None, defaults: Mapping[str, str]) -> dict[str, str]:
    """Repositories by name, to be tried in order. `maven_settings` is the text of the user's `settings.xml`.

    Raises `ValueError` if that text is no XML.
    """
    if setting:
        return {"burnline": setting.rstrip("/")}
    mirror = central_mirror(maven_settings) if maven_settings else None
    return {"mirror": mirror} if mirror else dict(defaults)


def central_mirror(maven_settings: str) -> str | None:
    """The URL of the first mirror in a `settings.xml` that stands for Maven Central; None without one."""
    try:
        root = ET.fromstring(maven_settings)  # noqa: S314  the user's own file, which Maven trusts as well
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        patterns = {word.strip() for word in (mirror.findtext("{*}mirrorOf") or "").split(",")}
        url = (mirror.findtext("{*}url") or "").strip().rstrip("/")
        if url and patterns & _SERVES_CENTRAL and "!central" not in patterns:
            return url
    return None
