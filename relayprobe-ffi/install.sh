#!/bin/sh
# Builds librelayprobe and puts it, its header, its manual page and the files for pkg-config and CMake into place:
#
#   install.sh [DESTDIR [PREFIX]]      (nothing and /usr/local otherwise)
#
# PROFILE=dev takes a debug build; LIBDIR is PREFIX/lib otherwise. Wants cargo, and on Linux nothing else.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
destdir=${1:-}
prefix=${2:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
profile=${PROFILE:-release}
cd "$here/.."

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
case $version in
    0.*) abi=${version%.*} ;;
    *) abi=${version%%.*} ;;
esac

# What a static library leaves to the program to link is known to the compiler alone.
told=$(cargo rustc --locked --quiet --package relayprobe-ffi --profile "$profile" --crate-type staticlib -- --print native-static-libs 2>&1) ||
    { printf '%s\n' "$told" >&2; exit 1; }
private=$(printf '%s\n' "$told" | sed -n 's/^note: native-static-libs: //p' | tail -n 1)
cargo build --locked --quiet --package relayprobe-ffi --profile "$profile"
case $profile in dev) folder=debug ;; *) folder=$profile ;; esac
built=${CARGO_TARGET_DIR:-target}/$folder

put() { install -D -m "$1" "$2" "$destdir$3"; }
put 755 "$built/librelayprobe_ffi.so" "$libdir/librelayprobe.so.$version"
ln -sf "librelayprobe.so.$version" "$destdir$libdir/librelayprobe.so.$abi"
ln -sf "librelayprobe.so.$abi" "$destdir$libdir/librelayprobe.so"
put 644 "$built/librelayprobe_ffi.a" "$libdir/librelayprobe.a"
put 644 relayprobe-ffi/include/relayprobe.h "$prefix/include/relayprobe.h"
for page in relayprobe-ffi/man/*.[1-8]; do
    put 644 "$page" "$prefix/share/man/man${page##*.}/${page##*/}"
done

fill() {
    mkdir -p "$destdir$libdir/$2"
    sed -e "s|@prefix@|$prefix|g" -e "s|@libdir@|$libdir|g" -e "s|@version@|$version|g" \
        -e "s|@private@|$private|g" "relayprobe-ffi/$1.in" >"$destdir$libdir/$2/${1##*/}"
}
fill relayprobe.pc pkgconfig
fill cmake/relayprobe-config.cmake cmake/relayprobe
fill cmake/relayprobe-config-version.cmake cmake/relayprobe
