# SPDX-License-Identifier: MIT
#
# A driver domain that tries what it must not do (test/probe; privilege.test.ts judges), with everything there that it
# could reach for: Dom0, its own guest with another emulator on it, and a guest that is none of its business.

DRIVER=glovebox-probe
LOG=$LOGS/guest-$DRIVER.log

step "two guests, one with an emulator in Dom0"
xl create -q -p guests/target.cfg || fail "xl create target"
xl create -q -p guests/other.cfg || fail "xl create other"
target=$(xl domid target)
other=$(xl domid other)
bench-emulator "$target" >$OUT/emulator.txt 2>&1 &
emulator=$!
wait_for 10 grep -q ready $OUT/emulator.txt || fail "$(cat $OUT/emulator.txt)"

step "the driver domain"
cat >driver.cfg <<END
name = "$DRIVER"
type = "pv"
kernel = "/lab/files/glovebox-probe.elf"
memory = 16
maxmem = 16
vcpus = 1
tsc_mode = "native"
on_crash = "preserve"
extra = "wait=block probe target=$target other=$other server=0"
END
xl create -q driver.cfg || fail "xl create $DRIVER"
xl list >$OUT/before.txt

# The allowance that gbctl would raise for a ram BAR, for both: room alone must not be enough.
xl mem-max target 257 || fail "xl mem-max target"
xl mem-max other 97 || fail "xl mem-max other"

step "the probes"
gbctl attach target --driver-domain $DRIVER --module register-file --param seed=77 --json >$OUT/attach.json \
    2>$OUT/attach.txt || fail "gbctl attach: $(cat $OUT/attach.txt)"
wait_for 30 grep -qE "PROBES wait|panic" $LOG || fail "the probes did not come to their end: $(tail -n 3 $LOG)"
xl list >$OUT/during.txt

step "the other guest ends, which only Dom0 may notice"
xl destroy other || fail "xl destroy other"
wait_gone other 20
sleep 1
gbctl stat --driver-domain $DRIVER --json >$OUT/stat.json 2>$OUT/stat.txt || fail "gbctl stat: $(cat $OUT/stat.txt)"
wait_for 20 grep -qE "PROBES end|panic" $LOG || fail "the late probes did not come: $(tail -n 3 $LOG)"

step "and the domain serves its guest"
xl unpause target
wait_guest target "TARGET done" 60
gbctl stat target --json >$OUT/guest.json 2>>$OUT/stat.txt || fail "gbctl stat: $(cat $OUT/stat.txt)"
kill $emulator
