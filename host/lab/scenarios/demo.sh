# SPDX-License-Identifier: MIT
#
# What `npm start -- --stock` shows: a driver domain, a PVH guest on a mediated display, drawing in two modes. The
# figures are only collected here; the host judges them (demo.ts). A stage of the host's display begins with its first
# step.

GB="gbctl"
DRIVER=glovebox-demo

step "driver domain: Glovebox starts beside Dom0"
$GB start $DRIVER --kernel /lab/files/glovebox.elf >$OUT/start.txt 2>&1 || {
    cat $OUT/start.txt
    tail -n 15 $LOGS/guest-$DRIVER.log
    fail "the driver domain did not start: $(tail -n 1 $OUT/start.txt)"
}
$GB modules --driver-domain $DRIVER >$OUT/modules.txt 2>&1

step "guest: Debian's kernel boots as a PVH guest"
$GB create /lab/guests/demo.cfg --driver-domain $DRIVER --module bochs-display --json \
    >$OUT/create.json 2>$OUT/create.txt || {
    cat $OUT/create.txt $OUT/create.json
    fail "the guest did not start: $(tail -n 1 $OUT/create.txt)"
}
wait_guest demo "GUEST up" 120
step "guest: its display driver looks for the device"
wait_guest demo "GUEST display" 60

# draw WIDTHxHEIGHT
draw() {
    wait_guest demo "DRAW ready $1" 60
    $GB stat demo --json >$OUT/before-$1.json || fail "gbctl stat before the drawing at $1"
    guest_say demo go
    wait_guest demo "DRAW done $1" 60
    $GB stat demo --json >$OUT/after-$1.json || fail "gbctl stat after the drawing at $1"
    $GB screenshot demo --crc --json >$OUT/crc-$1.json || fail "gbctl screenshot --crc at $1"
}

step "draw: 1024x768"
draw 1024x768
step "picture: a screenshot through granted pages"
$GB screenshot demo $OUT/screen.png --json >$OUT/screen.json || fail "gbctl screenshot"
guest_say demo next
step "draw2: 1280x720"
draw 1280x720
step "summary: figures and logs"
$GB stat demo --json >$OUT/stat.json || fail "gbctl stat of the guest"
$GB stat --driver-domain $DRIVER --json >$OUT/driver.json || fail "gbctl stat of the driver domain"
$GB list >$OUT/list.txt 2>&1
xl list >$OUT/domains.txt 2>&1
if [ ! -f /lab/keep ]; then
    guest_say demo end
    wait_guest demo "GUEST end" 30
    $GB destroy demo >$OUT/destroy.txt 2>&1
fi
