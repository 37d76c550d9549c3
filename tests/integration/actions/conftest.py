"""What tests of targets and of delivery share."""

import ssl

import pytest
import trustme

from infra.odoo import connect
from infra.settings import OdooSettings
from tests.support.mail import MailServer


@pytest.fixture
def mail_server():
    with MailServer() as made:
        yield made


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority, and the file with its certificate."""
    made = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path


@pytest.fixture(scope="session")
def certified(authority):
    """A server's side of TLS, with a certificate for a name."""

    def make(name="127.0.0.1"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority[0].issue_cert(name).configure_cert(context)
        return context

    return make


@pytest.fixture(scope="module")
def odoo_settings(real_odoo):
    return OdooSettings(
        url=real_odoo.url, db=real_odoo.db, user=real_odoo.user, password=real_odoo.password, timeout=30
    )


@pytest.fixture(scope="module")
def odoo(odoo_settings):
    return connect(odoo_settings)


@pytest.fixture
def project(odoo):
    """A project of the test's own."""
    [made] = odoo.call("project.project", "create", vals_list=[{"name": "actions", "user_id": 2}])
    yield made
    for model in ("project.task", "mail.activity"):
        field = "project_id" if model == "project.task" else "res_id"
        odoo.call(model, "unlink", odoo.search(model, [(field, "=", made)]))
    odoo.call("project.project", "unlink", [made])
