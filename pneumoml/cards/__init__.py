"""Model cards and the artefact that carries one."""
