"""The rules of the code, read from the code: imports, endpoints, services, budgets, types."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.support.sources import APPS, PACKAGES, ROOT, Source, is_endpoint, is_model, sources

MAX_FILE, MAX_FUNCTION, MAX_TASK = 400, 40, 5
MAX_FOLDER, MAX_SHARE = 20, 0.12


def report(rule: str, offences: list[str]) -> None:
    """Fail with the rule and every place that breaks it, one a line."""
    assert not offences, f"{rule}\n  " + "\n  ".join(offences)


# --- Imports ------------------------------------------------------------------------------------------

NETWORK = {"tensorflow", "keras"}
FRAMEWORKS = {"django", "rest_framework", "celery", "kombu", "environ"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import between our own modules, those under TYPE_CHECKING and inside functions included."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_packages_import_downwards_only() -> None:
    """The layers stand in pyproject.toml, [tool.importlinter]."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_imports_itself_through_others(graph: grimp.ImportGraph) -> None:
    imports = {
        module: graph.find_modules_directly_imported_by(module)
        for module in graph.modules
        if ".migrations" not in module
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"A circle of modules: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_no_framework_that_it_must_not_know(package: str) -> None:
    forbidden = FRAMEWORKS if package == "pneumoml" else NETWORK
    offences = [
        f"{source.name}:{line} imports {name}"
        for source in sources(package)
        for line, name in source.imports()
        if name.partition(".")[0] in forbidden
    ]
    report(f"{package} must not import {', '.join(sorted(forbidden))}:", offences)


def test_models_import_no_service_and_no_endpoint() -> None:
    values = ("core.", "accounts.roles.", "reading.region.", "pneumoml.")
    allowed = (*values, *(f"{app}.models." for app in APPS))
    offences = [
        f"{source.name}:{line} imports {name}"
        for source in sources(*APPS)
        if is_model(source)
        for line, name in source.imports()
        if name.partition(".")[0] in PACKAGES and not name.startswith(allowed)
    ]
    report("Models are below the services and import none of them:", offences)


def test_services_import_no_endpoint() -> None:
    endpoints = {
        source.name.removesuffix(".py").replace("/", ".") for source in sources() if is_endpoint(source)
    }
    offences = [
        f"{source.name}:{line} imports {name}"
        for source in sources(*APPS)
        if not is_endpoint(source) and not source.name.endswith("/apps.py")
        for line, name in source.imports()
        if name in endpoints or name.rpartition(".")[0] in endpoints
    ]
    report("Endpoints call services, never the other way round:", offences)


LOAD_EVERYTHING = """
import sys
import pneumoweb.wsgi
import pneumoweb.celery
import diagnosis.tasks
from django.contrib.admin import autodiscover
from tests.support.routes import all_routes
autodiscover()
assert len(all_routes()) > 50
pneumoweb.celery.app.loader.import_default_modules()
heavy = {"tensorflow", "keras", "jax", "torch", "pydicom", "gdcm", "scipy", "sklearn", "matplotlib", "h5py"}
heavy |= {"pandas", "reportlab", "xlsxwriter", "boto3", "botocore", "kagglehub"}
print(sorted({name.partition(".")[0] for name in sys.modules} & heavy))
"""


def test_web_process_and_celerys_parent_load_neither_the_network_nor_other_heavy_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_EVERYTHING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", "wsgi, urls, admin and tasks together loaded these"


# --- Endpoints and services ---------------------------------------------------------------------------

ALWAYS_WRITE = {"save", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "save_m2m"}
WRITE_ON_A_QUERYSET = {"create", "update", "delete", "add", "set", "clear", "remove"}
QUERYSET_WORDS = (".objects", ".filter(", ".exclude(", "_manager", "get_queryset", "queryset")
# Where an endpoint may write after all, each with its reason.
MAY_WRITE: dict[str, str] = {}


def writes(source: Source) -> Iterator[str]:
    for call, text in source.calls():
        owner, _, name = text.rpartition(".")
        on_queryset = any(word in owner for word in QUERYSET_WORDS)
        if owner.startswith("super()"):
            continue
        if (
            name in ALWAYS_WRITE
            or (name in WRITE_ON_A_QUERYSET and on_queryset)
            or text.endswith("instance.delete")
        ):
            yield f"{source.name}:{call.lineno} calls {text}()"


def test_endpoints_write_no_rows() -> None:
    endpoints = [source for source in sources(*APPS) if is_endpoint(source)]
    assert len(endpoints) > 20
    offences = [offence for source in endpoints if source.name not in MAY_WRITE for offence in writes(source)]
    report("Endpoints parse, call one service and render; rows are written by services:", offences)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def services() -> Iterator[tuple[Source, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Public functions that somebody does: those that take an actor."""
    for source in sources(*APPS):
        if is_endpoint(source):
            continue
        for function in source.functions():
            if not function.name.startswith("_") and any(arg.arg == "actor" for arg in parameters(function)):
                yield source, function


def test_services_take_typed_arguments_by_keyword_only() -> None:
    found = list(services())
    assert {"submit_study", "request_prediction", "move_to_trash", "review_study", "activate", "record"} <= {
        function.name for _, function in found
    }
    offences = []
    for source, function in found:
        place = f"{source.name}:{function.lineno} {function.name}"
        if function.args.args or function.args.posonlyargs or function.args.vararg:
            offences.append(f"{place} takes arguments by position")
        offences += [
            f"{place}: {arg.arg} has no type" for arg in parameters(function) if arg.annotation is None
        ]
    report("Services take keyword-only typed arguments:", offences)


def test_services_know_no_request() -> None:
    offences = [
        f"{source.name}:{line} imports {name}"
        for source in sources(*APPS, "pneumoml")
        if not is_endpoint(source)
        for line, name in source.imports()
        if name.rpartition(".")[2] in ("HttpRequest", "Request", "HttpResponse", "Response")
    ]
    report("What is not an endpoint takes values, never a request, and gives no response:", offences)


# Signals of Django, Celery and libraries, used where there is no other way to learn of an event.
MAY_LISTEN = {
    "core/middleware/request_id.py": "the number of a request goes along with its Celery messages",
    "audit/trail.py": "sign-ins happen inside Django",
    "diagnosis/tasks.py": "a worker's start happens inside Celery",
    "accounts/second_factor.py": "authenticator apps and passkeys are set up inside allauth",
    "accounts/views/sign_in.py": "a wrong code is recorded like a wrong password, by Django's signal",
    "accounts/api/auth.py": "likewise",
}


def test_no_logic_hides_in_signals_or_save() -> None:
    offences = []
    for source in sources(*APPS):
        if source.name not in MAY_LISTEN:
            offences += [
                f"{source.name}:{line} imports {name}"
                for line, name in source.imports()
                if ".signals" in name
            ]
        if is_model(source):
            offences += [
                f"{source.name}:{function.lineno} overrides {function.name}()"
                for function in source.functions()
                if function.name in ("save", "delete", "asave", "adelete", "__init__")
            ]
    report("Domain logic is in services, not in signals or save():", offences)


# --- Budgets ------------------------------------------------------------------------------------------


def test_every_module_begins_with_one_line_that_says_what_belongs_in_it() -> None:
    offences = []
    for source in sources(*PACKAGES, "tests"):
        first_line = (ast.get_docstring(source.tree, clean=False) or "").partition("\n")[0]
        is_empty = not source.tree.body
        if not is_empty and (not first_line or first_line[-1] not in ".?!"):
            offences.append(f"{source.name} begins with “{first_line}”")
    report("The docstring's first line is a sentence:", offences)


def test_no_file_is_longer_than_its_budget() -> None:
    lengths = {source.name: len(source.text.splitlines()) for source in sources(*PACKAGES, "tests")}
    offences = [f"{name} has {lines}" for name, lines in lengths.items() if lines > MAX_FILE]
    report(f"A file has at most {MAX_FILE} lines; divide it:", offences)


def test_no_folder_holds_too_many_files_beside_each_other() -> None:
    folders = Counter(str(Path(source.name).parent) for source in sources(*PACKAGES, "tests"))
    offences = [f"{folder} holds {count}" for folder, count in folders.items() if count > MAX_FOLDER]
    report(f"A folder holds at most {MAX_FOLDER} Python files; divide it into packages:", offences)


def test_no_package_holds_too_much_of_the_code() -> None:
    lengths: Counter[str] = Counter()
    for source in sources(*PACKAGES):
        lengths[str(Path(source.name).parent)] += len(source.text.splitlines())
    limit = MAX_SHARE * lengths.total()
    offences = [f"{package} has {lines} lines" for package, lines in lengths.items() if lines > limit]
    report(f"A package's own files are at most {MAX_SHARE:.0%} of the code:", offences)


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count from `def` to the end, without the docstring."""
    first, end = function.body[0], function.end_lineno or function.lineno
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return end - function.lineno + 1 - docstring


def test_no_function_is_longer_than_its_budget() -> None:
    offences = [
        f"{source.name}:{function.lineno} {function.name} has {lines_of(function)}"
        for source in sources()
        for function in source.functions()
        if lines_of(function) > MAX_FUNCTION
    ]
    report(f"A function has at most {MAX_FUNCTION} lines besides its docstring:", offences)


def test_no_task_does_more_than_call_a_service() -> None:
    tasks = [
        (source, function)
        for source in sources(*APPS)
        for function in source.functions()
        if any("shared_task" in ast.unparse(decorator) for decorator in function.decorator_list)
    ]
    assert len(tasks) >= 3
    offences = [
        f"{source.name}:{function.lineno} {function.name} has {lines_of(function)}"
        for source, function in tasks
        if lines_of(function) > MAX_TASK
    ]
    report(f"A Celery task has at most {MAX_TASK} lines:", offences)


# --- Types and style ----------------------------------------------------------------------------------


def configuration() -> dict[str, dict[str, object]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        tools: dict[str, dict[str, object]] = tomllib.load(file)["tool"]
    return tools


def test_types_are_checked_strictly_without_relaxing_our_own_packages() -> None:
    mypy = configuration()["mypy"]
    assert mypy["strict"] is True
    overrides = mypy["overrides"]
    assert isinstance(overrides, list)
    for override in overrides:
        assert set(override) == {"module", "ignore_missing_imports"}, override
        own = [name for name in override["module"] if name.partition(".")[0] in PACKAGES]
        assert not own, f"mypy must check {own} like everything else"


def in_package(place: str) -> bool:
    """Whether a path of the configuration lies in one of our packages."""
    return place.partition("/")[0] in PACKAGES


def test_complexity_is_limited_and_no_module_is_excused() -> None:
    lint = configuration()["ruff"]["lint"]
    assert isinstance(lint, dict)
    assert "C90" in lint["select"]
    assert lint["mccabe"]["max-complexity"] <= 10
    starts_programs = {"S603", "S607"}  # a named file may be excused from these, and from nothing else
    ours = {place: set(rules) for place, rules in lint["per-file-ignores"].items() if in_package(place)}
    assert not {place: rules - starts_programs for place, rules in ours.items() if rules - starts_programs}
    offences = [f"{source.name}" for source in sources() if "noqa: C901" in source.text]
    report("No function is excused from the limit of complexity:", offences)


def test_expected_failures_are_told_apart_by_code_never_by_text() -> None:
    offences = []
    for source in sources():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler) and node.name:
                texts = [ast.unparse(test) for test in ast.walk(node) if isinstance(test, ast.Compare)]
                offences += [
                    f"{source.name}:{node.lineno} compares {text}"
                    for text in texts
                    if f"str({node.name})" in text
                ]
    report("Failures have a code; their text is for people:", offences)


def test_a_stored_film_is_never_saved_as_a_whole() -> None:
    saves = re.compile(r"\b(?:study|film|trashed)\.save\((?!update_fields|force_insert)")
    offences = [source.name for source in sources() if saves.search(source.text)]
    report("Triggers keep columns of a film; save(update_fields=…) leaves those alone:", offences)
