# One image for every role: the argument says which (worker, relay, clock, migrate, ...).
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CONSTRAINT=/src/constraints.txt \
    PIP_BUILD_CONSTRAINT=/src/constraints.txt
WORKDIR /src
RUN python -m venv /opt/interlock
# The dependencies first, around an empty package: this layer is made anew only when they change.
COPY pyproject.toml constraints.txt ./
RUN touch README.md \
    && /opt/interlock/bin/pip install --quiet '.[server,notify,dashboard]' \
    && /opt/interlock/bin/pip uninstall --quiet --yes interlock \
    && rm -rf README.md build ./*.egg-info
COPY README.md LICENSE ./
COPY messages messages
COPY store store
COPY workers workers
RUN /opt/interlock/bin/pip install --quiet --no-deps .

FROM python:3.11-slim
RUN groupadd --gid 10001 interlock \
    && useradd --uid 10001 --gid interlock --create-home --shell /usr/sbin/nologin interlock
COPY --from=build /opt/interlock /opt/interlock
ENV PATH=/opt/interlock/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    INTERLOCK_LOG_FORMAT=json
USER 10001:10001
WORKDIR /home/interlock
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["interlock", "doctor", "--json"]
ENTRYPOINT ["interlock"]
CMD ["worker"]
