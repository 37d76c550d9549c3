"""The action runner: alerts become work in Odoo, signed webhooks, mails and messages, by policy, each exactly as often as it should."""

from consumers.actions.run import run

__all__ = ["run"]
