"""The visible content of an HTML page as lines of text: words, links' targets, fields' values."""

from html.parser import HTMLParser

_UNSEEN = {"script", "style", "template", "svg", "noscript"}
_INLINE = {"a", "abbr", "b", "bdi", "button", "code", "em", "i", "label", "small", "span", "strong", "sub"}
_INLINE |= {"sup", "time", "kbd", "mark", "var", "img", "input", "option", "th", "td", "dt", "u", "q", "cite"}
_SAID = ("alt", "aria-label", "title", "placeholder")
_SECRET = {"csrfmiddlewaretoken"}


def visible_text(html: str) -> str:
    """Return the page's text, one line for each block."""
    page = _Page()
    page.feed(html)
    page.close()
    lines = (" ".join("".join(line).split()) for line in page.lines)
    return "".join(f"{line}\n" for line in lines if line)


class _Page(HTMLParser):
    """Collects lines, without what is not shown, such as scripts and forms' tokens."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[str]] = [[]]
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line at a block element; add the attributes that people perceive."""
        if tag in _UNSEEN:
            self._unseen += 1
        if self._unseen:
            return
        if tag not in _INLINE:
            self.lines.append([])
        told = {name: value or "" for name, value in attrs}
        self.lines[-1].append(" ")
        self.lines[-1].extend(f"[{told[name]}] " for name in _SAID if told.get(name))
        if tag in ("a", "form"):
            self.lines[-1].append(f"<{told.get('href', told.get('action', ''))}> ")
        if tag in ("input", "select", "textarea", "button"):
            self.lines[-1].append(_field(told))
        if tag == "option" and "selected" in told:
            self.lines[-1].append("(chosen) ")

    def handle_endtag(self, tag: str) -> None:
        """End the line at the end of a block element."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _INLINE:
            self.lines[-1].append(" ")
        else:
            self.lines.append([])

    def handle_data(self, data: str) -> None:
        """Add visible text to the line."""
        if not self._unseen:
            self.lines[-1].append(data)


def _field(told: dict[str, str]) -> str:
    name = told.get("name", "")
    if not name or name in _SECRET:
        return ""
    return f"{{{name}={told.get('value', '')}{' chosen' if 'checked' in told else ''}}} "
