"""What tests ask of an HTML document."""

from __future__ import annotations

from html.parser import HTMLParser


class Document(HTMLParser):
    """What the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if value := attributes.get("id"):
            self.ids.append(value)
        for name in ("href", "src"):
            if (value := attributes.get(name)) is not None:
                self.links.append(value)

    def find(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and wanted.items() <= a.items()]
