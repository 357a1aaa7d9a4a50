#!/bin/sh
# Builds the executables of a release so that building again gives the same bytes: `release_build.sh [--all]`, in a
# clone without changes. `deno compile` puts the times of all files and the path of Deno's cache into what it builds
# (docs/adr/0018); here these are the time of the commit and one fixed folder, which is emptied first.
set -eu
cd "$(dirname "$0")/../.."
: "${DENO:=npx -y deno@2.9.6}"
export DENO_DIR="${CMDCHAT_RELEASE_CACHE:-/tmp/cmdchat-release-cache}"
rm -rf "$DENO_DIR/npm" dist
time="@$(git log -1 --format=%ct)"
$DENO install --quiet --frozen
git ls-files -z | xargs -0 touch --no-create --date="$time"
find "$DENO_DIR/npm" -type f -exec touch --date="$time" {} +
$DENO run --no-check --allow-read --allow-write=dist --allow-run --allow-env scripts/build/compile.ts "$@"
