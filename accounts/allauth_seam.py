"""The private functions of allauth that sign-in needs; every other module imports them from here.

allauth has no public names for them, so an upgrade may move them: a test tells.
"""

from allauth.account.internal.flows.login import (
    get_authentication_records,
    perform_login,
    record_authentication,
)
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate

__all__ = [
    "did_recently_reauthenticate",
    "get_authentication_records",
    "perform_login",
    "record_authentication",
]
