#!/usr/bin/env bash
# The tests of the Python package: a wheel is built, installed, and tested as its users have it.
# Pythons to test with may be given; otherwise the oldest and the newest that are supported and there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=target/python
mkdir -p "$folder"

pythons=("$@")
if [ "${#pythons[@]}" -eq 0 ]; then
    # By version, each once: what is on the path, and what pyenv keeps.
    mapfile -t found < <(
        for python in python3 python3.{10..19} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python; do
            command -v "$python" >/dev/null || continue
            "$python" -c 'import sys, sysconfig, ensurepip, venv
if sys.version_info >= (3, 10) and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print("%d.%02d" % sys.version_info[:2], sys.executable)' 2>/dev/null || true
        done | sort -u -k1,1 -V
    )
    [ "${#found[@]}" -gt 0 ] || { echo "no Python from 3.10 on with venv: apt-get install python3-venv" >&2; exit 1; }
    pythons=("${found[0]#* }")
    [ "${#found[@]}" -eq 1 ] || pythons+=("${found[-1]#* }")
fi

cargo build --locked -p relayprobe-tests --bin test-servers --bin hostile-server
rm -rf "$folder/wheels"
first=yes
for python in "${pythons[@]}"; do
    echo "-- $("$python" --version)"
    venv=$folder/$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
    if [ "$first" = yes ]; then
        # pip builds the wheel as it does for everybody: it fetches maturin by itself.
        "$venv/bin/pip" wheel --quiet --no-deps --wheel-dir "$folder/wheels" ./relayprobe-py
    fi
    "$venv/bin/pip" install --quiet --upgrade "$(echo "$folder"/wheels/relayprobe-*.whl)[test]"
    "$venv/bin/pip" install --quiet --force-reinstall --no-deps "$folder"/wheels/relayprobe-*.whl
    (cd relayprobe-py/tests && "../../$venv/bin/python" -m pytest --quiet -c ../pyproject.toml --rootdir ..)
    if [ "$first" = yes ]; then
        "$venv/bin/mypy" --config-file relayprobe-py/pyproject.toml -p relayprobe
        "$venv/bin/mypy" --config-file relayprobe-py/pyproject.toml relayprobe-py/tests relayprobe-py/examples
        (cd "$folder" && "../../$venv/bin/stubtest" relayprobe._core --mypy-config-file ../../relayprobe-py/pyproject.toml)
    fi
    first=no
done
