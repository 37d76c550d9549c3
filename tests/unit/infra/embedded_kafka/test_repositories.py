"""A repository or mirror that the user configured is used, and no other."""

import pytest

from infra.embedded_kafka.repositories import central_mirror, choose_repositories

DEFAULTS = {"central": "https://central.invalid"}


def settings(*mirrors, namespace=' xmlns="http://maven.apache.org/SETTINGS/1.2.0"'):
    inner = "".join(f"<mirror><mirrorOf>{of}</mirrorOf><url>{url}</url></mirror>" for of, url in mirrors)
    return f"<settings{namespace}><mirrors>{inner}</mirrors></settings>"


MIRROR = "https://mirror.invalid/maven"


@pytest.mark.parametrize(
    ("text", "mirror"),
    [
        pytest.param(settings(("central", MIRROR)), MIRROR, id="a mirror of Central"),
        pytest.param(settings(("*", MIRROR + "/")), MIRROR, id="a mirror of everything, its slash dropped"),
        pytest.param(settings(("external:*", MIRROR)), MIRROR, id="a mirror of all that is not local"),
        pytest.param(settings(("other, central", MIRROR)), MIRROR, id="a list that names Central"),
        pytest.param(settings(("*,!central", MIRROR)), None, id="a mirror of everything but Central"),
        pytest.param(settings(("other", MIRROR)), None, id="a mirror of another repository"),
        pytest.param(settings(("other", "https://x.invalid"), ("central", MIRROR)), MIRROR, id="the first that fits"),
        pytest.param(settings(("central", MIRROR), namespace=""), MIRROR, id="a file without a namespace"),
        pytest.param(settings(), None, id="no mirror"),
    ],
)
def test_the_mirror_of_central_in_maven_settings(text, mirror):
    assert central_mirror(text) == mirror


@pytest.mark.parametrize(
    ("setting", "text", "chosen"),
    [
        pytest.param(
            "https://own.invalid/", settings(("*", MIRROR)), {"burnline": "https://own.invalid"}, id="our setting wins"
        ),
        pytest.param(None, settings(("*", MIRROR)), {"mirror": MIRROR}, id="then the mirror, alone"),
        pytest.param(None, settings(), DEFAULTS, id="then the defaults"),
        pytest.param(None, None, DEFAULTS, id="no Maven settings at all"),
    ],
)
def test_the_order_of_choice(setting, text, chosen):
    assert choose_repositories(setting, text, DEFAULTS) == chosen


def test_broken_maven_settings_are_not_passed_over():
    with pytest.raises(ValueError, match="no element found"):
        central_mirror("<settings><mirrors>")
