"""The schema registry: one interface, and two adapters behind it.

`open_registry` gives the one that the settings name: any that speaks as Confluent's does, or the bundled one, which is the released
files and needs no server. `survey` and `publish` bring it in line with the releases.
"""

from infra.registry.bundled import BundledRegistry
from infra.registry.confluent import ConfluentRegistry
from infra.registry.contract import Incompatible, Registered, Registry
from infra.registry.publish import Line, numbered_otherwise, publish, survey
from infra.settings import RegistrySettings
from schemas import released

__all__ = [
    "BundledRegistry",
    "ConfluentRegistry",
    "Incompatible",
    "Line",
    "Registered",
    "Registry",
    "numbered_otherwise",
    "open_registry",
    "publish",
    "survey",
]


def open_registry(settings: RegistrySettings) -> Registry:
    """The registry of these settings; nothing is asked of it yet. Raises `Fatal` for settings that make no sense."""
    return BundledRegistry(released.index()) if settings.url is None else ConfluentRegistry(settings)
