"""The governance monitors: small pure processors over facts, all in one table, all hosted by one processor."""
