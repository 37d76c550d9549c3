"""The action runner: alerts become Odoo activities, signed webhooks and log lines, by policy, each exactly as often as it should."""

from consumers.actions.run import run

__all__ = ["run"]
