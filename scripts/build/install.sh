#!/bin/sh
# Installs the executables of a release: fetches them for this system, checks them against the release's SHA256SUMS,
# and only then puts them into a folder.
#
#   sh install.sh --from URL [--to FOLDER] [cmdchat-client|cmdchat-server ...]
#
# URL is the address of a release's files. FOLDER is ~/.local/bin unless told. Both programs unless some are named.
set -eu

fail() {
  echo "error: $1" >&2
  exit 1
}

from=
to=
programs=
while [ $# -gt 0 ]; do
  case $1 in
    --from) [ $# -gt 1 ] || fail "--from needs an address"; from=${2%/}; shift 2 ;;
    --to) [ $# -gt 1 ] || fail "--to needs a folder"; to=$2; shift 2 ;;
    cmdchat-client | cmdchat-server) programs="$programs $1"; shift ;;
    *) fail "Cannot use \"$1\": --from URL, --to FOLDER, cmdchat-client and cmdchat-server are known" ;;
  esac
done
[ -n "$from" ] || fail "--from URL is needed: the address of a release's files"
if [ -z "$to" ]; then
  [ -n "${HOME:-}" ] || fail "HOME is not set: --to FOLDER says where the programs go"
  to=$HOME/.local/bin
fi
[ -n "$programs" ] || programs="cmdchat-client cmdchat-server"

case $(uname -sm) in
  "Linux x86_64") target=x86_64-unknown-linux-gnu ;;
  "Linux aarch64") target=aarch64-unknown-linux-gnu ;;
  "Darwin x86_64") target=x86_64-apple-darwin ;;
  "Darwin arm64") target=aarch64-apple-darwin ;;
  *) fail "there is no executable for $(uname -sm)" ;;
esac

fetch() {
  if command -v curl >/dev/null; then curl --fail --silent --show-error --location --output "$2" "$1"
  elif command -v wget >/dev/null; then wget --quiet --output-document="$2" "$1"
  else fail "curl or wget is needed"; fi || fail "Cannot fetch $1"
}

sum_of() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fetch "$from/SHA256SUMS" "$folder/SHA256SUMS"
for program in $programs; do
  file=$program-$target
  wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$file\$/\1/p" "$folder/SHA256SUMS")
  [ -n "$wanted" ] || fail "SHA256SUMS does not name $file"
  fetch "$from/$file" "$folder/$file"
  [ "$(sum_of "$folder/$file")" = "$wanted" ] ||
    fail "$file is not what SHA256SUMS says: nothing was installed"
done
# All are right: now, and not before, any of them is put in its place.
mkdir -p "$to" 2> /dev/null && [ -w "$to" ] || fail "Cannot write to $to: --to FOLDER names another folder"
for program in $programs; do
  chmod 755 "$folder/$program-$target"
  # In the same folder first, so that the last step is one rename.
  cp -p "$folder/$program-$target" "$to/.$program.new"
  mv -f "$to/.$program.new" "$to/$program"
  echo "$to/$program"
done
case ":$PATH:" in
  *":$to:"*) ;;
  *) echo "hint: $to is not in PATH: export PATH=\"$to:\$PATH\"" >&2 ;;
esac
