"""URLs that must never be fetched: hosts that are not public, in every spelling, and no web addresses."""

from tests.support.servers.internet import PUBLIC_4, PUBLIC_6

# Spellings of hosts in a URL that mean an address which is not public.
PRIVATE_HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1", "0177.0.0.1",
    "017700000001", "0", "0.0.0.0", "127.255.255.254", "①②⑦.0.0.1", "１２７.0.0.1", "127。0。0。1",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "3232235521", "0xc0a80001",
    "169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "100.64.0.1",
    "100.100.100.200", "100.127.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "168.63.129.16", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::7f00:1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[2001:10::1]",
    "[2001:20::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]", "[fc00::1]", "[fd00:ec2::254]",
    "[fe80::1]", "[fec0::1]", "[ff02::1]", "[4000::1]", "localhost", "LOCALHOST", "localhost.",
    "db.internal", "mixed.example", "second.example", "six.example",
]  # fmt: skip
NAMES = {
    "localhost": [["127.0.0.1", "::1"]],
    "localhost.": [["127.0.0.1"]],
    "db.internal": [["10.1.2.3"]],
    "mixed.example": [[PUBLIC_4, "10.0.0.5"]],
    "second.example": [["::1", PUBLIC_4]],
    "six.example": [[PUBLIC_6, "fd00::1"]],
}
INVALID_URLS = [
    "", "   ", "film.png", "films.example/film.png", "//films.example/film.png",
    "http:/films.example/film.png", "http://", "http:///film.png", "http://:80/", "https://?x",
    "ftp://films.example/film.png", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL",
    "data:image/png;base64,AAAA", "javascript:alert(1)", "unix:///var/run/docker.sock",
    "dict://127.0.0.1:11211/stats", "jar:http://films.example!/film.png", "http://films.example:22/",
    "http://films.example:6379/", "http://films.example:8000/", "http://127.0.0.1:5432/",
    "http://films.example:0/", "http://films.example:99999/", "http://films.example:80:80/",
    "http://films.example:x/", "http://user@films.example/", "http://user:word@films.example/",
    "http://films.example@127.0.0.1/", "http://127.0.0.1@films.example/",
    "http://127.0.0.1\\@films.example/", "http://a@b@127.0.0.1/", "http://films.example%00.internal/",
    "http://127.0.0.1%2f@films.example/", "http://films.exam\nple/",
    "http://films.example/a\r\nHost: other", "http://films.example/\x00", "http://films.example\t/",
    "http://films example/", "http://films.example:/", "http://[films.example]/", "http://[::1/",
    "http://::1/", "http://[fe80::1%25eth0]/", "http://[::1]extra/", "http://[not-an-address]/",
    "http://films.example\\.internal/", "http://films,example/", "http://*.example/",
    "http://" + "a" * 70 + ".example/", "http://ﬁlms℀example/",
]  # fmt: skip
