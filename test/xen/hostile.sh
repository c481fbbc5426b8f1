# SPDX-License-Identifier: MIT
#
# Hostile modules at run time (hostile.test.ts judges): every misdeed of /lab/files/misdeeds, a reset after each, while
# the guest's other device is read without a break; then faults until the guest is in quarantine.

# told NAME COMMAND...: what it says and how it ends.
told() {
    name=$1
    shift
    "$@" >$OUT/$name.txt 2>&1
    echo "exit $?" >>$OUT/$name.txt
}

# once NAME NUMBER: the misdeed, what Dom0 sees of it, the reset.
once() {
    guest_say h "sin $1 $2"
    wait_guest h "SIN $1 " 60
    gbctl stat h 0 --json >$OUT/deeds/$1.stat || fail "$1: gbctl stat"
    gbctl list --json >$OUT/deeds/$1.list || fail "$1: gbctl list"
    gbctl reset h 0 || fail "$1: gbctl reset"
    guest_say h "again $1"
    wait_guest h "AGAIN $1 " 60
}

mkdir -p $OUT/deeds
step "a guest with a hostile device and a sound one"
gbctl create guests/h.cfg --kernel /lab/files/glovebox.elf --threshold faults=0 --threshold interrupt_storms=0 \
    --module hostile-runtime --module register-file >$OUT/create.txt 2>&1 || fail "create: $(tail -n 1 $OUT/create.txt)"
wait_guest h "HOSTILE ready" 120
step "the sound one alone"
guest_say h "watch alone"
sleep 20
guest_say h "stop alone"
wait_guest h "WATCHED alone" 30
step "misdeeds"
guest_say h "watch beside"
while read -r number name; do
    once $name $number
done </lab/files/misdeeds
guest_say h "stop beside"
wait_guest h "WATCHED beside" 60
gbctl stat h 1 --json >$OUT/neighbour.json || fail "gbctl stat h 1"
gbctl stat --driver-domain glovebox-h --json >$OUT/domain.json
gbctl trace h --json >$OUT/trace.json
guest_say h end
wait_guest h "GUEST end" 30
gbctl destroy h
step "quarantine"
gbctl create guests/q.cfg --kernel /lab/files/glovebox.elf --threshold faults=3 --module hostile-runtime \
    --module register-file >$OUT/create-q.txt 2>&1 || fail "create q: $(tail -n 1 $OUT/create-q.txt)"
wait_guest q "HOSTILE ready" 120
for n in 1 2 3; do
    guest_say q "sin q$n 17"
    wait_guest q "SIN q$n " 30
    told reset-$n gbctl reset q 0
    guest_say q "again q$n"
    wait_guest q "AGAIN q$n" 30
done
told list gbctl list
told attach gbctl attach q --module register-file
told release gbctl release q
told reset-4 gbctl reset q 0
guest_say q "again q4"
wait_guest q "AGAIN q4" 30
gbctl destroy q
