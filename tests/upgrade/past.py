"""The moments, names and passwords that the stored installation was made with."""

from datetime import UTC, datetime
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
BACKUP = DATA / "backup.tar.gz"
SQLITE = DATA / "db.sqlite3.gz"
POSTGRESQL = DATA / "postgresql.sql.gz"
EXPECTED = DATA / "expected.json"

BEGUN = datetime(2026, 10, 5, 8, 0, 0, 123457, tzinfo=UTC)  # moments are kept to the microsecond
LOOKED_AT = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)  # when everything is requested

PASSWORD = "chest film upgrade"
PEOPLE = {
    "nurse": ["uploader"],
    "clerk": ["uploader"],
    "paediatrician": ["reader"],
    "radiologist": ["reader"],
    "consultant": ["reader"],
    "auditor": ["auditor"],
    "head": ["uploader", "reader", "administrator"],
    "locum": [],
}
# The first encrypts the second factors, the second makes the pseudonyms of DICOM.
SECRET_KEY = "the-secret-key-of-the-stored-installation-0123456789-abcdefghijklmnop"
PSEUDONYM_KEY = "the-pseudonym-key-of-the-stored-installation-0123456789"

# Tables that a backup leaves out: sessions, heartbeats, rollups that are computed anew.
NOT_BACKED_UP = (
    "django_session",
    "diagnosis_workerstatus",
    "insight_dayfigures",
    "insight_changedhour",
)
