# SPDX-License-Identifier: MIT
#
# Who answers a trapped access, and what it costs, one after the other in one run of the machine: a module in the
# driver domain, a C function in the same driver domain, a small C process in Dom0, QEMU in Dom0, Xen by itself.
# Under -icount the guests' clock counts instructions.

# result GUEST: the guest's figures, one JSON line for each gb-measure.
result() {
    wait_guest "$1" "GUEST end" 400
    grep -a -o 'MEASURE .*' "$LOGS/guest-$1.log" | tr -d '\r' | sed 's/^MEASURE //' >"$OUT/$1.jsonl"
    grep -q failed "$OUT/$1.jsonl" && fail "guest $1: $(cat "$OUT/$1.jsonl")"
    [ -s "$OUT/$1.jsonl" ] || fail "guest $1 measured nothing"
}

# mediated GUEST IMAGE: a PVH guest with the test device in a driver domain of that image.
mediated() {
    step "$1: $3"
    gbctl create "/lab/guests/$1.cfg" --module register-file --kernel "/lab/files/$2" \
        --modules /lab/files/modules-test.img >"$OUT/$1.txt" 2>&1 ||
        fail "gbctl create $1: $(tail -n 1 "$OUT/$1.txt")"
    result "$1"
    gbctl stat "$1" --json >"$OUT/$1-stat.json" 2>&1
    gbctl destroy "$1" >>"$OUT/$1.txt" 2>&1 || fail "gbctl destroy $1: $(tail -n 1 "$OUT/$1.txt")"
    wait_gone "$1" 20
}

step "start: from unpause to ready"
cat >/lab/ready.cfg <<CFG
name = "ready"
type = "pv"
kernel = "/lab/files/glovebox.elf"
ramdisk = "/lab/files/modules.img"
memory = 16
vcpus = 1
tsc_mode = "native"
CFG
for n in 1 2 3 4 5; do
    xl create -q -p /lab/ready.cfg || fail "xl create of the driver domain"
    bench-ready "$(xl domid ready)" >>"$OUT/ready.jsonl" || fail "the driver domain did not get ready"
    [ $n = 5 ] && gbctl stat --driver-domain ready --json >"$OUT/ready-stat.json"
    xl destroy ready
    wait_gone ready 20
done

mediated module glovebox.elf "a module answers"
mediated bare glovebox-bare.elf "a C function in the same shim answers"

step "process: a C process in Dom0 answers"
xl create -q -p /lab/guests/process.cfg || fail "xl create process"
bench-emulator "$(xl domid process)" >"$OUT/process.txt" 2>&1 &
emulator=$!
wait_for 20 grep -q ready "$OUT/process.txt" || fail "bench-emulator: $(cat "$OUT/process.txt")"
xl unpause process
result process
kill $emulator
xl destroy process 2>/dev/null
wait_gone process 20

step "qemu: QEMU in Dom0 answers an HVM guest"
gzip /lab/guests/qemu.img # QEMU hands it over byte by byte, two thousand instructions each
xl create -q /lab/guests/qemu.cfg >"$OUT/qemu.txt" 2>&1 || {
    cat "$OUT/qemu.txt" /var/log/xen/qemu-dm-qemu.log
    fail "xl create qemu"
}
result qemu
xl destroy qemu 2>/dev/null
step "done"
