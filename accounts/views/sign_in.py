"""Sign-in with a password and, where the account has one, a second factor; changing the password."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.models import Login
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from accounts.allauth_seam import perform_login, record_authentication
from accounts.login_attempts import release_attempt
from accounts.people import change_password
from accounts.reauthentication import TooManyPasswords, confirm_password
from core.errors import NotAllowed


class SignInView(LoginView):
    """User name and password; whoever has a second factor is asked for it next."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Pass the person on to allauth, which signs in or asks for the second factor."""
        user = form.get_user()
        release_attempt(self.request, user.get_username())
        login = Login(user=user, redirect_url=self.get_success_url())
        record_authentication(self.request, user, "password", reauthenticated=True)
        response: HttpResponse = perform_login(self.request, login)
        return response


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Adapts allauth: no sign-up, no greetings, passwords counted by the lockout."""

    _NOT_SHOWN = (
        "account/messages/logged_in.txt",
        "account/messages/logged_out.txt",
        "mfa/messages/recovery_codes_generated.txt",  # the page with the codes says it
    )

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: administrators create accounts."""
        return False

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Show the message unless it only repeats what the page says."""
        template = args[0] if args else kwargs.get("message_template")
        if template not in self._NOT_SHOWN:
            super().add_message(request, level, *args, **kwargs)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Redirect somebody whose account was deactivated meanwhile to the sign-in page."""
        return HttpResponseRedirect(resolve_url("login"))

    def reauthenticate(self, user: User, password: str) -> bool:
        """Check the password again; wrong ones count towards the lock."""
        try:
            confirm_password(context.request, user, password)
        except TooManyPasswords:
            context.request.axes_locked_out = True
            return False
        except NotAllowed:
            return False
        return True


class _CountedCode:
    """Counts codes like passwords: the same lock, the same audit event."""

    user: User

    def clean_code(self) -> str:
        """Return the right code; raises ValidationError for a wrong one and while the account is locked."""
        request, credentials = context.request, {"username": self.user.get_username()}
        if not AxesProxyHandler.is_allowed(request, credentials):
            request.axes_locked_out, request.axes_credentials = True, credentials
            raise ValidationError(_("Too many wrong codes. Wait a while and try again."))
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # the library's form
        except ValidationError:
            user_login_failed.send(sender=__name__, credentials=credentials, request=request)
            raise
        release_attempt(request, self.user.get_username())
        return code


class SignInCode(_CountedCode, AuthenticateForm):  # type: ignore[misc]  # the library has no types
    """The code of an authenticator app, or a recovery code, while signing in."""


class CodeAgain(_CountedCode, ReauthenticateForm):  # type: ignore[misc]  # the library has no types
    """A code from somebody who is signed in."""


class ChangePasswordForm(PasswordChangeForm):
    """The old password, which counts towards the lock when wrong, and a new one."""

    def clean_old_password(self) -> str:
        """Return the old password; raises ValidationError for a wrong one and while the account is locked."""
        password: str = self.cleaned_data["old_password"]
        if not get_adapter().reauthenticate(self.user, password):
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


class ChangePasswordView(PasswordChangeView):
    """A person changes their own password and stays signed in here."""

    form_class = ChangePasswordForm

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Store the new password with its audit event."""
        change_password(actor=form.user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(self.request, form.user)
        return HttpResponseRedirect(self.get_success_url())
