"""The web server's own lines (started, stopped, a request that is none) in the format of all others."""

import os
from typing import Any

from gunicorn.glogging import Logger

from core.middleware.log_format import formatter


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's logger; requests are told by RequestMiddleware, so there is no access log."""

    def setup(self, cfg: Any) -> None:
        """Do as gunicorn does, then write lines as LOG_FORMAT says."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(os.environ.get("LOG_FORMAT", "")))
