"""The broker that Burnline brings along, for real: its data survives, its failures are explained, it leaves nothing behind."""

import functools
import http.server
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from burnline.commands import broker as command
from infra import embedded_kafka
from infra.embedded_kafka import EmbeddedKafka, choice
from infra.embedded_kafka.container import ContainerBroker
from infra.embedded_kafka.folder import usable
from infra.embedded_kafka.jars import KAFKA_VERSION, ready_jars
from infra.embedded_kafka.java import Runtime
from infra.embedded_kafka.lock import locked_jars
from infra.errors import Fatal
from infra.settings import load_settings

pytestmark = [pytest.mark.timeout(240)]
SILENT = functools.partial(lambda _: None)


@pytest.fixture(scope="session")
def cache_dir():
    return load_settings().broker.cache_dir


@pytest.fixture
def settings(tmp_path, cache_dir):
    """Settings of a broker of this test alone; whatever runs on them at the end is stopped."""
    own = {"port": 0, "data_dir": tmp_path / "kafka"}
    settings = load_settings().broker.model_copy(update=own)
    yield settings
    embedded_kafka.stop(settings)


@pytest.fixture
def broker(settings):
    broker = EmbeddedKafka(settings.data_dir, cache_dir=settings.cache_dir, maven_repository=settings.maven_repository)
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def used(tmp_path_factory, cache_dir):
    """A data folder that a broker has used and left in order."""
    folder = tmp_path_factory.mktemp("used") / "kafka"
    with EmbeddedKafka(folder, cache_dir=cache_dir, maven_repository=load_settings().broker.maven_repository):
        pass
    return folder


@pytest.fixture
def formatted(used, tmp_path):
    """A copy of it, to damage."""
    return shutil.copytree(used, tmp_path / "formatted")


def create(bootstrap, topic):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)


def produce(bootstrap, topic, values):
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(20) == 0


def consume(bootstrap, topic, count):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        return [message.value() for message in consumer.consume(count, timeout=20)]
    finally:
        consumer.close()


