"""Where films are kept: MEDIA is a folder, or s3://bucket/prefix of an S3-compatible object store."""

from pathlib import Path
from typing import Any

_OBJECTS = "s3://"


def media_folder(media: str, var: Path) -> Path:
    """Return the folder of the films; with an object store, the one that would be used without it."""
    return Path(media) if media and not media.startswith(_OBJECTS) else var / "media"


def film_storage(media: str, **access: str) -> dict[str, Any]:
    """Return Django's STORAGES entry for `media`; `access` names the store's address, region and keys.

    Empty ones are left to boto3: its own files, or the role of the machine.
    """
    if not media.startswith(_OBJECTS):
        return {"BACKEND": "diagnosis.storage.filesystem.DurableFileSystemStorage"}
    bucket, _, prefix = media.removeprefix(_OBJECTS).partition("/")
    if not bucket:
        raise ValueError("MEDIA names no bucket: s3://bucket/prefix")
    given = {name: value for name, value in access.items() if value}
    options = {"bucket_name": bucket, "location": prefix.strip("/"), **given}
    return {"BACKEND": "diagnosis.storage.s3.ObjectStorage", "OPTIONS": options}
