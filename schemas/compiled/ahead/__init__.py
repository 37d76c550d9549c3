"""Readers and writers of the records that are most of the traffic, as machine code, where it was made (`make compiled`); else empty."""
