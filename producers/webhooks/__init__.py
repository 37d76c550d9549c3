"""The webhook server: signed deliveries become events, Odoo's unsigned posts become hints; answered once the disk has them, sent on to Kafka."""

from producers.webhooks.server import serve

__all__ = ["serve"]
