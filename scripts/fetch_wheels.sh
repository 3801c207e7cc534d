#!/bin/sh
# On a machine with the Internet: fetch every pinned package into wheels/, checked against its hash, so that
# ./run.sh installs on a machine of the same kind without. What follows goes to pip, for a machine of another kind:
#   scripts/fetch_wheels.sh
#   scripts/fetch_wheels.sh --only-binary=:all: --python-version 3.12 --platform manylinux_2_28_x86_64
set -eu
cd "$(dirname "$0")/.."
. ./pneumoweb/runtime/find_python.sh

# Where the tests' packages are wanted too: REQUIREMENTS=requirements-dev.txt scripts/fetch_wheels.sh
"$python" -m venv .wheels-tool
.wheels-tool/bin/python -m pip download --disable-pip-version-check --no-deps --require-hashes \
    --requirement "${REQUIREMENTS:-requirements.txt}" --dest wheels "$@"
rm -r .wheels-tool
echo "$(ls wheels | wc -l) packages in wheels/, $(du -sh wheels | cut -f1). Carry the project's folder with it over."
