#!/bin/sh
# The files of an image: image_root.sh EXECUTABLE FOLDER [SYSTEM] puts the executable and the shared libraries that it
# names, which are libc's and libgcc's, below FOLDER. They come from SYSTEM, the root of a Debian of the executable's
# architecture (this one when absent); nothing of it runs.
set -eu
executable=$1
root=$2
system=${3:-}
install -D -m 755 "$executable" "$root/usr/local/bin/$(basename "$executable")"
for path in "$system"/lib64/ld-linux-*.so.* "$system"/lib/ld-linux-*.so.* \
  "$system"/lib/*-linux-gnu/libc.so.* "$system"/lib/*-linux-gnu/libm.so.* "$system"/lib/*-linux-gnu/libdl.so.* \
  "$system"/lib/*-linux-gnu/librt.so.* "$system"/lib/*-linux-gnu/libpthread.so.* \
  "$system"/lib/*-linux-gnu/libgcc_s.so.*; do
  # A pattern that fits nothing stands for itself, and is in no executable.
  grep -aqF "$(basename "$path")" "$executable" || continue
  file=$path
  # An absolute link means the other system's file, not one of this machine.
  while [ -L "$file" ]; do
    link=$(readlink "$file")
    case $link in /*) file=$system$link ;; *) file=$(dirname "$file")/$link ;; esac
  done
  install -D -m 755 "$file" "$root${path#"$system"}"
done
# A file system that is mounted read-only needs the folders that a runtime mounts over.
mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/etc"
