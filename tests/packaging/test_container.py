"""The container file and the manifests: nothing here runs them, but what they call must exist."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from provisioning.__main__ import app
from provisioning.metrics import Metrics
from provisioning.monitor import Monitor
from provisioning.roles import MOST_MINTERS
from provisioning.settings import CloudSettings, load_settings, with_secrets
from provisioning.store import Store

FOLDER = Path(__file__).parents[2] / "packaging" / "container"
MANIFESTS = [msgspec.yaml.decode(part) for part in (FOLDER / "kubernetes.yaml").read_text().split("\n---\n")]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [found for found in MANIFESTS if found["kind"] == kind]


RUNNING = [found for found in MANIFESTS if found["kind"] in {"Deployment", "StatefulSet"}]


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    (only,) = manifest["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("manifest", RUNNING, ids=lambda found: found["metadata"]["name"])
def test_every_process_is_one_that_the_command_line_knows(manifest: dict[str, Any]) -> None:
    one = container(manifest)
    line = one["command"][-1].replace('"$(( ${HOSTNAME##*-} + 1 ))"', "2") if "command" in one else ""
    words = shlex.split(line)[2:] if line else ["--config", "/etc/kaiwa/cloud.toml", *one["args"]]
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, result.output
    assert words[words.index("--role") + 1] == manifest["metadata"]["name"].removeprefix("kaiwa-")
    assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]


def test_minters_scale_on_their_latency_within_the_numbers_that_the_access_list_knows() -> None:
    (scaler,) = of_kind("HorizontalPodAutoscaler")
    assert scaler["spec"]["maxReplicas"] == MOST_MINTERS
    (target,) = [found for found in RUNNING if found["metadata"]["name"] == scaler["spec"]["scaleTargetRef"]["name"]]
    assert target["kind"] == scaler["spec"]["scaleTargetRef"]["kind"] == "StatefulSet", "its pods have numbers"
    wanted = scaler["spec"]["metrics"][0]["pods"]["metric"]["name"]
    said = (FOLDER / "kubernetes.yaml").read_text()
    (series,) = re.findall(rf"`{wanted}` of the histogram:\n#   histogram_quantile\(0.95, .*rate\((\w+)\[", said)
    assert f"\n{series}{{le=" in Metrics().text({}), "what is made of it is there"


@pytest.mark.parametrize("manifest", RUNNING, ids=lambda found: found["metadata"]["name"])
def test_nobody_in_a_container_is_root_writes_or_has_a_secret_but_as_a_file(manifest: dict[str, Any]) -> None:
    pod, one = manifest["spec"]["template"]["spec"], container(manifest)
    (user,) = re.findall(r"^USER (\d+)$", (FOLDER / "Containerfile").read_text(), re.MULTILINE)
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, int(user))
    assert pod["automountServiceAccountToken"] is False
    locked = one["securityContext"]
    assert (locked["allowPrivilegeEscalation"], locked["readOnlyRootFilesystem"]) == (False, True)
    assert locked["capabilities"] == {"drop": ["ALL"]}
    assert "env" not in one
    assert "envFrom" not in one
    secret = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
    assert secret
    assert all(mount.get("readOnly") for mount in one["volumeMounts"] if mount["name"] in secret)
    assert {mount["name"] for mount in one["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_what_a_pod_mounts_claims_and_is_reached_by_is_declared() -> None:
    claims = {claim["metadata"]["name"] for claim in of_kind("PersistentVolumeClaim")}
    for manifest in RUNNING:
        volumes = manifest["spec"]["template"]["spec"]["volumes"]
        assert {v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v} <= claims
    pods = {manifest["spec"]["template"]["metadata"]["labels"]["app"]: container(manifest) for manifest in RUNNING}
    for service in of_kind("Service"):
        there = {port["name"]: port["containerPort"] for port in pods[service["spec"]["selector"]["app"]]["ports"]}
        assert {port["name"]: port["port"] for port in service["spec"]["ports"]}.items() <= there.items()
    (minters,) = [manifest for manifest in RUNNING if manifest["kind"] == "StatefulSet"]
    assert minters["spec"]["serviceName"] in {service["metadata"]["name"] for service in of_kind("Service")}
    (budget,) = of_kind("PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"]["app"] in pods


@pytest.mark.parametrize("manifest", RUNNING, ids=lambda found: found["metadata"]["name"])
async def test_probes_and_ports_are_those_of_the_program(manifest: dict[str, Any], tmp_path: Path) -> None:
    served = Monitor(Store(f"sqlite:///{tmp_path}/x"), asyncio.Event(), Metrics(), {}).app().router.resources()
    paths = {resource.canonical for resource in served}
    one, ports = container(manifest), {port["name"]: port["containerPort"] for port in container(manifest)["ports"]}
    probes = {name: probe["httpGet"] for name, probe in one.items() if name.endswith("Probe")}
    assert probes["livenessProbe"]["path"] == "/metrics", "a lost broker kills nobody"
    assert "readinessProbe" in probes or "leash" in manifest["metadata"]["name"]
    assert {probe["path"] for probe in probes.values()} <= paths
    assert {probe["port"] for probe in probes.values()} == {"monitor"}
    annotations = manifest["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(ports["monitor"])
    settings = CloudSettings(state_dir=str(tmp_path))
    assert (ports.get("page", settings.web.port), ports.get("enrol", settings.enrol.port)) == (8080, 8443)
    assert (settings.web.port, settings.enrol.port) == (8080, 8443)


def test_the_settings_that_the_manifests_ask_for_are_settings(tmp_path: Path) -> None:
    said = (FOLDER / "kubernetes.yaml").read_text()
    for name in ("api_key_file", "token_file", "[monitor]", "state_dir"):
        assert name in said
    path = tmp_path / "cloud.toml"
    path.write_text(
        'state_dir = "/var/lib/kaiwa"\n[monitor]\nhost = "0.0.0.0"\nport = 9464\n'
        '[openai]\napi_key_file = "openai"\n[imageflux]\ntoken_file = "imageflux"\n'
    )
    for name in ("openai", "imageflux"):
        (tmp_path / name).write_text(f"key of {name}\n")
    found = with_secrets(load_settings(path), path, {})
    assert (found.openai.api_key.reveal(), found.imageflux.token.reveal()) == ("key of openai", "key of imageflux")
    assert found.monitor.port == container(RUNNING[0])["ports"][0]["containerPort"]


def test_the_container_file_installs_what_is_pinned_and_starts_what_there_is() -> None:
    text = (FOLDER / "Containerfile").read_text()
    assert "--constraints /src/constraints.txt" in text
    assert "[cloud]" in text
    assert '"--config", "/etc/kaiwa/cloud.toml"]' in text
    assert re.findall(r"^(?:ENV|ARG) .*", text, re.MULTILINE) == ["ENV MALLOC_ARENA_MAX=2"]
