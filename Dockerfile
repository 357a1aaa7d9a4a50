# Builds the relay's executable and puts it on a Debian that holds nothing else of ours.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY deno.json deno.lock ./
COPY shared shared
COPY server server
COPY client client
COPY scripts scripts
RUN npx -y deno@2.9.6 task compile

FROM debian:bookworm-slim
COPY --from=build /src/dist/cmdchat-server /usr/local/bin/cmdchat-server
# Any user without a name will do: the program owns no file and writes none.
USER 65532:65532
ENV CMDCHAT_HOST=0.0.0.0 CMDCHAT_PORT=5050
EXPOSE 5050
# Opens a connection and closes it; the relay sees a client that went away.
HEALTHCHECK --interval=30s --timeout=3s --start-period=3s \
  CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/$CMDCHAT_PORT\""]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/cmdchat-server"]
