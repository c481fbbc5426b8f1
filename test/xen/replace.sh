# SPDX-License-Identifier: MIT
#
# Live replacement on a real Xen (replace.test.ts judges): versions of a module are loaded into a running driver domain
# and take a vGPU over, while its guest reads a register without a break.

SWAPS=20

# told NAME COMMAND...: what it says and how it ends.
told() {
    name=$1
    shift
    "$@" >$OUT/$name.txt 2>&1
    echo "exit $?" >>$OUT/$name.txt
}

# guest_does WORD NAME ...: one order of replace-guest.sh, done.
guest_does() {
    word=$1
    shift
    guest_say r "$*"
    wait_guest r "$word $2 " 60
}

# swap VERSION TRIAL_MS
swap() {
    gbctl replace r --module tally@$1 --trial $2 --json >>$OUT/swaps.txt 2>&1 ||
        fail "to $1: $(tail -n 1 $OUT/swaps.txt)"
}

step "a guest with a tally 1.0.0"
gbctl create guests/r.cfg --kernel /lab/files/glovebox.elf --module tally@1.0.0 >$OUT/create.txt 2>&1 ||
    fail "create: $(tail -n 1 $OUT/create.txt)"
wait_guest r "TALLY ready" 120
guest_does WRITTEN write scratch 4 0x5eed5eed
step "reads without replacement"
guest_say r "watch alone 0 count"
sleep 8
guest_does WATCHED stop alone
step "versions are loaded and swapped while the guest reads"
guest_say r "watch swapped 0 count"
for version in 1.1.0 1.2.0 1.3.0; do
    told load-$version gbctl load /lab/files/tally-$version.gbx --driver-domain glovebox-r
done
for n in $(seq 1 $((SWAPS / 2))); do
    swap 1.1.0 0
    swap 1.0.0 0
done
swap 1.1.0 0
guest_does WATCHED stop swapped
guest_does READ read version 8
step "a version that refuses the state, one that faults on trial"
guest_say r "watch failing 4 0x5eed5eed"
told refuses gbctl replace r --module tally@1.3.0 --trial 60000
gbctl list --json >$OUT/list-refused.json
told faults gbctl replace r --module tally@1.2.0 --trial 60000
wait_for 20 sh -c "gbctl list | grep -q 'taken back'" || fail "it was not taken back: $(gbctl list)"
guest_does WATCHED stop failing
gbctl list --json >$OUT/list-back.json
guest_does READ read back 8
guest_does READ read count 0
gbctl stat --driver-domain glovebox-r --json >$OUT/domain.json
gbctl trace r --json >$OUT/trace.json
guest_say r end
wait_guest r "GUEST end" 30
gbctl destroy r
