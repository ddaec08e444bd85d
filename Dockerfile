# One image for the API and the worker; the command says which. Build with --build-arg GPU=1 for CUDA machines.
FROM python:3.11-slim-bookworm

ARG GPU=0
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    ROOST_DATA=/data \
    ROOST_CACHE=/data/cache \
    ROOST_LOG_FORMAT=json

WORKDIR /srv/roost

# The dependencies change rarely and weigh most: a layer of their own. faiss-gpu takes the place of faiss-cpu.
COPY requirements.lock ./
RUN if [ "$GPU" = "1" ]; then \
        pip install --require-hashes -r requirements.lock \
        && pip uninstall --yes faiss-cpu \
        && pip install "faiss-gpu>=1.12,<2"; \
    else \
        pip install --require-hashes -r requirements.lock; \
    fi

COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY workers ./workers
COPY models ./models
RUN pip install --no-deps . \
    && useradd --create-home --uid 10001 roost \
    && install --directory --owner=roost --group=roost /data

USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["roost", "serve", "--host", "0.0.0.0", "--port", "8080"]
