"""MLflow's registry by its own client: in a file, and once by a real tracking server."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.releases.registries import alias, mlflow_client, new_mlflow, tags
from tests.state.backends.servers import free_port

from twinfra.diagnostics import DiagnosticError
from twinfra.releases.mlflow_registry import MlflowRegistry
from twinfra.releases.record import Model
from twinfra.releases.settings import MlflowSettings

MODEL = "fraud-detector"
FACTS = {"release": "v1", "commit": "abc"}


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return new_mlflow(tmp_path / "registry.db")


def registry(uri: str, **more: Any) -> MlflowRegistry:
    return MlflowRegistry(replace(MlflowSettings(uri, uri, alias="{environment}"), **more), "production")


def refusal(registry: MlflowRegistry, model: Model, *, moving: bool = True) -> str:
    with pytest.raises(DiagnosticError) as refused:
        registry.check(model, moving=moving)
    first = refused.value.diagnostics[0]
    return f"{first.summary}: {first.detail} {first.mend}"


def through_all(uri: str) -> None:
    """Everything a release does with a registry."""
    found = registry(uri)
    one, two = Model(MODEL, "1"), Model(MODEL, "2")
    found.check(one, moving=True)
    found.note(one, FACTS)
    found.note(one, FACTS)
    assert found.noted(one) == FACTS
    found.point(one, None)
    found.check(one, moving=False)
    assert found.points_to(MODEL) == 'alias "production" names version 1'
    before = found.snapshot([one, two])
    found.point(two, one)
    assert (alias(uri, MODEL, "production"), found.holds(two)) == ("2", "")
    assert "names 2, not 1" in found.holds(one)
    found.put_back(before)
    assert alias(uri, MODEL, "production") == "1"
    assert "No such version of the model" in refusal(found, Model(MODEL, "9"))
    assert 'Did you mean "fraud-detector"?' in refusal(found, Model("fraud-detectr", "1"))


def test_in_a_file(uri: str) -> None:
    through_all(uri)
    assert tags(uri, MODEL, "1")["twinfra.production.release"] == "v1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    new_mlflow(tmp_path / "registry.db")
    port = free_port()
    # The tracking server's own application; the command `mlflow server` puts more around it than is installed here.
    variables = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{tmp_path}/registry.db",
        "_MLFLOW_SERVER_REGISTRY_STORE": f"sqlite:///{tmp_path}/registry.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(tmp_path / "artifacts"),
    }
    log = (tmp_path / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "mlflow.server:app", "run", "--port", str(port)],
        env=variables, stdout=log, stderr=log, cwd=tmp_path,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _await(process, f"{address}/health", tmp_path / "server.log")
        yield address
    finally:
        process.kill()
        process.wait(60)
        log.close()


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Ask until the server answers or has ended; the kernel paces a refused connection with a wait for the process."""
    for _ in range(3000):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
    raise AssertionError(f"MLflow's server does not answer: {log.read_text()[-2000:]}")


def test_by_a_tracking_server(server: str) -> None:
    through_all(server)


def test_versions_may_be_told_by_a_tag(uri: str) -> None:
    found = registry(uri, version_tag="version")
    model = Model(MODEL, "2.5")
    found.note(model, FACTS)
    found.point(model, None)
    assert alias(uri, MODEL, "production") == "2"
    assert "Its newest are: 3.5, 2.5, 1.5." in refusal(found, Model(MODEL, "9.5"))
    mlflow_client(uri).set_model_version_tag(MODEL, "3", "version", "2.5")
    assert "several versions of fraud-detector" in refusal(registry(uri, version_tag="version"), model)


def test_versions_that_are_no_numbers_need_that_tag(uri: str) -> None:
    assert 'version_tag = "version"' in refusal(registry(uri), Model(MODEL, "3.1"))


def test_an_alias_elsewhere_is_told_unless_it_is_moved(uri: str) -> None:
    found = registry(uri)
    model = Model(MODEL, "1")
    assert "is not set" in refusal(found, model, moving=False)
    mlflow_client(uri).set_registered_model_alias(MODEL, "production", "2")
    assert "names version 2, not 1" in refusal(found, model, moving=False)
    found.check(model, moving=True)


def test_an_alias_that_was_not_set_is_taken_away_again(uri: str) -> None:
    found = registry(uri)
    before = found.snapshot([Model(MODEL, "1")])
    found.point(Model(MODEL, "1"), None)
    found.put_back(before)
    assert alias(uri, MODEL, "production") == ""


def test_without_an_alias_nothing_is_moved(uri: str) -> None:
    found = registry(uri, alias="")
    found.check(Model(MODEL, "1"), moving=False)
    found.point(Model(MODEL, "1"), None)
    assert mlflow_client(uri).get_registered_model(MODEL).aliases == {}


def test_a_server_that_is_down_is_told_soon() -> None:
    told = refusal(registry("http://127.0.0.1:9"), Model(MODEL, "1"))
    assert "MLflow does not answer as it should" in told
    assert "MLFLOW_TRACKING_TOKEN" in told


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    assert "No such registry" in refusal(registry(f"sqlite:///{path}"), Model(MODEL, "1"))
    assert not path.exists()


def test_a_file_that_is_no_registry_is_told(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database at all, but a text that is long enough to be one" * 20)
    told = refusal(registry(f"sqlite:///{path}"), Model(MODEL, "1"))
    assert "MLflow" in told


def test_a_missing_client_is_told_with_how_to_get_it(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one == "mlflow" or one.startswith("mlflow.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert 'pip install "twinfra[mlflow]"' in refusal(registry(uri), Model(MODEL, "1"))
