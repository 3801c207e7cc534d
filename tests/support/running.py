"""Running a management command in a test: what it printed, and its exit code."""

import io
import json
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError


@dataclass(frozen=True)
class Outcome:
    """The output, the sentence of an error ("" for none) and the exit code as the shell would see it."""

    output: str
    error: str
    code: int

    @property
    def json(self) -> Any:
        """The output as JSON; fails when anything else was printed."""
        return json.loads(self.output)


def run(name: str, *words: object) -> Outcome:
    """Run `manage.py name words…` in this process."""
    output = io.StringIO()
    try:
        call_command(name, *(str(word) for word in words), stdout=output)
    except CommandError as error:
        return Outcome(output.getvalue(), str(error), error.returncode)
    except SystemExit as leave:
        return Outcome(output.getvalue(), "", int(leave.code or 0))
    return Outcome(output.getvalue(), "", 0)
