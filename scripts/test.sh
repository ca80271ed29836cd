#!/usr/bin/env bash
# Runs every part of the tests, and then says which failed: test.sh PYTHON JOBS [coverage | slow]
# With "coverage" the slow ones run too and the lines that tests reach are counted; too few of them fail it.
# With "slow" only those run that the rest leaves out.
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1 jobs=$2 what=${3:-} counted=(--no-cov) failed=()
case $what in
coverage) counted=(--cov --cov-append --cov-report=) chosen="not soma" ;;
slow) chosen="slow and not soma" ;;
*) chosen="not slow and not soma" ;;
esac
# a browser beside other tests waits longer than a person would, so each process has one thread
export OMP_NUM_THREADS=1
# each part, and each process that a test starts, would compile all files again: half of what it takes to begin
unset PYTHONDONTWRITEBYTECODE

part() {
    local name=$1
    shift
    printf '\n== %s (%d s)\n' "$name" "$SECONDS"
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
    "$python" -m pytest -n "$jobs" --dist loadfile -m "$chosen" --ignore=tests/web/page --ignore=tests/browser "${counted[@]}"
}

# a browser that is driven keeps other tests of its process from running loops of theirs, so these have processes of their own;
# one more than there are processors, since a browser and what serves it wait for each other; the longest file comes first,
# not last because it has few tests
browsers() {
    "$python" -m pytest -q -n "$((jobs + 1))" --dist loadfile -m "$chosen" --no-loadscope-reorder tests/browser tests/web/page
}

"$python" -m coverage erase
if [ "$what" = slow ]; then
    part "slow tests in a browser" browsers
    part "slow tests" rest
else
    part "pages in a browser" browsers
    part "SOMA data" soma
    part "everything else" rest
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf '\nfailed: %s\n' "$(IFS=,; echo "${failed[*]}")"
    exit 1
fi
