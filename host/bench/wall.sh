# SPDX-License-Identifier: MIT
#
# The same access in wall-clock time: Dom0 has processor 0, the guest 1, the driver domain 2. So the guest and who
# answers it never share one, and the third is idle.
# Multi-threaded TCG lets an SVM guest triple-fault now and then, whoever answers it: such a guest is tried again.

TRIES=10

# try GUEST: waits for its figures; 1 when it died or stands still.
try() {
    wait_for 150 sh -c "grep -a -q 'GUEST end' $LOGS/guest-$1.log || ! xl domid $1" || true
    grep -a -o 'MEASURE {.*' "$LOGS/guest-$1.log" 2>/dev/null | tr -d '\r' | sed 's/^MEASURE //' >"$OUT/$1.jsonl"
    [ -s "$OUT/$1.jsonl" ]
}

# mediated GUEST WAIT
mediated() {
    gbctl start "$1-driver" --kernel /lab/files/glovebox.elf --wait "$2" >"$OUT/$1.txt" 2>&1 ||
        fail "gbctl start: $(tail -n 1 "$OUT/$1.txt")"
    xl vcpu-pin "$1-driver" 0 2
    gbctl create "/lab/guests/$1.cfg" --driver-domain "$1-driver" --module register-file >>"$OUT/$1.txt" 2>&1 ||
        fail "gbctl create $1: $(tail -n 1 "$OUT/$1.txt")"
    try "$1"
    done=$?
    xl destroy "$1" 2>/dev/null
    gbctl stop "$1-driver" --force >>"$OUT/$1.txt" 2>&1 || xl destroy "$1-driver"
    wait_gone "$1" 30
    return $done
}

process() {
    xl create -q -p /lab/guests/process.cfg || fail "xl create process"
    bench-emulator "$(xl domid process)" >"$OUT/process.txt" 2>&1 &
    emulator=$!
    wait_for 20 grep -q ready "$OUT/process.txt" || fail "bench-emulator: $(cat "$OUT/process.txt")"
    xl unpause process
    try process
    done=$?
    xl destroy process 2>/dev/null
    kill $emulator
    wait_gone process 30
    return $done
}

# again COMMAND...: until it succeeds.
again() {
    name=$1
    shift
    for n in $(seq $TRIES); do
        step "$name: try $n"
        rm -f "$LOGS/guest-$name.log"
        "$@" && echo "$n" >"$OUT/$name.tries" && return
    done
    fail "$name: no guest lived through the measurement in $TRIES tries"
}

xl vcpu-pin Domain-0 0 0
again process process
again busy mediated busy busy:20000
again block mediated block block
