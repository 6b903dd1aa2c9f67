"""The container file and the manifests: nothing here runs them, but what they call must exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from provisioning.__main__ import app
from provisioning.roles import MOST_MINTERS

FOLDER = Path(__file__).parents[2] / "packaging" / "container"
MANIFESTS = [msgspec.yaml.decode(part) for part in (FOLDER / "kubernetes.yaml").read_text().split("\n---\n")]
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
    (scaler,) = [found for found in MANIFESTS if found["kind"] == "HorizontalPodAutoscaler"]
    assert scaler["spec"]["maxReplicas"] == MOST_MINTERS
    assert scaler["spec"]["scaleTargetRef"]["name"] in {found["metadata"]["name"] for found in RUNNING}
    assert "kaiwa_mint_seconds" in scaler["spec"]["metrics"][0]["pods"]["metric"]["name"]


def test_nobody_in_a_container_is_root_and_no_secret_is_in_it() -> None:
    text = (FOLDER / "Containerfile").read_text()
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    for manifest in RUNNING:
        assert manifest["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
        assert not container(manifest).get("env")
