"""An Odoo-shaped server over one SQLite file, and a simulated firm that works in it.

It stands in for Odoo where none is at hand. What it answers is held against a real Odoo 19 by one contract suite that
both must pass, so that it cannot drift into fiction. It listens on loopback only and is not for production.
"""

from infra.embedded_odoo.handle import EmbeddedOdoo

__all__ = ["EmbeddedOdoo"]
