# The base image: pyinit as PID 1 over /service. Derive from it and copy service directories in:
#
#     FROM pyinit
#     COPY rootfs/ /
#
# Written for the classic builder as well: no mounts, no here-documents, no COPY --chmod.

FROM debian:trixie-slim AS python
# Debian's own interpreter: it arrives compiled, and python3-prctl needs no compiler here. That is what calls prctl(2).
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 python3-prctl \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old \
    /var/log/apt /var/log/dpkg.log /var/log/alternatives.log

FROM python AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends lowdown
COPY docs/commands /build/docs/commands
COPY tools/man /build/tools/man
RUN sh /build/tools/man /out/usr/share/man/man8
COPY LICENSE /out/usr/share/doc/pyinit/copyright
COPY pyinit /out/usr/lib/pyinit/pyinit
COPY bin /out/usr/bin
# The launcher is told its interpreter, isolated and without site, which would be a quarter of every start.
# Bytecode is never checked against its source, so that a read-only root is as quick.
# Modes are set: a checkout made under a strict umask must not shut out what setuidgid runs.
RUN sed -i -e '1c #!/usr/bin/python3 -IS' /out/usr/bin/pyinit \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -d /usr/lib/pyinit/pyinit /out/usr/lib/pyinit/pyinit \
 && mkdir /out/service \
 && chmod -R u=rwX,go=rX /out

FROM python
ARG VERSION=
LABEL org.opencontainers.image.title="pyinit" \
      org.opencontainers.image.description="A container's PID 1 that supervises and logs like daemontools" \
      org.opencontainers.image.licenses="ISC" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.base.name="docker.io/library/debian:trixie-slim"
COPY --from=build /out/ /
STOPSIGNAL SIGTERM
# Unhealthy: a service that nobody supervises, that cannot be looked at, or that is down without being meant to be. The
# classic builder knows no start interval, so the interval itself is short: healthy seconds after readiness.
HEALTHCHECK --interval=2s --timeout=5s --start-period=60s --retries=3 \
    CMD ! svstat 2>&1 | grep -E ': (supervise not running|.*unable to |down .*, (normally up|want up))'
ENTRYPOINT ["pyinit"]
