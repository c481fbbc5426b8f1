# SPDX-License-Identifier: MIT
#
# A driver domain that tries what it must not do (test/probe; privilege.test.ts judges), with everything there that it
# could reach for: Dom0, its own guest with another emulator on it, and a guest that is none of its business.
# $LABEL is the driver domain's under FLASK; empty without.

DRIVER=glovebox-probe
LOG=$LOGS/guest-$DRIVER.log

# start_driver NAME TARGET OTHER. Its own number, which it must know, is the next one that Xen gives.
start_driver() {
    self=$(($(xl list | awk 'NR > 1 && $2 > last { last = $2 } END { print last }') + 1))
    cat >$1.cfg <<END
name = "$1"
type = "pv"
kernel = "/lab/files/glovebox-probe.elf"
ramdisk = "/lab/files/modules.img"
memory = 16
maxmem = 16
vcpus = 1
tsc_mode = "native"
on_crash = "preserve"
extra = "wait=block probe target=$(xl domid $2) other=$(xl domid $3) server=0 self=$self"
END
    [ -z "$LABEL" ] || echo "seclabel = \"$LABEL\"" >>$1.cfg
    xl create -q $1.cfg || fail "xl create $1"
    [ "$(xl domid $1)" = $self ] || fail "$1 is domain $(xl domid $1) instead of $self"
}

# probe NAME TARGET: makes the guest its target, which is when it begins. With a label it has begun.
probe() {
    attached $1 $2
    probed $1
}

attached() {
    gbctl attach $2 --driver-domain $1 --module register-file --param seed=77 >$OUT/attach-$2.txt 2>&1 ||
        fail "gbctl attach: $(cat $OUT/attach-$2.txt)"
}

probed() {
    await_guest $1 "PROBES wait|panic" 30 ||
        fail "the probes did not come to their end: $(tail -n 3 $LOGS/guest-$1.log)"
}

step "two guests, one with an emulator in Dom0"
xl create -q -p guests/target.cfg || fail "xl create target"
xl create -q -p guests/other.cfg || fail "xl create other"
bench-emulator "$(xl domid target)" >$OUT/emulator.txt 2>&1 &
emulator=$!
wait_for 10 grep -q ready $OUT/emulator.txt || fail "$(cat $OUT/emulator.txt)"

step "the driver domain"
start_driver $DRIVER target other

# The allowance that gbctl would raise for a ram BAR, for both: room alone must not be enough.
xl mem-max target 257 || fail "xl mem-max target"
xl mem-max other 97 || fail "xl mem-max other"

step "the probes"
probe $DRIVER target
xl list >$OUT/during.txt

step "the other guest ends, which only Dom0 may notice"
xl destroy other || fail "xl destroy other"
wait_gone other 20
# Each request wakes the domain, which looks whether the guest is gone for Xen as well.
wait_for 20 sh -c "gbctl stat --driver-domain $DRIVER >$OUT/stat.txt 2>&1 && grep -qE 'PROBES end|panic' $LOG" ||
    fail "the late probes did not come: $(tail -n 3 $LOG) $(cat $OUT/stat.txt)"

step "and the domain serves its guest"
xl unpause target
wait_guest target "TARGET done" 60
gbctl stat target --json >$OUT/guest.json 2>>$OUT/stat.txt || fail "gbctl stat: $(cat $OUT/stat.txt)"
kill $emulator

step "another driver domain takes its own target for somebody else"
xl create -q -p guests/victim.cfg || fail "xl create victim"
xl mem-max victim 97 || fail "xl mem-max victim"
start_driver glovebox-victim victim victim
[ -n "$LABEL" ] || attached glovebox-victim victim
probed glovebox-victim
