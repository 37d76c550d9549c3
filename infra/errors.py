"""The failure taxonomy, for everything above `schemas`, where it is defined so that the pure cores can use it too."""

from schemas.errors import BurnlineError, Fatal, PoisonMessage, Transient

__all__ = ["BurnlineError", "Fatal", "PoisonMessage", "Transient"]
