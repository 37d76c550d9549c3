"""Rebuild: the states again from the beginning of history, by the same pure functions, beside the workers.

`recompute` works in memory and publishes nothing; `swap` puts what differs in the place of what was, in one transaction.
"""
