# SPDX-License-Identifier: MIT
#
# Live replacement on a real Xen (replace.test.ts judges), the guest is test/guest-kernel: versions of a module are
# loaded into a running driver domain and take a vGPU over, while the guest's second vCPU reads a register without a
# break.

SWAPS=20
COUNT=0 # registers of test/modules/tally, in BAR 0
SCRATCH=4
VERSION=8
VALUE=0x5eed5eed

configure r 2

# swap VERSION TRIAL_MS
swap() {
    gbctl replace r --module tally@$1 --trial $2 --json >>$OUT/said/swaps.out 2>&1 ||
        fail "to $1: $(tail -n 1 $OUT/said/swaps.out)"
}

# read_register LABEL REGISTER
read_register() {
    ask $1 r "read $((tally + $2)) 4"
}

taken_back() {
    gbctl list | grep -q 'taken back'
}

step "a guest with a tally 1.0.0"
up r --module tally@1.0.0
ask setup r setup 30
ask bar r "bar 1 0"
tally=${answer##* }
ask written r "write $((tally + SCRATCH)) 4 $VALUE"
step "reads without replacement"
ask watch-alone r "watch $((tally + COUNT)) 0"
sleep 4
ask alone r watched 60
step "versions are loaded and swapped while the guest reads"
ask watch-swapped r "watch $((tally + COUNT)) 0"
for version in 1.1.0 1.2.0 1.3.0; do
    told load-$version gbctl load /lab/files/tally-$version.gbx --driver-domain glovebox-r
done
for n in $(seq 1 $((SWAPS / 2))); do
    swap 1.1.0 0
    swap 1.0.0 0
done
swap 1.1.0 0
ask swapped r watched 60
read_register version VERSION
step "a version that refuses the state, one that faults on trial"
ask watch-failing r "watch $((tally + SCRATCH)) 0 $VALUE"
told refuses gbctl replace r --module tally@1.3.0 --trial 60000
told list-refused gbctl list --json
told faults gbctl replace r --module tally@1.2.0 --trial 60000
wait_for 20 taken_back || fail "it was not taken back: $(gbctl list)"
ask failing r watched 60
told list-back gbctl list --json
read_register back VERSION
read_register count COUNT
told trace gbctl trace r --json
gbctl destroy r || fail "gbctl destroy r"
