"""What a wheel has beside the sources: the compiled hot path, where `make compiled` was run before; the wheel is then for one platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NOTE = "schemas/compiled/ahead/sources.json"


class CompiledHook(BuildHookInterface[Any]):
    """Adds extensions, which version control does not know."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built; an editable one takes everything from where it is."""
        root = Path(self.root)
        if version == "editable" or not (root / _NOTE).exists():
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"] += ["*.so", _NOTE]
        build_data["force_include"] |= {str(place): place.name for place in root.glob("burnline__mypyc*.so")}
