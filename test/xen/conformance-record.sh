# SPDX-License-Identifier: MIT
#
# Behind the scenario's steps: Debian's kernel and its bochs driver find the device; what trapped is recorded.

step "a recording of Linux's bochs driver"
gbctl destroy a >/dev/null 2>&1
gbctl start glovebox-demo --kernel /lab/files/glovebox.elf >$OUT/said/start.out 2>&1 || fail "no driver domain"
told create-demo gbctl create /lab/guests/demo.cfg --driver-domain glovebox-demo --module bochs-display
wait_guest demo "GUEST loaded" 120
usleep 1000000
told trace-demo gbctl trace demo -o $OUT/said/demo.gbt
told trace-demo-json gbctl trace demo --json
told destroy-demo gbctl destroy demo
