"""The assistant: it reads alerts and invoices, and proposes to people. It imports nothing that acts, and its principal may write proposals only."""

from consumers.assist.run import run

__all__ = ["run"]
