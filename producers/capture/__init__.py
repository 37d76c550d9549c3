"""Capture: what changes in Odoo becomes events on Kafka, each change once, whatever dies in between.

`run` is the whole interface. Reading, comparing and publishing are separate parts; what an event says is decided in
`producers.core`.
"""

from producers.capture.loop import run

__all__ = ["run"]
