"""ZIP archives made in code: ordinary ones, and every kind that must not be unpacked."""

import io
import stat
import struct
import zipfile

from tests.support.inputs.films import chest_png


def zip_of(*contents: bytes, names: list[str] | None = None, packed: bool = False) -> bytes:
    """Return an archive of these files, by default under names that attempt path traversal."""
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(names[number] if names else f"../../etc/Smith_John_{number}.png", content)
    return buffer.getvalue()


def films_zip(count: int, *, first: int = 0) -> bytes:
    """Return an archive of that many different films."""
    return zip_of(*(chest_png(seed=first + number) for number in range(count)))


def bomb_zip(megabytes: int = 40) -> bytes:
    """Return a small archive of one file of zeros, compressed a thousandfold."""
    return zip_of(bytes(megabytes * 1024 * 1024), packed=True)


def zip_with_link() -> bytes:
    """Return an archive of a film and of a symbolic link to the password file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("film.png", chest_png())
        link = zipfile.ZipInfo("link.png")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return buffer.getvalue()


def encrypted_zip() -> bytes:
    """Return an archive of a film whose flags say that it is locked with a password."""
    data = bytearray(zip_of(chest_png()))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + offset
        data[place] |= 1
    return bytes(data)


def zip_with_wrong_checksum() -> bytes:
    """Return an archive of two films, one bit of the first inverted."""
    data = bytearray(films_zip(2))
    place = data.index(b"IDAT") + 40
    data[place] ^= 1
    return bytes(data)


def zip_claiming_many(entries: int) -> bytes:
    """Return an archive whose ZIP64 record, which Python uses, declares that many entries."""
    data = films_zip(1)
    end = data.rindex(b"PK\x05\x06")
    size, offset = struct.unpack("<LL", data[end + 12 : end + 20])
    record = b"PK\x06\x06" + struct.pack(
        "<QHHLLQQQQ", 44, 45, 45, 0, 0, entries, entries, size * entries, offset
    )
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, end, 1)
    return data[:end] + record + locator + data[end:]
