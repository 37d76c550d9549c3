"""A runner that kills itself at the point of a delivery that POINT names: to stand before the program of one."""

DEADLY = """
import os, signal, sys
import consumers.actions
from consumers.actions.journal import Journal
runs = sys.modules["consumers.actions.run"]
point, made, write = os.environ.pop("POINT"), runs.targets_of, Journal.write

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Deadly:
    def __init__(self, target):
        self.target, self.idempotent, self.check, self.close = target, target.idempotent, target.check, target.close
    async def act(self, planned):
        if point == "before the call":
            die()
        reference = await self.target.act(planned)
        if point == "before the record":
            die()
        return reference

async def deadly_write(self, topic, event):
    await write(self, topic, event)
    if point == "after the record" and event["current"]["status"] == "succeeded":
        die()

Journal.write = deadly_write
runs.targets_of = lambda *given: {kind: Deadly(target) for kind, target in made(*given).items()}
"""
POINTS = ("before the call", "before the record", "after the record")
