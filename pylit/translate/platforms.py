"""Settings with which translation platforms find the catalogs and templates of a site: for Weblate and for Crowdin.

Both are made from the configuration of the site alone, so they can be made again when a page is added.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ..errors import Problem, PylitError
from ..i18n import LOCALE
from ..site import Site
from .changes import Change
from .entries import MARKDOWN
from .templates import INTERFACE, TEMPLATES, template_folder, template_name, template_texts

WEBLATE = "weblate.json"
CROWDIN = "crowdin.yml"
OURS = "# `pylit update` writes this file. Crowdin's client reads its token from the environment.\n"
"""The first line of the configuration of Crowdin's client."""
LONGEST_NAME = 100
"""Maximum number of characters of a component's name in Weblate."""
_CROWDIN_CODES = {
    "es": "es-ES",
    "fy": "fy-NL",
    "ga": "ga-IE",
    "gu": "gu-IN",
    "hy": "hy-AM",
    "ml": "ml-IN",
    "ne": "ne-NP",
    "nn": "nn-NO",
    "pa": "pa-IN",
    "pt": "pt-PT",
    "si": "si-LK",
    "sr-Latn": "sr-CS",
    "sv": "sv-SE",
    "ur": "ur-PK",
    "zh": "zh-CN",
    "zh-Hans": "zh-CN",
    "zh-Hant": "zh-TW",
}
"""Languages for which Crowdin has another code than the site."""


def platform_changes(site: Site, *, weblate: bool = False, crowdin: bool = False) -> list[Change]:
    """Return the changes that write the files for platforms; those that exist are kept in line in any case.

    Raises:
        PylitError: if a source cannot be read, or a platform has to know the repository and it is not configured.
    """
    changes = []
    path = template_folder(site).parent / WEBLATE
    if weblate or path.is_file():
        if not site.settings.repository:
            hint = "Set `repository`: Weblate clones it."
            raise PylitError(Problem(WEBLATE, 0, "needs the URL of the repository", hint))
        data = json.dumps(weblate_components(site), indent=2, ensure_ascii=False) + "\n"
        changes += _if_changed(path, data)
    path = _repository(site.settings.base) / CROWDIN
    if crowdin or (path.is_file() and path.read_bytes().startswith(OURS.encode())):
        text = OURS + yaml.safe_dump(crowdin_settings(site), allow_unicode=True, sort_keys=False)
        if crowdin and path.is_file() and not path.read_bytes().startswith(OURS.encode()):
            hint = "Remove it, or its parts that concern this site, and join them by hand."
            raise PylitError(Problem(str(path), 0, "exists and was not written by pylit", hint))
        changes += _if_changed(path, text)
    return changes


def _if_changed(path: Path, text: str) -> list[Change]:
    is_same = path.is_file() and path.read_bytes() == text.encode()
    return [] if is_same else [Change(path, text.encode())]


def project_slug(site: Site) -> str:
    """Return the name of the project in addresses of Weblate: that of the repository, or the site's title."""
    return _slug(site.settings.repository.rstrip("/").rpartition("/")[2].removesuffix(".git")) or (
        _slug(site.settings.title) or "site"
    )


def weblate_components(site: Site) -> list[dict[str, Any]]:
    """Return the components of a site as `weblate import_json` reads them: one for each page.

    The first has the repository, and the others share its clone.

    Raises:
        PylitError: if a source cannot be read.
    """
    settings = site.settings
    assert settings.translations is not None
    lang, folder = settings.languages[0], _path(site, settings.translations)
    files = list(template_texts(site))
    titles = {file: _title(site, file, lang) for file in files}
    twice = Counter(titles.values())
    slugs: dict[str, str] = {}
    components: list[dict[str, Any]] = []

    def add(name: str, about: str, mask: str, new_base: str, flags: str) -> None:
        slug = base = _slug(about) or "page"
        number = 1
        while slug in slugs:
            slug, number = f"{base}-{number + 1}", number + 1
        slugs[slug] = about
        first = components[0]["slug"] if components else ""
        components.append(
            {
                "name": name[:LONGEST_NAME],
                "slug": slug,
                "vcs": "git",
                "repo": f"weblate://{project_slug(site)}/{first}" if first else settings.repository,
                "branch": "" if first else settings.branch,
                "repoweb": _repoweb(site),
                "file_format": "po",
                "filemask": mask,
                "new_base": new_base,
                "check_flags": flags,
                "new_lang": "contact",
                "language_code_style": "bcp",
                "language_regex": f"^({'|'.join(map(re.escape, settings.languages[1:]))})$",
                "edit_template": False,
                "manage_units": False,
            }
        )

    for file in files:
        name = titles[file] if twice[titles[file]] == 1 else f"{titles[file]} ({file})"
        catalog = PurePosixPath(file).with_suffix(".po").as_posix()
        base = f"{folder}/{TEMPLATES}/{template_name(file)}"
        add(name, file.removesuffix("/__init__.py"), f"{folder}/*/{catalog}", base, MARKDOWN)
    if site.owns_engine:
        locale = _path(site, LOCALE)
        add("Buttons and labels", "interface", f"{locale}/*.po", f"{locale}/{INTERFACE}", "")
    return components


def crowdin_settings(site: Site) -> dict[str, Any]:
    """Return what Crowdin's client has to know: where templates and catalogs are, and how languages are called."""
    settings = site.settings
    assert settings.translations is not None
    folder = _path(site, settings.translations)
    codes = {_CROWDIN_CODES.get(lang, lang): lang for lang in settings.languages[1:]}
    places = [(f"/{folder}/{TEMPLATES}/**/*.pot", f"/{folder}/%locale%/**/%file_name%.po")]
    if site.owns_engine:
        locale = _path(site, LOCALE)
        places.append((f"/{locale}/{INTERFACE}", f"/{locale}/%locale%.po"))
    return {
        "project_id_env": "CROWDIN_PROJECT_ID",
        "api_token_env": "CROWDIN_PERSONAL_TOKEN",
        "base_path": ".",
        "preserve_hierarchy": True,
        "files": [
            {"source": source, "translation": target, "languages_mapping": {"locale": dict(codes)}}
            for source, target in places
        ],
    }


def _title(site: Site, file: str, lang: str) -> str:
    return site.translations.title(file, lang).text if site.navigation.page_url(file) else "Title"


def _repoweb(site: Site) -> str:
    """Return the address of a line on the code host as Weblate writes it."""
    source = site.code_links.host.source
    for ours, theirs in (("{branch}", "{{branch}}"), ("{path}", "{{filename}}"), ("{line}", "{{line}}")):
        source = source.replace(ours, theirs)
    return source.replace("{commit}", "{{branch}}")


def _repository(base: Path) -> Path:
    """Return the root of the repository that a folder is in; the folder itself if it is in none."""
    return next((folder for folder in (base, *base.parents) if os.path.lexists(folder / ".git")), base)


def _path(site: Site, path: Path) -> str:
    """Return a path relative to the root of the repository."""
    return Path(os.path.relpath(path, _repository(site.settings.base))).as_posix()


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower().removesuffix(".py").removesuffix(".md")).strip("-")
