"""Every setting, read from the environment (and .env), safe by default."""

import os
from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from core.secrets import load_or_create_secret
from core.version import API_VERSION
from pneumoweb.runtime.broker import BrokerError, broker_for
from pneumoweb.runtime.database import with_options
from pneumoweb.runtime.media import film_storage, media_folder

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()  # NAME_FILE names a file that holds the value of NAME: secrets of containers
env.read_env(env.str("PNEUMOWEB_ENV_FILE", default="") or BASE_DIR / ".env")

# --- Where data lives -------------------------------------------------------------------------------
VAR_DIR = Path(env.str("PNEUMOWEB_VAR", default=str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)
MEDIA = env.str("MEDIA", default="")
MEDIA_ROOT = media_folder(MEDIA, VAR_DIR)
MODELS_DIR = Path(env.str("MODELS_DIR", default=str(BASE_DIR / "pneumoml" / "models")))

# --- Security ---------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or load_or_create_secret(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The embedded installation serves plain HTTP on loopback; behind TLS set HTTPS=true.
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=8) * 3600
SESSION_SAVE_EVERY_REQUEST = True  # an idle limit, not an absolute one
SESSION_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

# --- Applications -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_htmx",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "core",
    "audit",
    "accounts",
    "diagnosis",
    "reading",
    "insight",
    "operations",
]
MIDDLEWARE = [
    "core.middleware.request_log.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.middleware.sessions.SessionRenewalMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PersonsLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.htmx_login.HtmxLoginMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "pneumoweb.urls"
WSGI_APPLICATION = "pneumoweb.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "diagnosis.context_processors.reading_room",
            ],
        },
    },
]

# --- Database: SQLite in one file, or DATABASE_URL ----------------------------------------------------
DATABASES = {
    "default": with_options(env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}"))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Who may sign in --------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_HANDLER = "accounts.login_attempts.CountFirstHandler"
AXES_CLIENT_IP_CALLABLE = "accounts.login_attempts.client_address"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # what is refused unchecked is no failure
NUM_PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = env.int("NUM_PROXIES", default=0)

# --- Second factor: allauth's pages, without sign-up and without e-mail -------------------------------
ADMIN_SECOND_FACTOR = env.bool("ADMIN_SECOND_FACTOR", default=True)
ACCOUNT_ADAPTER = "accounts.views.sign_in.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.int("REAUTHENTICATION_MINUTES", default=15) * 60
MFA_ADAPTER = "accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "accounts.views.sign_in.SignInCode",
    "reauthenticate": "accounts.views.sign_in.CodeAgain",
}
MFA_TOTP_ISSUER = "pneumoweb"
MFA_TOTP_TOLERANCE = 1  # phones' clocks differ by some seconds
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # there are no verified addresses here

