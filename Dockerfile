# Two targets, one content: `web` (also for setup and beat), without TensorFlow, and `worker`.
#   docker build --target web -t pneumoweb-web .
#   docker build --target worker -t pneumoweb-worker .
# The packages are compiled to bytecode here: the running container has a read-only root.
FROM python:3.11-slim-bookworm AS web-packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements-web.txt .
RUN /venv/bin/pip install --no-deps --require-hashes -r requirements-web.txt

FROM web-packages AS worker-packages
COPY requirements.txt .
RUN /venv/bin/pip install --no-deps --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm AS base
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PNEUMOWEB_VAR=/data HOME=/tmp
WORKDIR /app
RUN useradd --uid 10001 --no-create-home pneumoweb
RUN install -d -o pneumoweb -g pneumoweb -m 700 /data /data/tmp
# .dockerignore lets through only what belongs in the image.
COPY . .
RUN python -m compileall -q .
USER pneumoweb
VOLUME /data

FROM base AS web
COPY --from=web-packages /venv /venv
EXPOSE 8000
# Uploads on their way lie beside the films: /tmp is memory. Two web processes add up what they count for
# /metrics; memory, so that each start begins at zero.
ENV TMPDIR=/data/tmp PROMETHEUS_MULTIPROC_DIR=/dev/shm/pneumoweb-metrics
# As pneumoweb/runtime/processes.py: what a film needed goes back to the system.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1000000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz', headers={'Host': 'localhost', 'X-Forwarded-Proto': 'https'}); raise SystemExit(c.getresponse().status >= 500)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "16", \
     "--timeout", "60", "--graceful-timeout", "10", "--keep-alive", "30", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", \
     "--logger-class", "pneumoweb.runtime.web_log.WebLogger", "pneumoweb.wsgi"]

FROM base AS worker
COPY --from=worker-packages /venv /venv
# Asks for work that was done, not for a ping: a worker that only restarts answers pings too.
HEALTHCHECK --interval=60s --timeout=20s --start-period=180s CMD ["python", "manage.py", "check_worker"]
CMD ["celery", "--app", "pneumoweb", "worker", "--loglevel", "INFO", "--pool", "prefork", "--concurrency", "1", \
     "--without-mingle", "--without-gossip"]
