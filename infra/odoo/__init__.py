"""Odoo over its RPC: one small interface, and the failures of a far server told as ours."""

from infra.odoo.client import OdooClient, connect

__all__ = ["OdooClient", "connect"]
