"""IAM: adding and removing the audiences (client ids) of an OpenID Connect provider."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.responses import IamResponse

from twinfra.sandbox.overlay import graft


class _Audiences:
    """The two operations on moto's own record of the provider."""

    def add_client_id_to_open_id_connect_provider(self: Any) -> ActionResult:
        clients = self._clients_of_provider()
        if self._get_param("ClientID") not in clients:
            clients.append(self._get_param("ClientID"))
        return EmptyResult()

    def remove_client_id_from_open_id_connect_provider(self: Any) -> ActionResult:
        clients = self._clients_of_provider()
        if self._get_param("ClientID") in clients:
            clients.remove(self._get_param("ClientID"))
        return EmptyResult()

    def _clients_of_provider(self: Any) -> Any:
        return self.backend.get_open_id_connect_provider(
            self._get_param("OpenIDConnectProviderArn")
        ).client_id_list


def install() -> None:
    """Add the operations."""
    graft(IamResponse, _Audiences)
