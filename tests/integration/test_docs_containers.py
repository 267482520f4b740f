"""The shop's Compose file and manifests: valid by schema, and in agreement with one another and the image."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from garrison import Health, Server, Settings
from garrison.preflight import examine
from garrison.settings import load
from tests.integration.documents import DOCS
from tests.integration.shop import GUARD, SHOP, environment
from tests.integration.shop_places import MANIFESTS, compose, instruction, manifest, pod, settings_of

PAGE = DOCS / "how-to" / "containers.md"
BIN = Path(sys.executable).parent
# What the page leaves to the app's own shutdown.
SHUTDOWN = 5


def told_in(place: str, folder: Path) -> dict[str, str]:
    """What Garrison is told in one of the places, with the secrets in a folder of the test's."""
    (folder / "garrison").write_text("g" * 32, encoding="utf-8")
    found = settings_of(place).items()
    return {
        name: text.replace("/run/secrets", str(folder))
        for name, text in found
        if name.startswith("GARRISON_")
    }


def test_the_compose_file_is_valid() -> None:
    """By the schema of the Compose specification."""
    words = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(words, cwd=SHOP, capture_output=True, text=True, timeout=GUARD, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_manifests_are_valid(file: Path) -> None:
    """By the schemas of Kubernetes, where an unknown key is an error too."""
    for resource in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        kubernetes_validate.validate(resource, "1.34", strict=True)


@pytest.mark.parametrize(
    ("place", "warned"),
    [
        ("shop.env", {"GARRISON_PROXY_TRUSTED", "GARRISON_HOSTS_HTTPS"}),
        ("compose.yaml", set[str]()),
        ("kubernetes/settings.yaml", set[str]()),
    ],
)
def test_settings_are_fit_for_production(place: str, warned: set[str], tmp_path: Path) -> None:
    """There is nothing to say against them, but for what a file leaves to the place where it runs."""
    loaded = load(Settings, environ=told_in(place, tmp_path))
    assert not loaded.unused
    found = examine(loaded.value)
    assert {advice.variable for advice in found} == warned
    assert "error" not in {advice.level for advice in found}


def test_the_command_says_so_too(tmp_path: Path) -> None:
    """`garrison config --check` also finds what the settings of Compose import."""
    done = subprocess.run(
        [BIN / "garrison", "config", "--check"],
        cwd=SHOP,
        env={**environment(tmp_path), **told_in("compose.yaml", tmp_path)},
        capture_output=True,
        text=True,
        timeout=GUARD,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "garrison: 0 errors, 0 warnings\n")


def test_every_place_has_the_settings_of_the_file() -> None:
    """And adds those that belong to the place, the same in both but for addresses and ports."""
    common = settings_of("shop.env")
    here, there = settings_of("compose.yaml"), settings_of("kubernetes/settings.yaml")
    assert {name: there[name] for name in common} == common
    added = [{name: text for name, text in one.items() if name not in common} for one in (here, there)]
    of_the_place = {"GARRISON_PROXY_TRUSTED", "GARRISON_HOSTS_HTTPS_PORT"}
    left = [{name: text for name, text in one.items() if name not in of_the_place} for one in added]
    assert left[0] == left[1]


def test_the_times_add_up() -> None:
    """Whoever stops a process waits for the grace and a shutdown, and no hook delays the drain."""
    wait = Server().grace + SHUTDOWN
    assert Server().drain_delay < Server().grace
    assert pod("shop")["terminationGracePeriodSeconds"] == wait
    assert "lifecycle" not in pod("shop")["containers"][0]
    for name in ("shop-1", "shop-2"):
        assert compose()["services"][name]["stop_grace_period"] == f"{wait:g}s"


def test_the_probes_ask_what_there_is() -> None:
    """On the paths of the settings, at the port of the image, and sooner than the drain delay is over."""
    (container,) = pod("shop")["containers"]
    section = Health()
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")}
    for kind, probe in probes.items():
        assert probe["httpGet"] == {"path": getattr(section, kind), "port": "http"}
        assert section.timeout < probe.get("timeoutSeconds", 1)
    ready = probes["readiness"]
    assert ready["periodSeconds"] * ready["failureThreshold"] <= Server().drain_delay
    assert section.liveness in instruction("HEALTHCHECK")[0]


def test_the_ports_are_the_same_everywhere() -> None:
    """That of the image, of the container, of the service, of nginx's upstream and of the health check."""
    port = str(Server().port)
    assert instruction("EXPOSE") == [port]
    (container,) = pod("shop")["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": int(port)}]
    assert manifest("Service", "shop")["spec"]["ports"][0]["targetPort"] == "http"
    upstream = re.findall(r"^    server ([\w-]+):(\d+) ", (SHOP / "nginx.conf").read_text(), re.MULTILINE)
    assert upstream == [("shop-1", port), ("shop-2", port)]
    assert f"127.0.0.1:{port}/" in instruction("HEALTHCHECK")[0]


