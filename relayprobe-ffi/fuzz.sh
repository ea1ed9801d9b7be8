#!/bin/sh
# Calls the C functions in any order, led by libFuzzer, with AddressSanitizer in the library as in the caller:
#
#   fuzz.sh [SECONDS]      (60 otherwise)
#
# By hand, for as long as you like; the tests make the same calls by chance. Wants a nightly toolchain, and clang with its
# runtime (apt-get install clang libclang-rt-14-dev on Debian 12). What it learnt stays in target/fuzz-c/corpus.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}/fuzz-c
host=$(rustc -vV | sed -n 's/^host: //p')

# The library tells the fuzzer which of its branches were taken.
RUSTFLAGS="-Zsanitizer=address -Copt-level=2 -Cdebug-assertions=on -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table" \
    cargo +nightly rustc --locked --package relayprobe-ffi --target "$host" --target-dir "$target" --crate-type staticlib

mkdir -p "$target/corpus"
clang -std=c99 -D_POSIX_C_SOURCE=200809L -DFUZZ -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    -Irelayprobe-ffi/include relayprobe-ffi/tests/c/random.c "$target/$host/debug/librelayprobe_ffi.a" \
    -lgcc_s -lutil -lrt -lpthread -lm -ldl -o "$target/any_order"
cd "$target"
exec ./any_order -max_total_time="${1:-60}" -max_len=4096 -len_control=0 -timeout=20 corpus
