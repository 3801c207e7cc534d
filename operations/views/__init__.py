"""Pages for whoever runs or audits the installation."""
