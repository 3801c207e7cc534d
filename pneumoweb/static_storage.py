"""Static files with hashes in their names, also where a JavaScript module imports another."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """WhiteNoise's storage that rewrites the imports of our own modules.

    Django's support_js_module_import_aggregation rewrites every package's scripts and fails at
    django_htmx/ext/hx-sse-2.js, which imports a file that the package does not have.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (r"""(?P<matched>\bfrom "(?P<url>\.[^"]+)")""", 'from "%(url)s"'),
                (r"""(?P<matched>\bimport "(?P<url>\.[^"]+)")""", 'import "%(url)s"'),
            ),
        ),
    )
