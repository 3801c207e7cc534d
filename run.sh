#!/bin/sh
# Sets up everything that is missing, then runs pneumoweb: ./run.sh
# Variables it honours: .env.example. Ctrl-C stops everything.
set -eu

# A data folder named relative to where the person stands stays there.
case "${PNEUMOWEB_VAR:-/}" in
    /*) ;;
    *) PNEUMOWEB_VAR="${PWD%/}/$PNEUMOWEB_VAR"; export PNEUMOWEB_VAR ;;
esac
cd "$(dirname "$0")"
. ./pneumoweb/runtime/find_python.sh

"$python" -I pneumoweb/runtime/bootstrap.py run
.venv/bin/python manage.py setup_site
exec .venv/bin/python -m pneumoweb.runtime.supervise
