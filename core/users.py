"""The type of whoever makes a request."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

AnyUser = User | AnonymousUser | AbstractBaseUser
