"""What a module does not define for itself."""

from tests.support.acting import firm, kafka, receiver

__all__ = ["firm", "kafka", "receiver"]
