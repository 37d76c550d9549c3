"""Errors as Odoo tells them over RPC.

The name is the class a real server would have raised; a client sees it in `error.data.name` and reads `message`.
"""


class OdooError(Exception):
    """A refusal that travels to the caller in Odoo's own shape."""

    def __init__(self, name: str, message: str) -> None:
        """Keep the name of the class that the real server would raise, and its sentence."""
        super().__init__(message)
        self.name = name
        self.message = message


class StaleTransactionError(Exception):
    """A record changed after this transaction began: PostgreSQL would abort it, and Odoo would run it again."""


def value_error(message: str) -> OdooError:
    """A value, a field or a domain that the model does not know."""
    return OdooError("builtins.ValueError", message)


def user_error(message: str) -> OdooError:
    """A rule of the business that forbids the call."""
    return OdooError("odoo.exceptions.UserError", message)


def validation_error(message: str) -> OdooError:
    """A record that breaks a constraint of its model."""
    return OdooError("odoo.exceptions.ValidationError", message)


def missing(model: str, record_id: int, uid: int) -> OdooError:
    """A record that was never there, or is no longer."""
    return OdooError(
        "odoo.exceptions.MissingError",
        f"Record does not exist or has been deleted.\n(Record: {model}({record_id},), User: {uid})",
    )


def access_denied() -> OdooError:
    """A wrong login, password or user."""
    return OdooError("odoo.exceptions.AccessDenied", "Access Denied")
