"""What every app uses: refusals, API conventions, middleware, base class of commands."""
