# SPDX-License-Identifier: MIT
#
# Hostile modules at run time (hostile.test.ts judges): the misdeeds of /lab/files/rounds, one on each hostile vGPU and
# a round at a time, a reset after each, while the guest's sound device is read all the time; one more round that
# nobody reads beside, for the trace; then faults until the guest is in quarantine.
#
# A line of rounds: its name, then the number of each vGPU's misdeed, with a c after it where a figure of stat must
# rise.

DEVICES="0 1 2 3 4 5 6"

# told NAME COMMAND...: what it says and how it ends.
told() {
    name=$1
    shift
    "$@" >$OUT/$name.txt 2>&1
    echo "exit $?" >>$OUT/$name.txt
}

# say NAME LINE: as guest_say, which asks xl and xenstore each time.
say() {
    [ "$tty_of" = $1 ] || tty=$(xenstore-read /local/domain/$(xl domid $1)/console/tty) || fail "$1 has no console"
    tty_of=$1
    echo "$2" >$tty
}

# again NAME: all hostile vGPUs begin anew.
again() {
    for n in $DEVICES; do
        gbctl reset h $n || fail "round $1: gbctl reset h $n"
    done
    say h "again $1"
    wait_guest h "AGAIN $1" 60
}

# round NAME DEED...: the misdeeds, what Dom0 sees of them.
round() {
    name=$1
    shift
    say h "sin $name $(echo $* | tr -d c)"
    wait_guest h "SIN $name" 60
    gbctl list --json >$OUT/deeds/$name.list || fail "round $name: gbctl list"
    n=0
    for deed; do
        case $deed in
        *c) gbctl stat h $n --json >$OUT/deeds/${deed%c}.stat || fail "round $name: gbctl stat h $n" ;;
        esac
        n=$((n + 1))
    done
}

# watch NAME COMMAND...: the sound device is read while the command runs.
watch() {
    window=$1
    shift
    say h "watch $window"
    wait_guest h "WATCHING $window" 30
    "$@"
    say h "stop $window"
    wait_guest h "WATCHED $window" 60
}

nothing_wrong() {
    gbctl list --json >/dev/null
    again busy
}

misdeeds() {
    while read -r name deeds; do
        round $name $deeds
        again $name
    done </lab/files/rounds
}

mkdir -p $OUT/deeds
step "a guest with hostile devices and a sound one"
hostile=$(for n in $DEVICES; do echo "--module hostile-runtime"; done)
gbctl create guests/h.cfg --kernel /lab/files/glovebox.elf --threshold faults=0 --threshold interrupt_storms=0 \
    $hostile --module register-file >$OUT/create.txt 2>&1 || fail "create: $(tail -n 1 $OUT/create.txt)"
wait_guest h "HOSTILE ready" 120
step "the sound one alone"
watch alone sleep 6
step "resets without misdeeds"
watch busy nothing_wrong
step "misdeeds"
watch beside misdeeds
step "one of each kind, in quiet"
round quiet $(cat /lab/files/quiet)
gbctl trace h --json >$OUT/trace.json
gbctl stat h 7 --json >$OUT/neighbour.json || fail "gbctl stat h 7"
gbctl stat h 0 --json >$OUT/hostile.json || fail "gbctl stat h 0"
gbctl stat --driver-domain glovebox-h --json >$OUT/domain.json
say h end
wait_guest h "GUEST end" 30
gbctl destroy h
step "quarantine"
gbctl create guests/q.cfg --kernel /lab/files/glovebox.elf --threshold faults=3 --module hostile-runtime \
    --module register-file >$OUT/create-q.txt 2>&1 || fail "create q: $(tail -n 1 $OUT/create-q.txt)"
wait_guest q "HOSTILE ready" 120
for n in 1 2 3; do
    say q "sin q$n 17"
    wait_guest q "SIN q$n" 30
    told reset-$n gbctl reset q 0
    say q "again q$n"
    wait_guest q "AGAIN q$n" 30
done
told list gbctl list
told attach gbctl attach q --module register-file
told release gbctl release q
told reset-4 gbctl reset q 0
say q "again q4"
wait_guest q "AGAIN q4" 30
gbctl destroy q
