"""Readers and writers made from schemas: each Avro schema becomes one straight-line Python function, at its first use.

A library that walks the schema for every record spends most of its time on asking what comes next. Here the schema is asked
once; what is left is reading bytes. `docs/adr/0011` has the figures, the tests hold both against fastavro.
"""

from schemas.compiled.reading import Kept, Read, compile_reader
from schemas.compiled.resolution import Unresolvable
from schemas.compiled.values import Unreadable
from schemas.compiled.writing import Write, compile_writer

__all__ = ["Kept", "Read", "Unreadable", "Unresolvable", "Write", "compile_reader", "compile_writer"]
