"""Running an installation: backup, health, metrics, storage check, set-up."""
