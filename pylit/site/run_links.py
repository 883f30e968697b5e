"""Links to services that run the notebook of a page, from templates of addresses."""

from __future__ import annotations

from urllib.parse import quote

from ..errors import Problem, PylitError
from .address_templates import TemplateKind, check_template, filled
from .page_links import Link
from .site import Site

NOTEBOOK = TemplateKind(
    places=("notebook", "url", "commit", "branch"),
    needed=frozenset({"notebook", "url"}),
    example="https://host/{notebook}",
    no_address="is not an address on the web",
    lacking="names no notebook",
)
"""The notebook's path on the site, its address on the web, and what the site is built from."""


def run_links(site: Site, notebook: str) -> tuple[Link, ...]:
    """Return links to the services that run `notebook`, an address relative to the root of the site."""
    settings = site.settings
    values = {
        "notebook": quote(notebook),
        "url": quote(site.navigation.absolute(notebook), safe=":/%"),
        "branch": quote(settings.branch),
        "commit": quote(settings.branch),
    }
    return tuple(Link(name, filled(template, values)) for name, template in settings.run.items())


def check_run(name: str, template: str, site_url: str) -> None:
    """Check the template of the addresses at which the service `name` runs a notebook.

    Raises:
        PylitError: if it is not a web address, names no notebook, or has an unknown placeholder.
    """
    where = f"setting run `{name}`"
    if "url" in check_template(where, template, NOTEBOOK) and not site_url:
        raise PylitError(Problem(where, 0, "needs the URL of the site", "Set `site_url`."))
