"""A pytest plugin for continuous integration (`-p tests.support.no_skips`): a skipped test fails the run."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skipped tests into a red one; the summary lists them with their reasons."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"\n{len(skipped)} tests were skipped, and here nothing may be.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
