"""Contents of the installation that the environment names, and whether it goes on working.

python -m tests.upgrade.inside    prints them as JSON; the film and the read that it adds at the end stay
"""

import io
import json
import sys
import time
from typing import Any

import django
import time_machine

from tests.upgrade import past
from tests.upgrade.contents import contents


def look() -> dict[str, Any]:
    """Return contents, audit trail and storage as found, then the outcome of going on."""
    expected = json.loads(past.EXPECTED.read_text(encoding="utf-8"))
    columns = {name: list(table["columns"]) for name, table in expected["tables"].items()}
    noted = f"{expected['audit']['events']}:{expected['audit']['head']}"
    found = contents(columns)
    told = {
        "audit": command("verify_audit", "--json", "--noted", noted),
        "storage": command("check_storage", "--json"),
        "left_to_migrate": left_to_migrate(),
        "refused": {name: refuses(statement) for name, statement in FORBIDDEN.items()},
    }
    with time_machine.travel(past.LOOKED_AT):
        going_on = go_on(expected["secrets"])
    return {"contents": found, **told, "going_on": going_on, "audit_later": command("verify_audit", "--json")}


def command(name: str, *words: str) -> Any:
    """Return what a management command prints as JSON."""
    from django.core.management import call_command

    printed = io.StringIO()
    call_command(name, *words, stdout=printed)
    return json.loads(printed.getvalue())


def left_to_migrate() -> list[str]:
    """Return the migrations that are not applied."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return [str(step) for step, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())]


FORBIDDEN = {
    "audit event changed": "UPDATE diagnosis_auditevent SET verb = 'nothing' WHERE seq = 1",
    "audit event deleted": "DELETE FROM diagnosis_auditevent WHERE seq = 1",
    "signed review changed": "UPDATE reading_review SET finding = 'other' WHERE signed_at IS NOT NULL",
    "signed review deleted": "DELETE FROM reading_review WHERE signed_at IS NOT NULL",
    "adjudication changed": "UPDATE reading_adjudication SET finding = 'other'",
    "adjudication deleted": "DELETE FROM reading_adjudication",
}


def refuses(statement: str) -> bool:
    """Whether the database itself refuses the statement, which is rolled back."""
    from django.db import DatabaseError, connection, transaction

    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError:
        return True
    return False


def go_on(secrets: dict[str, Any]) -> dict[str, Any]:
    """Sign in with password, authenticator app and tokens; send a film, and read it."""
    answers: dict[str, Any] = {}
    for name in ("admin", "locum"):
        answers[f"sign-in {name}"] = sign_in(name).get("/preferences/").status_code
    answers["sign-in auditor"] = by_app(sign_in("auditor"), secrets["app_secret"])
    for name, token in secrets["tokens"].items():
        answers[f"token {name}"] = client(token).get("/api/v1/studies/").status_code
    without_scope = client(secrets["tokens"]["radiologist"]).get("/api/v1/audit/")
    answers["token without the scope"] = without_scope.status_code
    for what, seed in (("film sent again", 52), ("film sent", 999)):
        answer = send(secrets["tokens"]["nurse"], seed)
        answers[what] = [answer.status_code, answer.json().get("reference")]
    answers["film read"] = read_a_film(sign_in("paediatrician"))
    return answers


def client(token: str = "") -> Any:
    """Return a client of the site, with a token where one is given."""
    from django.test import Client

    return Client(headers={"authorization": f"Token {token}"} if token else None)


def sign_in(name: str) -> Any:
    """Return a client that signed in with the person's password."""
    person = client()
    person.post("/accounts/login/", {"username": name, "password": past.PASSWORD})
    return person


def by_app(person: Any, secret: str) -> list[int]:
    """Return how a page answers before and after the code of the authenticator app."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    before = person.get("/audit/").status_code
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    person.post("/accounts/second-factor/authenticate/", {"code": code})
    return [before, person.get("/audit/").status_code]


def send(token: str, seed: int) -> Any:
    """Send a film made of `seed`; 52 is stored already."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from tests.support.inputs.films import chest_like, png

    data = png(chest_like(100, 120, seed=seed))
    film = SimpleUploadedFile("film.png", data, content_type="image/png")
    sent = {"file": film, "project": "ward-7", "subject_code": f"NEW-{seed}"}
    return client(token).post("/api/v1/studies/", sent)


def read_a_film(reader: Any) -> list[int]:
    """Review the new film: return the status, and how often it was and is listed as reviewed."""
    (film,) = reader.get("/api/v1/studies/?q=NEW-999").json()["results"]
    reviewed = "/api/v1/studies/?q=NEW-999&review_state=reviewed"
    before = len(reader.get(reviewed).json()["results"])
    review = {"study": film["id"], "finding": "normal", "confidence": 70}
    given = reader.post("/api/v1/reviews/", json.dumps(review), content_type="application/json")
    return [given.status_code, before, len(reader.get(reviewed).json()["results"])]


if __name__ == "__main__":
    django.setup()
    json.dump(look(), sys.stdout)
