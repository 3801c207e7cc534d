"""An installation of version 0.1.0 is migrated and restored by today's code, and its answers are compared.

`data/` holds that installation as its own code left it: a backup, both databases, and what they contain
(`expected.json`). The modules that made it, make_fixture, make_people and make_films, need the code of 0.1.0
and lie beside it in the history. To make it anew: `git worktree add ../pneumoweb-0.1.0 2348de3`, then in that
folder `python -m tests.upgrade.make_fixture`.
"""