def gone(pid, seconds=30.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.drill
def test_what_was_acknowledged_survives_kill_9_and_a_new_port(broker):
    bootstrap = broker.start()
    first = broker.pid
    create(bootstrap, "kept")
    produce(bootstrap, "kept", [b"1", b"2", b"3"])

    broker.kill()
    assert gone(first)
    again = broker.start()

    assert consume(again, "kept", 3) == [b"1", b"2", b"3"]
    create(again, "later")
    produce(again, "later", [b"4"])
    assert consume(again, "later", 1) == [b"4"]


def test_the_broker_listens_on_loopback_only(broker):
    broker.start()

    listening = [c.laddr for c in psutil.Process(broker.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert len(listening) == 2
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_a_topic_that_nobody_created_does_not_appear(broker):
    bootstrap = broker.start()
    produce_error = []
    producer = Producer(
        {"bootstrap.servers": bootstrap, "message.timeout.ms": 3000, "topic.metadata.propagation.max.ms": 500}
    )
    producer.produce("misspelt", b"1", on_delivery=lambda error, _: produce_error.append(error))
    producer.flush(20)

    assert produce_error[0] is not None
    assert "misspelt" not in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics


@pytest.mark.drill
def test_the_broker_ends_with_a_parent_that_is_killed(settings):
    program = (
        "import sys; from pathlib import Path; from infra.embedded_kafka import EmbeddedKafka\n"
        "broker = EmbeddedKafka(Path(sys.argv[1]), cache_dir=Path(sys.argv[2])); broker.start()\n"
        "print(broker.pid, flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", program, str(settings.data_dir), str(settings.cache_dir)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.send_signal(signal.SIGKILL)

    assert gone(pid)
    assert embedded_kafka.running(settings) is None


def test_a_broker_in_the_background_is_found_used_and_stopped(settings):
    state, fresh = embedded_kafka.start(settings, SILENT)
    assert fresh
    assert embedded_kafka.start(settings, SILENT) == (state, False)
    assert embedded_kafka.running(settings) == f"127.0.0.1:{state.port}"
    with pytest.raises(Fatal, match=f"process {state.pid}"):
        EmbeddedKafka(
            settings.data_dir, cache_dir=settings.cache_dir, maven_repository=settings.maven_repository
        ).start()
    handle = embedded_kafka.choose(settings)
    assert (handle.kind, handle.version, handle.bootstrap_servers) == (
        "embedded",
        KAFKA_VERSION,
        f"127.0.0.1:{state.port}",
    )
    handle.stop()
    assert embedded_kafka.status(settings) == state, "what we found is not ours to stop"

    assert embedded_kafka.stop(settings) == state
    assert gone(state.pid)
    assert embedded_kafka.stop(settings) is None
    assert embedded_kafka.status(settings) is None


def test_a_state_file_that_names_a_stranger_harms_nobody(settings):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        settings.data_dir.mkdir()
        lie = {"pid": stranger.pid, "port": 9092, "started_at": "2026-01-01T00:00:00+00:00", "version": "4.1.1"}
        (settings.data_dir / "broker.json").write_text(json.dumps(lie))

        assert embedded_kafka.running(settings) is None
        assert embedded_kafka.stop(settings) is None
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_a_port_that_a_killed_broker_still_holds_for_a_moment_is_waited_for(settings):
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    threading.Timer(0.5, other.close).start()
    with EmbeddedKafka(settings.data_dir, port=port, cache_dir=settings.cache_dir) as kafka:
        assert kafka.port == port


def test_a_port_in_use_is_named(settings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Fatal, match=f"port {port} of 127.0.0.1 is in use") as failed:
            EmbeddedKafka(settings.data_dir, port=port, cache_dir=settings.cache_dir).start()
    assert "BURNLINE_BROKER__PORT" in failed.value.remedy


def test_a_folder_that_cannot_be_written_is_named(tmp_path, settings):
    (tmp_path / "file").touch()
    with pytest.raises(Fatal, match=r"cannot write in .*/file/kafka: not a directory") as failed:
        EmbeddedKafka(tmp_path / "file" / "kafka", cache_dir=settings.cache_dir).start()
    assert "BURNLINE_BROKER__DATA_DIR" in failed.value.remedy


def test_a_full_disk_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(Fatal, match=r"no space on the disk of .*: \d+ MB free, 1073741824 MB needed") as failed:
        usable(tmp_path, need=2**50)
    assert "free some space" in failed.value.remedy


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(
            lambda logs: (logs / "meta.properties").write_bytes(b"\x00\xffnonsense"), id="meta.properties is garbage"
        ),
        pytest.param(
            lambda logs: (logs / "meta.properties").write_text("version=7\n"), id="meta.properties of another version"
        ),
        pytest.param(lambda logs: (logs / "meta.properties").unlink(), id="meta.properties is gone"),
        pytest.param(
            lambda logs: (logs / "recovery-point-offset-checkpoint").write_text("x"), id="a checkpoint is garbage"
        ),
        pytest.param(
            lambda logs: (shutil.rmtree(logs / "__cluster_metadata-0"), (logs / "__cluster_metadata-0").touch()),
            id="a folder became a file",
        ),
    ],
)
def test_a_corrupt_data_folder_is_named_and_left_alone(formatted, cache_dir, damage):
    damage(formatted / "logs")
    with pytest.raises(Fatal, match=f"data folder {formatted} is damaged") as failed:
        EmbeddedKafka(formatted, cache_dir=cache_dir).start()
    assert "restore it from a copy" in failed.value.remedy
    assert (formatted / "logs").is_dir()


def test_an_interrupted_format_is_done_again(broker):
    broker.folder.root.mkdir()
    (broker.folder.root / "logs.new").mkdir()
    (broker.folder.root / "logs.new" / "half").touch()

    assert broker.start()
    assert not (broker.folder.logs / "half").exists()


def test_a_broker_that_dies_at_start_is_explained_and_leaves_nothing(formatted, cache_dir):
    broker = EmbeddedKafka(formatted, cache_dir=cache_dir, heap="2m")
    with pytest.raises(Fatal, match=r"could not get the broker's memory \(heap 2m\): \S") as failed:
        broker.start()
    assert "BURNLINE_BROKER__HEAP" in failed.value.remedy
    assert not broker.folder.state_file.exists()


def test_a_start_cache_that_is_garbage_costs_time_only(tmp_path, settings):
    ready_jars(settings.cache_dir, settings.maven_repository, SILENT)
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / f"kafka-{KAFKA_VERSION}").symlink_to(settings.cache_dir / f"kafka-{KAFKA_VERSION}")
    Runtime(cache, []).aot_cache.write_bytes(b"nonsense")

    with EmbeddedKafka(settings.data_dir, cache_dir=cache) as broker:
        assert embedded_kafka.running(settings) == broker.bootstrap_servers


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without Maven's or jgo's files."""
    for name in ("M2_REPO", "JGO_CONFIG_FILE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    (folder / ".m2").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def repository(tmp_path, cache_dir):
    """A Maven repository on loopback with the broker's jars: its folder, its URL and the paths that were asked for."""
    root = tmp_path / "maven"
    for jar, path in zip(
        locked_jars(), ready_jars(cache_dir, load_settings().broker.maven_repository, SILENT), strict=True
    ):
        target = root / Path(*jar.group.split(".")) / jar.artifact / jar.version / jar.name
        target.parent.mkdir(parents=True)
        target.symlink_to(path)
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield root, f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_without_network_the_first_use_says_what_to_do(tmp_path, home):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://user:hush@127.0.0.1:{closed.getsockname()[1]}/maven"
        with pytest.raises(Fatal, match=r"cannot fetch \S+\.jar from 127\.0\.0\.1: ") as failed:
            ready_jars(tmp_path / "cache", url, SILENT)
    assert "BURNLINE_BROKER__MAVEN_REPOSITORY" in failed.value.remedy
    assert "hush" not in str(failed.value)


def test_the_users_maven_mirror_is_used_and_nothing_is_fetched_twice(tmp_path, home, repository):
    _, url, asked = repository
    mirror = f"<mirror><mirrorOf>central</mirrorOf><url>{url}</url></mirror>"
    (home / ".m2" / "settings.xml").write_text(f"<settings><mirrors>{mirror}</mirrors></settings>")

    first = ready_jars(tmp_path / "cache", None, SILENT)
    assert len([path for path in asked if path.endswith(".jar")]) == len(first) == 46
    asked.clear()
    assert ready_jars(tmp_path / "cache", None, SILENT) == first
    assert asked == []


def test_an_interrupted_download_is_completed(tmp_path, home, repository):
    _, url, asked = repository
    cache = tmp_path / "cache"
    paths = ready_jars(cache, url, SILENT)
    (paths[0].parent / ".complete").unlink()
    paths[0].write_bytes(paths[0].read_bytes()[:1000])
    asked.clear()

    ready_jars(cache, url, SILENT)

    assert [Path(path).name for path in asked if path.endswith(".jar")] == [paths[0].name]
    assert paths[0].stat().st_size == locked_jars()[0].size


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path, home, repository):
    root, url, _ = repository
    jar = locked_jars()[0]
    served = next(root.rglob(jar.name))
    forged = b"\x00" * jar.size
    served.unlink()
    served.write_bytes(forged)

    with pytest.raises(Fatal, match=f"{jar.name} from 127.0.0.1 is not the published file"):
        ready_jars(tmp_path / "cache", url, SILENT)
    assert not (tmp_path / "cache" / f"kafka-{KAFKA_VERSION}" / jar.name).exists()


