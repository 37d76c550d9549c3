"""How SQL statements are put together here.

Names of tables and columns come from the declared models alone; whatever a caller sends travels as a parameter.
"""


def statement(*words: str) -> str:
    """A statement of these words."""
    return " ".join(words)
