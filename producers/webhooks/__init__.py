"""The webhook server: signed deliveries become events, Odoo's unsigned posts become hints; both answered once Kafka has them."""

from producers.webhooks.server import serve

__all__ = ["serve"]
