#!/usr/bin/env bash
# Everything a change has to pass. On Debian, as root, with a Rust toolchain; installs what else it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec </dev/null
# Everything is built once: what a next build would save is a fifth of the disk.
export CARGO_INCREMENTAL=0
# What is built is looked for in target/.
unset CARGO_TARGET_DIR

step() { printf '\n== %s\n' "$*"; }
fail() { printf 'test.sh: %s\n' "$*" >&2; exit 1; }

step "Tools"
[ "$(id -u)" -eq 0 ] || fail "must run as root: it starts real mail servers in namespaces (cargo test -p relayprobe needs none)"
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
command -v cargo >/dev/null || fail "no cargo: install a Rust toolchain first"
missing=()
for pair in cc:gcc ld:binutils unshare:util-linux mount:mount dpkg-deb:dpkg tar:tar update-ca-certificates:ca-certificates \
    c++:g++ pkg-config:pkg-config cmake:cmake make:make valgrind:valgrind mandoc:mandoc; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
# Headers and start files of the C library, for the crates that have a piece of C.
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
# Debian's Python can make no environment without it.
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
# For the example in C that does TLS by OpenSSL.
[ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev)
if [ "${#missing[@]}" -gt 0 ]; then
    echo "installing ${missing[*]}"
    apt-get update --quiet
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
fi
deny=0.20.2
if [ "$(cargo deny --version 2>/dev/null)" != "cargo-deny $deny" ]; then
    cargo install --locked "cargo-deny@$deny"
fi
cargo --version

step "Formatting"
cargo fmt --all --check

step "Clippy"
cargo clippy --locked --workspace --all-features --all-targets -- -D warnings

step "The core without std, and every combination of features"
cargo clippy --locked -p relayprobe --no-default-features --lib --tests -- -D warnings
for features in serde std std,tls tokio tokio,tls dns dns,serde mail sink cli; do
    echo "features: $features"
    cargo clippy --locked -p relayprobe --no-default-features --features "$features" -- -D warnings
done

msrv=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
step "The oldest Rust version, $msrv"
if rustc --version | grep -q "^rustc ${msrv//./\\.}[. ]"; then
    echo "the default toolchain is that one"
    oldest=()
else
    command -v rustup >/dev/null || fail "the default toolchain is not $msrv, and there is no rustup to install it"
    toolchain=$(rustup toolchain list | grep -o "^${msrv//./\\.}[.0-9]*" | head -n 1 || true)
    if [ -z "$toolchain" ]; then
        toolchain=$msrv
        rustup toolchain install --profile minimal "$toolchain"
    fi
    oldest=("+$toolchain")
fi
cargo "${oldest[@]}" build --locked -p relayprobe --all-features

step "Benchmarks build"
cargo clippy --locked --manifest-path bench/Cargo.toml --all-targets --target-dir target -- -D warnings

step "Documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps

step "Licences, bans, sources"
cargo deny --locked check licenses bans sources

step "The Python package"
relayprobe-py/test.sh

step "Replies, as others read them"
cargo test --locked --manifest-path bench/Cargo.toml --target-dir target --test differential

step "Every fuzz target, a few seconds each"
fuzz=0.13.2
if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $fuzz" ]; then
    cargo install --locked "cargo-fuzz@$fuzz"
fi
(
    cd fuzz
    # Sanitizers are not stable, but a stable toolchain has them.
    export RUSTC_BOOTSTRAP=1
    cargo fuzz build
    for target in $(cargo fuzz list); do
        mkdir -p "corpus/$target"
        cargo fuzz run "$target" "corpus/$target" "seeds/$target" -- \
            -dict=smtp.dict -max_len=8192 -timeout=20 -max_total_time=4 -print_funcs=0 -verbosity=0
    done
)

step "Tests"
cargo test --locked --workspace --all-features --no-fail-fast
