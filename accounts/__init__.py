"""People: roles, sign-in, second factors, API tokens, preferences."""
