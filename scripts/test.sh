#!/usr/bin/env bash
# Runs every part of the tests, and then says which failed: test.sh PYTHON JOBS [coverage]
# With the last word the lines that tests reach are counted, which takes half as long again; too few of them fail it.
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1 jobs=$2 counted=(--no-cov) failed=()
[ "${3:-}" != coverage ] || counted=(--cov --cov-append --cov-report=)
# a browser beside other tests waits longer than a person would, so each process has one thread
export OMP_NUM_THREADS=1

part() {
    local name=$1
    shift
    printf '\n== %s\n' "$name"
    "$@" || failed+=("$name")
}

read_soma() {
    "$python" -m pytest -q -m soma "${counted[@]}" --cov-fail-under=0 tests/corpus
}

# tiledbsoma has crashed now and then, never twice in a row: a process that a signal ends is started once more
soma() {
    read_soma
    local status=$?
    [ "$status" -gt 128 ] || return "$status"
    echo "a signal ($((status - 128))) ended the tests of SOMA data; once more"
    read_soma
}

# a file stays in one process, so that what its tests share is made once
rest() {
    "$python" -m pytest -n "$jobs" --dist loadfile -m "not soma" --ignore=tests/web/page --ignore=tests/browser "${counted[@]}"
}

"$python" -m coverage erase
part "the page in a browser" "$python" -m pytest -q -n "$jobs" --dist loadfile tests/web/page
# each with a browser has a process of its own: a browser that is driven keeps other tests from running loops of theirs
part "the page in the browser alone" "$python" -m pytest -q -n "$jobs" --dist loadfile tests/browser
part "SOMA data" soma
part "everything else" rest

if [ ${#failed[@]} -gt 0 ]; then
    printf '\nfailed: %s\n' "$(IFS=,; echo "${failed[*]}")"
    exit 1
fi
