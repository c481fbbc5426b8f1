# SPDX-License-Identifier: MIT
#
# gbctl on a real Xen (gbctl.test.ts judges): each command's words and exit code go into $OUT/steps, one folder each.

ELF=/lab/files/glovebox.elf
mkdir -p $OUT/steps

# told NAME COMMAND...: runs it, keeps stdout, stderr and the exit code.
told() {
    name=$1
    shift
    "$@" >"$OUT/steps/$name.out" 2>"$OUT/steps/$name.err"
    echo $? >"$OUT/steps/$name.code"
    xl list | tail -n +2 | awk '{print $1}' | tr '\n' ' ' >"$OUT/steps/$name.domains"
}

step "mistakes: nothing may be left behind"
told unknown-guest gbctl stat nobody
told unknown-module gbctl create guests/life.cfg --kernel $ELF --module nothing
told bad-param gbctl create guests/life.cfg --kernel $ELF --module register-file --param seed=4294967296
told no-image gbctl create guests/life.cfg --kernel /nowhere --module register-file
told not-an-image gbctl create guests/life.cfg --kernel /bin/busybox --module register-file
told crashes gbctl create guests/life.cfg --kernel /boot/vmlinux --memory 128 --module register-file
told never-ready gbctl create guests/life.cfg --kernel /boot/vmlinux --memory 128 --module register-file --timeout 2
echo "nobody:x:65534:65534::/:/bin/sh" >>/etc/passwd
told no-rights busybox su -s /bin/sh nobody -c "/lab/files/gbctl list --json"

step "interrupted while the driver domain starts"
gbctl create guests/life.cfg --kernel /boot/vmlinux --memory 128 --module register-file >$OUT/steps/interrupt.out \
    2>$OUT/steps/interrupt.err &
gbctl_pid=$!
wait_for 20 xl domid glovebox-life
kill -INT $gbctl_pid
wait $gbctl_pid
echo $? >$OUT/steps/interrupt.code
xl list | tail -n +2 | awk '{print $1}' | tr '\n' ' ' >$OUT/steps/interrupt.domains

step "a supervised guest"
gbctl create guests/life.cfg --kernel $ELF --module register-file --param seed=77 --supervise --json \
    >$OUT/steps/supervise.out 2>$OUT/steps/supervise.err &
supervisor=$!
wait_guest life "LIFE registers" 90
told twice gbctl create guests/life.cfg --kernel $ELF --module register-file
told start-twice gbctl start glovebox-life --kernel $ELF
told list gbctl list --json
told stat gbctl stat life --json
told set gbctl set life weight=8 cap=50 priority=high --json
told policy gbctl policy deadline life period-us=100000 runtime-us=20000 --json
told top gbctl top --once --interval 500 --json
told threshold-set gbctl threshold resets=1:throttle storm_ms=1000 --json
told stat-domain gbctl stat glovebox-life --json
told modules gbctl modules --json
told trace gbctl trace life --json
told trace-raw gbctl trace life --raw
told no-screen gbctl screenshot life $OUT/none.png
told stop-needed gbctl stop glovebox-life
told reset gbctl reset life
told throttled gbctl threshold --json
told throttled-list gbctl list --json
told release gbctl release life
told attach gbctl attach life --module register-file --slot 9 --json
told detach gbctl detach life 1
told detach-none gbctl detach life 1

step "the guest reboots"
guest_say life again
wait_for 60 grep -q reboots $OUT/steps/supervise.out || fail "the supervisor saw no reboot"
await_guest life "LIFE registers" 90 2 || fail "no second life"
told second-list gbctl list --json
step "the guest switches off"
guest_say life end
wait $supervisor
echo $? >$OUT/steps/supervise.code
xl list | tail -n +2 | awk '{print $1}' | tr '\n' ' ' >$OUT/steps/supervise.domains

step "the bench's device emulator"
xl create -q -p guests/measured.cfg || fail "xl create measured"
bench-emulator "$(xl domid measured)" >$OUT/steps/emulator.out 2>&1 &
emulator=$!
wait_for 10 grep -q ready $OUT/steps/emulator.out || fail "$(cat $OUT/steps/emulator.out)"
xl unpause measured
wait_guest measured "GUEST end" 300
wait_gone measured 30
kill $emulator
wait $emulator
echo $? >$OUT/steps/emulator.code
