"""Watches pages while tests use them: script errors, CSP violations, requests to other hosts."""

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request


@dataclass
class Watch:
    """What went wrong on the pages looked at. `expected`: parts of complaints that a test provokes."""

    url: str
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def look_at(self, page: Page) -> Page:
        """Watch the page from now on, and return it."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complain(f"script error: {error}"))
        page.on("request", self._requested)
        return page

    def expect(self, words: str) -> None:
        """Ignore complaints with these words: the test provokes them."""
        self.expected.append(words)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complain(f"console: {message.text} ({message.location.get('url', '')})")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self._complain(f"request to another host: {request.url}")

    def _complain(self, words: str) -> None:
        if not any(part in words for part in self.expected):
            self.complaints.append(words)
