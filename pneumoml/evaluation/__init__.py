"""How good a version is: metrics on films, shift tests, explanation report, release."""
