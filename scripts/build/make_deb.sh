#!/bin/sh
# Makes a Debian package of both executables, the unit, man pages and completions: make_deb.sh FOLDER ARCHITECTURE,
# where FOLDER has cmdchat-server and cmdchat-client. The package lands in FOLDER; building again gives the same bytes.
set -eu
folder=$(cd "$1" && pwd)
architecture=$2
: "${DENO:=npx -y deno@2.9.6}"
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^export const VERSION = "\(.*\)";$/\1/p' shared/base/version.ts)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
documents=$tree/usr/share/doc/cmdchat
manual=$tree/usr/share/man/man1
install -d "$tree/DEBIAN" "$tree/usr/bin" "$tree/lib/systemd/system" "$documents" "$manual"
install -m 755 "$folder/cmdchat-server" "$folder/cmdchat-client" "$tree/usr/bin/"
for unit in cmdchat-server.service cmdchat-keeper.service; do
  sed -e 's|/usr/local/bin/|/usr/bin/|; s|/usr/local/share/doc/|/usr/share/doc/|' "$unit" \
    > "$tree/lib/systemd/system/$unit"
done
install -m 644 LICENSE "$documents/copyright"
install -m 644 docs/OPERATIONS.md .env.example "$documents/"
gzip -9n < CHANGELOG.md > "$documents/CHANGELOG.md.gz"
maintainer="cmdchat authors <cmdchat@users.noreply.github.com>"
printf 'cmdchat (%s) stable; urgency=medium\n\n  * CHANGELOG.md.gz says what is new.\n\n -- %s  %s\n' "$version" "$maintainer" \
  "$(LC_ALL=C date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")" | gzip -9n > "$documents/changelog.gz"
# The runtime brings a library of its own for images, which the programs never call.
install -d "$tree/usr/share/lintian/overrides"
printf 'cmdchat: embedded-library lcms2 %s\n' '[usr/bin/cmdchat-client]' '[usr/bin/cmdchat-server]' \
  > "$tree/usr/share/lintian/overrides/cmdchat"
for page in docs/man/*.1; do gzip -9n < "$page" > "$manual/$(basename "$page").gz"; done
# Not asked of the executables: those of another architecture do not run here.
$DENO run --quiet --no-check --frozen --allow-read --allow-write="$tree" scripts/build/completion_files.ts "$tree"
cat > "$tree/DEBIAN/control" <<CONTROL
Package: cmdchat
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -ks "$tree/usr" | cut -f1)
Depends: libc6 (>= 2.27), libgcc-s1
Recommends: openssl, ca-certificates
Section: net
Priority: optional
Description: encrypted console chat that lives in memory only
 A relay server that keeps everything in memory and a client for the terminal.
 The service is not started by itself: it needs a certificate and a token
 first, see /usr/share/doc/cmdchat/OPERATIONS.md.
CONTROL
cat > "$tree/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
install -d -m 700 /etc/cmdchat
# Made once, and never replaced: clients remember the server by it.
if [ ! -e /etc/cmdchat/identity.pem ]; then
  (umask 077 && cmdchat-server keygen > /etc/cmdchat/identity.pem)
fi
[ ! -d /run/systemd/system ] || systemctl --system daemon-reload
# An update of what runs already; a first installation has nothing to start with.
if [ -n "$2" ] && [ -d /run/systemd/system ]; then
  systemctl --quiet is-active cmdchat-server.service && systemctl restart cmdchat-server.service || true
fi
SCRIPT
cat > "$tree/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
[ "$1" = remove ] && [ -d /run/systemd/system ] || exit 0
systemctl disable --now cmdchat-server.service || true
SCRIPT
cat > "$tree/DEBIAN/postrm" <<'SCRIPT'
#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl --system daemon-reload
# Certificate, key and tokens are the operator's: only a purge takes them.
[ "$1" != purge ] || rm -rf /etc/cmdchat /run/cmdchat-server.env
SCRIPT
chmod 755 "$tree"/DEBIAN/p*
find "$tree" -type d -exec chmod 755 {} +
find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" --build "$tree" "$folder/cmdchat_${version}_$architecture.deb"