def test_a_broken_maven_settings_file_is_named(tmp_path, home):
    (home / ".m2" / "settings.xml").write_text("<settings>")
    with pytest.raises(Fatal, match=r"cannot read the Maven settings .*settings\.xml"):
        ready_jars(tmp_path / "cache", None, SILENT)


def test_a_configured_broker_is_used_and_never_stopped(kafka_bootstrap, settings):
    handle = embedded_kafka.choose(settings, configured=kafka_bootstrap)
    handle.stop()

    assert (handle.kind, handle.bootstrap_servers) == ("configured", kafka_bootstrap)
    assert AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=10).brokers
    assert not settings.data_dir.exists()


def test_a_configured_broker_that_is_silent_is_an_error_and_not_replaced(settings):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        bootstrap = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(Fatal, match=f"no Kafka broker answers on {bootstrap}") as failed:
            embedded_kafka.choose(settings, configured=bootstrap)
    assert "BURNLINE_KAFKA__BOOTSTRAP_SERVERS" in failed.value.remedy


def test_a_container_comes_before_the_embedded_broker(settings, monkeypatch):
    stopped = []
    container = ContainerBroker("127.0.0.1:1", "7.6.0", lambda: stopped.append(True))
    monkeypatch.setattr(choice, "container_broker", lambda progress: container)

    handle = embedded_kafka.choose(settings)
    handle.stop()

    assert (handle.kind, handle.version, handle.bootstrap_servers) == ("container", "7.6.0", "127.0.0.1:1")
    assert stopped
    assert not settings.data_dir.exists()


def test_without_a_container_engine_the_embedded_broker_is_started_and_stopped(settings, monkeypatch):
    monkeypatch.setattr(choice, "container_broker", lambda progress: None)

    handle = embedded_kafka.choose(settings)
    running = embedded_kafka.status(settings)
    handle.stop()
    handle.stop()

    assert (handle.kind, handle.version) == ("embedded", KAFKA_VERSION)
    assert running is not None
    assert embedded_kafka.status(settings) is None


def test_the_command_starts_shows_and_stops(settings, monkeypatch):
    monkeypatch.setenv("BURNLINE_BROKER__PORT", "0")
    monkeypatch.setenv("BURNLINE_BROKER__DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("BURNLINE_BROKER__CACHE_DIR", str(settings.cache_dir))
    monkeypatch.setattr("infra.logs.configure", SILENT)
    runner = CliRunner()

    def run(*words):
        result = runner.invoke(command.app, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout

    assert run("stop") == (0, "not running\n")
    assert run("status", "--json") == (1, json.dumps({"running": False, "data_dir": str(settings.data_dir)}) + "\n")
    code, text = run("start")
    pid = embedded_kafka.status(settings).pid
    assert (
        code,
        text.startswith(f"started: Apache Kafka {KAFKA_VERSION} on 127.0.0.1:"),
        f"process {pid}," in text,
    ) == (0, True, True)
    code, text = run("start", "--json")
    assert (code, json.loads(text)["pid"]) == (0, pid)
    code, text = run("status")
    assert (code, text.startswith("running: Apache Kafka")) == (0, True)
    assert run("stop") == (0, f"stopped: process {pid}\n")
    assert gone(pid)
    assert (settings.data_dir / "logs").is_dir()
