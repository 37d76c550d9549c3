"""What subscribers read, made from the registry of topics and the Avro schemas: `python -m burnline.docs [--check]`.

Every file is a pure function of `schemas`, so that it cannot say anything else than what is published. `events` is the catalogue,
`index` the place to start, `pages` one page per topic, `asyncapi` and `contracts` the same for machines.
"""