# --- Language, time, static files -------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch"), ("es", "Español")]  # each in its own words
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "pneumoweb.formats"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": film_storage(
        MEDIA,
        endpoint_url=env.str("AWS_S3_ENDPOINT_URL", default=""),
        region_name=env.str("AWS_S3_REGION_NAME", default=""),
        access_key=env.str("AWS_ACCESS_KEY_ID", default=""),
        secret_key=env.str("AWS_SECRET_ACCESS_KEY", default=""),
    ),
    "staticfiles": {"BACKEND": "pneumoweb.static_storage.StaticStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o640

# --- Films: limits of what is accepted --------------------------------------------------------------
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_MB", default=50) * 1024 * 1024
MAX_FILES_PER_UPLOAD = DATA_UPLOAD_MAX_NUMBER_FILES = 500
FILE_UPLOAD_HANDLERS = [
    "diagnosis.intake.upload_handlers.CappedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
INCOMING_FORGOTTEN_AFTER_SECONDS = 900  # a film is stored, or refused, within a minute
# --- Batches: limits of an archive, and how long a worker unpacks before it analyses films again
MAX_BATCH_BYTES = env.int("MAX_BATCH_MB", default=1024) * 1024 * 1024
BATCH_MAX_FILES = 2000
BATCH_MAX_UNPACKED_BYTES = 20 * 1024**3
BATCH_MAX_RATIO = 200  # unpacked to packed size of one file of more than a megabyte
BATCH_STEP_SECONDS = 0.5
BATCH_LEASE_SECONDS = 60  # renewed after each file; decoding one takes 20 s at most
URL_INTAKE = env.bool("URL_INTAKE", default=False)
URL_INTAKE_MAX_BYTES = 25 * 1024 * 1024
URL_INTAKE_TOTAL_SECONDS = 20
# Only for tests and closed networks: hosts (name or address) that may be fetched although they are private.
URL_INTAKE_ALLOWED_HOSTS = env.list("URL_INTAKE_ALLOWED_HOSTS", default=[])

# --- The model --------------------------------------------------------------------------------------
# oneDNN's kernels, which TensorFlow leaves off by default on CPUs without AVX512: a seventh less computing.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
PREDICTION_PRECISION = env.str("PREDICTION_PRECISION", default="auto")
if PREDICTION_PRECISION not in ("auto", "float32", "bfloat16"):
    raise ImproperlyConfigured("PREDICTION_PRECISION must be auto, float32 or bfloat16.")
GRADCAM_LAYER = env.str("GRADCAM_LAYER", default="block5_conv3")
GRADCAM_COLOUR_MAP = env.str("GRADCAM_COLOUR_MAP", default="JET")
GRADCAM_ALPHA = env.float("GRADCAM_ALPHA", default=0.4)

# --- Notifications: in the page always, by e-mail where EMAIL_URL is set ------------------------------
NOTIFICATION_DAYS = 90
EMAIL_URL = env.str("EMAIL_URL", default="")
vars().update(environ.Env.email_url_config(EMAIL_URL or "dummymail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="pneumoweb@localhost")
SITE_URL = env.str("SITE_URL", default="").rstrip("/")  # a worker has no request to take it from

# --- Celery: the row is the queue, a message only says that one waits ---------------------------------
PREDICTION_TIME_LIMIT_SECONDS = 120
PREDICTION_LEASE_SECONDS = 30  # renewed every third of it while the worker lives
PREDICTION_MAX_ATTEMPTS = 3
RECONCILE_SECONDS = 5
RECONCILE_QUEUED_AFTER_SECONDS = 15
HEARTBEAT_SECONDS = 15
MAIL_SECONDS = 30
PURGE_SECONDS = 3600
FIGURES_SECONDS = 60
TRASH_DAYS = env.int("TRASH_DAYS", default=0)  # 0: films in the trash are never deleted
WORKER_SILENT_AFTER_SECONDS = 60
PREDICT_WAIT_SECONDS = env.int("PREDICT_WAIT_SECONDS", default=30)

try:
    BROKER = broker_for(env.str("CELERY_BROKER_URL", default=""), VAR_DIR)
except BrokerError as error:
    raise ImproperlyConfigured(str(error)) from error
CELERY_BROKER_URL = BROKER.url
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "retry_on_timeout": False,
    "queue_order_strategy": "pneumoweb.queue_order:SingleFilmsFirst",
}
# Single films come first (pneumoweb/queue_order.py); the other queues are served in rotation.
CELERY_TASK_QUEUES = [Queue("celery"), Queue("unpack"), Queue("batch")]
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = PREDICTION_TIME_LIMIT_SECONDS
CELERY_TASK_SOFT_TIME_LIMIT = PREDICTION_TIME_LIMIT_SECONDS * 0.9
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A film under analysis is finished although the broker is gone: its lease keeps other workers away.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 120
CELERY_WORKER_MAX_TASKS_PER_CHILD = 2000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 2_500_000  # kB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "reconcile": {
        "task": "diagnosis.tasks.reconcile",
        "schedule": RECONCILE_SECONDS,
        "options": {"expires": RECONCILE_SECONDS},
    },
    "mail": {
        "task": "diagnosis.tasks.mail",
        "schedule": MAIL_SECONDS,
        "options": {"expires": MAIL_SECONDS},
    },
    "purge_trash": {
        "task": "reading.tasks.purge_trash",
        "schedule": PURGE_SECONDS,
        "options": {"expires": PURGE_SECONDS},
    },
    "refresh_figures": {
        "task": "insight.tasks.refresh_figures",
        "schedule": FIGURES_SECONDS,
        "options": {"expires": FIGURES_SECONDS},
    },
    "audit head": {"task": "diagnosis.tasks.export_audit_head", "schedule": crontab(hour=3, minute=17)},
    "heartbeat": {
        "task": "diagnosis.tasks.heartbeat",
        "schedule": HEARTBEAT_SECONDS,
        "options": {"expires": HEARTBEAT_SECONDS},
    },
}

# --- REST -------------------------------------------------------------------------------------------
DISCLAIMER = "Research and education only. Not for clinical use."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.DisclaimerJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "core.api.parsers.CappedJSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "core.api.openapi.ProblemAutoSchema",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "login": env.str("THROTTLE_LOGIN", default="10/min"),
        "upload": env.str("THROTTLE_UPLOAD", default="600/min"),
    },
    "DEFAULT_VERSIONING_CLASS": None,
    "NUM_PROXIES": NUM_PROXIES,
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "core.api.problem.ProblemHandler",
    "EXCEPTION_FORMATTER_CLASS": "core.api.problem.ProblemFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "415", "429", "500"],
}
REST_KNOX = {"TOKEN_TTL": timedelta(hours=env.int("TOKEN_HOURS", default=10))}
SPECTACULAR_SETTINGS = {
    "TITLE": "pneumoweb",
    "DESCRIPTION": f"A chest X-ray reading room for clinical studies of pneumonia. **{DISCLAIMER}**",
    "VERSION": API_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "StudySourceEnum": "diagnosis.models.Study.Source",
        "BatchSourceEnum": "diagnosis.models.Batch.Source",
        "BatchStateEnum": "diagnosis.models.Batch.State",
        "ModelStateEnum": "diagnosis.models.ModelVersion.State",
        "PredictionStatusEnum": "diagnosis.models.Prediction.Status",
        "OutcomeEnum": "diagnosis.models.Prediction.Outcome",
        "HealthStatusEnum": "operations.api.health.HEALTH_STATUS",
        "ReadinessStatusEnum": "operations.api.health.READINESS_STATUS",
    },
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.openapi.add_disclaimer",
    ],
}

# --- Logs -------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "chosen": {
            "()": "core.middleware.log_format.formatter",
            "log_format": env.str("LOG_FORMAT", default="text"),
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "chosen"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "celery.beat": {"level": "WARNING"},  # otherwise a line for every pass of the scheduler
        "PIL": {"level": "INFO"},  # its DEBUG lines hold what a film's EXIF says
    },
}
# The token that opens /metrics; without one it is closed.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
