"""The contracts: Avro schemas, the typed records made from them, the registry of topics, and the codec.

Everything else depends on this package, and it depends on nothing of ours. Schemas stand in `avro/`; `records` and `wire`
are generated from them.
"""

from schemas import extensions

extensions.refuse_stale()
