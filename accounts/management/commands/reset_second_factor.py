"""manage.py reset_second_factor: for people who lost phone, passkey and recovery codes."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from accounts.second_factor import reset_second_factor
from core.management.base import FriendlyCommand


class Command(FriendlyCommand):
    """Remove an account's second factors, with an audit event."""

    help = (
        "Take authenticator app, passkeys and recovery codes from an account, so that its password alone "
        "signs in again. An administrator is asked to set a new one up before the administration opens. "
        "Make sure that you speak with the person who owns the account."
    )
    examples = "  manage.py reset_second_factor adam\n"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the argument."""
        parser.add_argument("username", metavar="USER", help="The user name.")

    def run(self, **options: Any) -> None:
        """Reset the second factors and print the outcome."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account “{options['username']}”.")
        if reset_second_factor(actor=None, user=user):
            self.say(f"“{user.username}” signs in with the password alone from now on.")
        else:
            self.say(f"“{user.username}” had no second factor.")
