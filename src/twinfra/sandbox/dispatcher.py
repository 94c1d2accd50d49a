"""Finds the emulated service for a request: moto's own dispatcher, with its slow steps remembered."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import moto.core.responses
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication


class Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """WSGI application of the whole emulator."""

    def __init__(self, create_app: Any) -> None:
        super().__init__(create_app)
        self._remembered = lru_cache(maxsize=1024)(super().get_backend_for_host)
        # moto lists the methods of a response class anew for each request; they do not change.
        moto.core.responses.method_names_from_class = lru_cache(maxsize=None)(_method_names)

    def get_backend_for_host(self, host: str | None) -> Any:
        """The service that answers for a host name; NotImplementedError when the emulator has none."""
        if host is None:
            return None
        found = self._remembered(host)
        if not found and host.endswith(("amazonaws.com", "api.aws")):
            raise NotImplementedError(host)
        return found

    def infer_service_region_host(self, environ: dict[str, Any], path: str) -> str | None:
        """The host name of the service that a request is for. One signed in its URL says it there."""
        if "HTTP_AUTHORIZATION" not in environ:
            (credential,) = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [""])[:1]
            if credential and "/s3/" not in credential:
                signed = f"AWS4-HMAC-SHA256 Credential={credential}, "
                environ = {**environ, "HTTP_AUTHORIZATION": signed}
        found: str | None = super().infer_service_region_host(environ, path)
        return found


def _method_names(kind: type) -> frozenset[str]:
    return frozenset(method_names_from_class(kind))
