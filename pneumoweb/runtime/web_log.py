"""The web server's own log lines, in the format of all others."""

import os
from typing import Any

from gunicorn.glogging import Logger

from core.middleware.log_format import formatter


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's logger without an access log: RequestMiddleware logs requests."""

    def setup(self, cfg: Any) -> None:
        """Set up as gunicorn does, then format lines as LOG_FORMAT says."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(os.environ.get("LOG_FORMAT", "")))
