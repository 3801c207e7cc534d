"""Pages for operators and auditors of the installation."""
