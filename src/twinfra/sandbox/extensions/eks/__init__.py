"""EKS as far as our providers need it: what moto has, corrected, and what it lacks."""

from __future__ import annotations


def install() -> None:
    """Install all parts, and let their requests through to the service's own router."""
    from moto.eks import urls

    from twinfra.sandbox.extensions.eks import access, addons, clusters, nodegroups, tags

    for part in (clusters, nodegroups, addons, access, tags):
        part.install()
    for path in ("/clusters/(?P<rest>.+)", "/addons/(?P<rest>.+)", "/access-policies", "/cluster-versions"):
        urls.url_paths["{0}" + path + "$"] = urls.response.dispatch
