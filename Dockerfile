# Builds the relay's executable and puts it into an image that holds it, libc, and nothing else: no shell, no
# package manager, no folder to write to, no key and no secret.
FROM node:22-bookworm-slim AS system

# This stage runs on the machine that builds, whatever the image is for.
FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS build
WORKDIR /src
COPY deno.json deno.lock ./
COPY shared shared
COPY server server
COPY client client
COPY scripts scripts
# Commit and day for --version, such as "1a2b3c4d5e6f 2026-01-31"; the build has no git.
ARG CMDCHAT_BUILT_FROM=
# amd64 or arm64, as the builder says; this machine's where it does not.
ARG TARGETARCH=
RUN case "${TARGETARCH:-$(uname -m)}" in arm64|aarch64) cpu=aarch64 ;; *) cpu=x86_64 ;; esac; \
  npx -y deno@2.9.6 task compile --target "$cpu-unknown-linux-gnu"
# libc and the loader of the platform that the image is for: nothing of that system runs here.
RUN --mount=type=bind,from=system,target=/system \
  sh scripts/build/image_root.sh dist/cmdchat-server /image /system

FROM scratch
COPY --from=build /image /
# Any user without a name will do: the program owns no file and writes none.
USER 65532:65532
# The pages for health and metrics are for this container alone.
ENV CMDCHAT_HOST=0.0.0.0 CMDCHAT_PORT=5050 CMDCHAT_ADMIN_LISTEN=127.0.0.1:5051
EXPOSE 5050
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
  CMD ["/usr/local/bin/cmdchat-server", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/cmdchat-server"]
