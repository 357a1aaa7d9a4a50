#!/bin/sh
# The files of an image: image_root.sh EXECUTABLE FOLDER puts the executable and the shared libraries that it names,
# which are libc's and libgcc's, below FOLDER. The loader is found where the executable says.
set -eu
executable=$1
root=$2
install -D -m 755 "$executable" "$root/usr/local/bin/$(basename "$executable")"
ldd "$executable" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
# A file system that is mounted read-only needs the folders that a runtime mounts over.
mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/etc"
