"""What every app uses: refusals, API conventions, middleware, command base."""
