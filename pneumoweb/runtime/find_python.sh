# Sourced by run.sh and test.sh: sets $python to a Python of 3.11 or newer, or says what to install.
python=
for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null || echo "no python3 at all")
    echo "pneumoweb cannot start: it needs Python 3.11 or newer, and this machine has $found." >&2
    echo "On Debian 12: apt-get install python3 — or name another one: PYTHON=/path/to/python3.11 $0" >&2
    exit 1
fi
