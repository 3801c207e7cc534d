#!/bin/sh
# Runs every check: ./test.sh
#   --fast     leaves out the browser, worker and TensorFlow tests, for quick turns while you work
#   --coverage also counts what the tests reach; takes longer
#   --nightly  runs the long tests instead of the usual ones
# In CI (CI=true) a skipped test counts as a failure.
set -u

cd "$(dirname "$0")"
. ./pneumoweb/runtime/find_python.sh

usual=yes heavy=yes nightly=no coverage=
for argument in "$@"; do
    case $argument in
        --fast) heavy=no ;;
        --coverage) coverage="--cov --cov-report=" ;;
        --nightly) nightly=yes usual=no heavy=no ;;
        -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
        *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
    esac
done

"$python" -I pneumoweb/runtime/bootstrap.py test || exit 1

# The tests decide about these themselves; a person's own values must not reach them.
unset PNEUMOWEB_VAR DATABASE_URL CELERY_BROKER_URL MEDIA MODELS_DIR SECRET_KEY HOST PORT DEBUG HTTPS ALLOWED_HOSTS
unset DJANGO_SUPERUSER_USERNAME DJANGO_SUPERUSER_PASSWORD DJANGO_SETTINGS_MODULE
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# To the whole group: what the shell starts in the background does not hear Ctrl-C.
trap 'trap "" TERM; kill 0; wait; exit 130' INT TERM
export PNEUMOWEB_ENV_FILE=/dev/null PNEUMOWEB_VAR="$scratch/var"
failed=

# step NAME COMMAND…: says what runs, keeps going after a failure and remembers it.
step() {
    name=$1
    shift
    began=$(date +%s)
    printf '\n--- %s\n' "$name"
    if "$@"; then
        echo "    ok ($(($(date +%s) - began)) s)"
    else
        echo "    FAILED: $name"
        failed="$failed
  $name"
    fi
}

existing() {
    for name in "$@"; do
        if [ -e "$name" ]; then echo "$name"; fi
    done
}

py=.venv/bin/python
# The one list of packages: [tool.importlinter] in pyproject.toml.
packages=$($py -c 'import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["tool"]["importlinter"]["root_packages"])')
python_files="manage.py tests $packages $(existing benchmarks scripts)"

deploy_check() {
    PNEUMOWEB_VAR="$scratch/deploy" HTTPS=true ALLOWED_HOSTS=example.org \
        SECRET_KEY="$($py -c 'import secrets; print(secrets.token_urlsafe(64))')" \
        $py manage.py check --deploy --fail-level WARNING
}

migrations_check() {
    PNEUMOWEB_VAR="$scratch/migrations" $py manage.py makemigrations --check --dry-run
}

scripts_check() {
    for script in run.sh test.sh .ci/run pneumoweb/runtime/find_python.sh $(existing docker/*.sh); do
        sh -n "$script" || return 1
    done
}

# Keeps pytest's exit code through `tee`, and its closing line for the end.
run_pytest() {
    part=$1
    shift
    {
        COVERAGE_FILE="$scratch/.coverage.$part" $py -m pytest -p no:cacheprovider ${CI:+-p tests.support.no_skips} "$@"
        echo $? >"$scratch/$part.code"
    } | tee "$scratch/$part.log"
    tail -n 1 "$scratch/$part.log" >>"$scratch/closing"
    return "$(cat "$scratch/$part.code")"
}

# The browser's tests share their servers, so they stay in one process; it runs beside the others.
# shellcheck disable=SC2086
heavy_tests() {
    run_pytest browser $coverage -m "e2e and not nightly" >"$scratch/browser.out" 2>&1 &
    browser=$!
    run_pytest heavy -n 2 --dist loadfile $coverage -m "(tensorflow or worker) and not (e2e or nightly)"
    code=$?
    wait "$browser" || code=1
    cat "$scratch/browser.out"
    return $code
}

long_tests() {
    run_pytest nightly -m nightly
    code=$?
    [ $code != 5 ] || echo "There is no long test." # pytest's 5: none was selected
    [ $code = 0 ] || [ $code = 5 ]
}

# shellcheck disable=SC2086  # lists of words on purpose
if [ $usual = yes ]; then
    step "ruff check" $py -m ruff check $python_files
    step "ruff format" $py -m ruff format --check $python_files
    step "templates (djlint)" $py -m djlint --lint --quiet templates
    step "imports point downwards (import-linter)" $py -c "from importlinter.cli import lint_imports_command as lint; lint()"
    step "JavaScript (oxlint)" .venv/bin/oxlint --deny-warnings static/js
    step "types (mypy --strict)" $py -m mypy --strict $packages
    step "migrations are complete" migrations_check
    step "production settings (check --deploy)" deploy_check
    step "shell scripts parse" scripts_check
    step "light tests" run_pytest light -n 2 $coverage -m "not (tensorflow or worker or e2e or nightly)"
fi
if [ $heavy = yes ]; then
    step "TensorFlow, worker and browser tests" heavy_tests
fi
if [ $nightly = yes ]; then
    step "long tests" long_tests
elif [ -n "$coverage" ]; then
    printf '\n--- coverage\n'
    $py -m coverage combine --quiet --data-file="$scratch/.coverage" "$scratch"
    $py -m coverage report --data-file="$scratch/.coverage" --skip-covered --skip-empty
fi

printf '\n'
cat "$scratch/closing"
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "Everything passed."
