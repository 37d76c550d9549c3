"""The simulated firm: thirty consultants, twelve projects, half a year of history, and work that goes on.

`days`, `people`, `history`, `money` and `live` are pure: a seed and a day give the same firm. `worker` is the shell that
writes it and lets it live at a given rate.
"""

from infra.embedded_odoo.firm.worker import Firm

__all__ = ["Firm"]
