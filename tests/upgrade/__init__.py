"""An installation of version 0.1.0 and what it answered, against the code of today."""
