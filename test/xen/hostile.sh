# SPDX-License-Identifier: MIT
#
# Hostile modules at run time (hostile.test.ts judges), guests are test/guest-kernel: the misdeeds of
# /lab/files/rounds, one on each hostile vGPU and a round at a time, a reset after each, while the guest's second vCPU
# reads its sound device all the time; one more round that nobody reads beside, for the trace; then faults until the
# guest is in quarantine.
#
# A line of rounds: its number, then that of each vGPU's misdeed, with a c after it where a figure of stat must rise.

DEVICES="0 1 2 3 4 5 6"
SOUND_SLOT=8 # behind them
SCRATCH=4
VALUE=0x5eed5eed
PAUSE_US=400 # Dom0 has its time in between
ALONE_S=4
UNREACHABLE=17 # its number among the misdeeds

configure h 2
configure q 1

# beside NAME COMMAND...: the sound device is read while the command runs.
beside() {
    window=$1
    shift
    ask watch-$window h "watch $sound $PAUSE_US $VALUE"
    "$@"
    ask watched-$window h watched 30
}

# resets ROUND: all hostile vGPUs begin anew.
resets() {
    for n in $DEVICES; do
        gbctl reset h $n || fail "round $1: gbctl reset h $n"
    done
    ask again-$1 h "again $1" 30
}

# round NUMBER DEED...: the misdeeds, and what Dom0 sees of them.
round() {
    round=$1
    shift
    ask sin-$round h "sin $(echo $* | tr -d c)" 30
    told list-$round gbctl list --json
    n=0
    for deed; do
        case $deed in
        *c) told stat-${deed%c} gbctl stat h $n --json ;;
        esac
        n=$((n + 1))
    done
}

nothing_wrong() {
    while read -r line; do
        told list-without-${line%% *} gbctl list --json
        resets 0
    done </lab/files/rounds
}

misdeeds() {
    while read -r line; do
        round $line
        resets ${line%% *}
    done </lab/files/rounds
}

step "a guest with hostile devices and a sound one"
hostile=$(for n in $DEVICES; do echo "--module hostile-runtime"; done)
up h --threshold faults=0 --threshold interrupt_storms=0 $hostile --module register-file
ask setup h setup 30
ask hostile h hostile
ask bar h "bar $SOUND_SLOT 0"
sound=$((${answer##* } + SCRATCH))
ask scratch h "write $sound 4 $VALUE"
step "the sound one alone"
beside alone sleep $ALONE_S
step "resets without misdeeds"
beside busy nothing_wrong
step "misdeeds"
beside misdeeds misdeeds
step "one of each kind, in quiet"
round quiet $(cat /lab/files/quiet)
told trace gbctl trace h --json
told sound gbctl stat h 7 --json
told hostile gbctl stat h 0 --json
told domain gbctl stat --driver-domain glovebox-h --json
gbctl destroy h || fail "gbctl destroy h"

step "quarantine"
up q --threshold faults=3 --module hostile-runtime --module register-file
ask setup-q q setup 30
ask hostile-q q hostile
for n in 1 2 3; do
    ask sin-q q "sin $UNREACHABLE"
    told reset-$n gbctl reset q 0
    ask again-q q "again $n"
done
told list gbctl list
told attach gbctl attach q --module register-file
told release gbctl release q
told reset-4 gbctl reset q 0
ask again-q q "again 4"
gbctl destroy q || fail "gbctl destroy q"
