"""Formats log lines as text for people or as JSON objects for log collectors."""

import json
import logging
from datetime import UTC, datetime

from core.middleware.request_id import current_id

# Of a record's extra values only these are written: others may hold personal data.
FACTS = ("method", "path", "route", "status", "milliseconds")


class TextFormatter(logging.Formatter):
    """Time, level, logger, the request id in brackets where there is one, and the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(request)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by the traceback where there is one."""
        request_id = current_id()
        record.request = f" [{request_id}]" if request_id else ""
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, request_id, facts, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback is one string in it."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := current_id():
            line["request_id"] = request_id
        line.update({fact: getattr(record, fact) for fact in FACTS if hasattr(record, fact)})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def formatter(log_format: str) -> logging.Formatter:
    """Return the formatter that LOG_FORMAT names: json, or anything else for text."""
    return JsonFormatter() if log_format == "json" else TextFormatter()