@pytest.mark.parametrize("name", ["valkey", "collector"])
def test_who_is_asked_listens(name: str) -> None:
    """The URLs in the settings are those of services, whose pods listen at that port."""
    for place in ("compose.yaml", "kubernetes/settings.yaml"):
        (port,) = [
            found[1]
            for text in settings_of(place).values()
            if (found := re.fullmatch(rf"\w+://{name}:(\d+)(?:/0)?", text))
        ]
        assert name in compose()["services"]
        (offered,) = manifest("Service", name)["spec"]["ports"]
        (container,) = pod(name)["containers"]
        assert offered["port"] == int(port)
        assert container["ports"] == [{"name": offered["targetPort"], "containerPort": int(port)}]


def test_the_collector_has_one_configuration() -> None:
    """It listens where the shop sends to, and its pipelines name what it has."""
    text = (SHOP / "collector.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    assert yaml.safe_load(manifest("ConfigMap", "collector")["data"]["config.yaml"]) == found
    endpoint = settings_of("compose.yaml")["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert found["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2] == endpoint[-4:]
    for pipeline in found["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(found[kind])


def test_nobody_is_root_or_writes_to_the_image() -> None:
    """In the image, in Compose and in every pod; the user of all three is one."""
    assert instruction("USER") == ["10001:10001"]
    assert "--uid 10001 " in instruction("RUN")[1]
    for name in ("shop", "valkey", "collector"):
        (container,) = pod(name)["containers"]
        assert pod(name)["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert pod("shop")["securityContext"]["runAsUser"] == 10001
    for name in ("shop-1", "valkey", "collector"):
        assert compose()["services"][name]["read_only"] is True
        assert compose()["services"][name]["cap_drop"] == ["ALL"]


def test_names_lead_to_one_another() -> None:
    """Volumes, networks, secrets, config maps, selectors, and files that are mounted."""
    file = compose()
    for service in file["services"].values():
        assert set(service["networks"]) <= set(file["networks"])
        assert set(service.get("secrets", [])) <= set(file["secrets"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (SHOP / source).is_file() if source.startswith(".") else source in file["volumes"]
    subnet = file["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert file["services"]["shop-1"]["environment"]["GARRISON_PROXY_TRUSTED"] == subnet
    for name in ("shop", "valkey", "collector"):
        spec = manifest("Deployment", name)["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"] == labels == manifest("Service", name)["spec"]["selector"]
    assert manifest("PodDisruptionBudget", "shop")["spec"]["selector"]["matchLabels"] == {"app": "shop"}
    assert (
        manifest("PodDisruptionBudget", "shop")["spec"]["minAvailable"]
        < manifest("Deployment", "shop")["spec"]["replicas"]
    )


def test_the_secrets_of_the_page_are_those_that_are_mounted() -> None:
    """Its commands make every file and every key that the two places name, and no others."""
    page = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"secrets/([\w.]+)", page)) >= set(compose()["secrets"])
    (volume,) = [one for one in pod("shop")["volumes"] if one["name"] == "secrets"]
    command = next(line for line in page.splitlines() if f"generic {volume['secret']['secretName']} " in line)
    keys = set(re.findall(r"--from-(?:literal|file)=(\w+)=", command))
    assert keys == {
        settings_of("compose.yaml")[name].rpartition("/")[2]
        for name in ("GARRISON_SECRET_FILE", "SHOP_SECRET_FILE")
    }
