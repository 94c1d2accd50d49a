"""Real model registries for tests: MLflow's in a file."""

from __future__ import annotations

import logging
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# A registry that is down is no surprise here.
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"


def mlflow_client(uri: str) -> Any:
    """MLflow's own client."""
    from mlflow.tracking import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def new_mlflow(path: Path) -> str:
    """A registry in a file at `path`, with fraud-detector 1 to 3 and ranker 1; its address."""
    path.write_bytes(_template())
    return f"sqlite:///{path}"


@cache
def _template() -> bytes:
    # Making its tables takes seconds.
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "registry.db"
        client = mlflow_client(f"sqlite:///{path}")
        for name, number in (("fraud-detector", 3), ("ranker", 1)):
            client.create_registered_model(name)
            for version in range(1, number + 1):
                client.create_model_version(name, source="s3://models/x", tags={"version": f"{version}.5"})
        return path.read_bytes()


def alias(uri: str, model: str, name: str) -> str:
    """The version that an alias names, empty where it names none."""
    return str(mlflow_client(uri).get_registered_model(model).aliases.get(name, ""))


def tags(uri: str, model: str, version: str) -> dict[str, str]:
    """The tags of a version."""
    found: dict[str, str] = mlflow_client(uri).get_model_version(model, version).tags
    return found
