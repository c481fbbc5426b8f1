# SPDX-License-Identifier: MIT
#
# After the demo with three guests (host/lab/scenarios/guests.sh), all of them alive: what one does is nobody else's
# business. Then all go, and one comes again.

GB_STAT="gbctl stat --driver-domain $DRIVER --json"

# drawn NAME: how often it has drawn.
drawn() {
    grep -c "DRAW done $MODE" $LOGS/guest-$1.log
}

# redraw NAME: sets the mode and draws again, as it did before.
redraw() {
    before=$(drawn $1)
    tries=0
    until [ "$(drawn $1)" -gt "$before" ]; do
        guest_say $1 next
        sleep 1
        tries=$((tries + 1))
        [ $tries -lt 60 ] || fail "guest $1 does not draw again"
    done
}

# crc NAME WHEN
crc() {
    gbctl screenshot $1 --crc --json >$OUT/$2-crc-$1.json || fail "gbctl screenshot --crc $1, $2"
}

step "one draws again; the others' devices see nothing of it"
for guest in $GUESTS; do look $guest alone-before; done
redraw one
for guest in $GUESTS; do look $guest alone-after; done

step "one draws while two gets a second device and loses it, five times"
(while [ ! -f /tmp/enough ]; do guest_say one next && usleep 300000; done) &
feeder=$!
count=$(drawn one)
for turn in 1 2 3 4 5; do
    gbctl attach two --driver-domain $DRIVER --module bochs-display --param vram_bytes=4M >$OUT/attach.txt 2>&1 ||
        fail "attach $turn: $(cat $OUT/attach.txt)"
    gbctl detach two 1 >$OUT/detach.txt 2>&1 || fail "detach $turn: $(cat $OUT/detach.txt)"
done
await_guest one "DRAW done $MODE" 60 $((count + 3))
touch /tmp/enough
wait $feeder
echo $(($(drawn one) - count)) >$OUT/drawn-meanwhile
# Wherever the feeder left it: up to a drawing that is complete.
redraw one
for guest in $GUESTS; do crc $guest beside; done

step "two is destroyed, three vanishes without a word; one goes on"
gbctl destroy two >$OUT/destroy-two.txt 2>&1 || fail "destroy two: $(cat $OUT/destroy-two.txt)"
wait_gone two 20
redraw three
crc three survived
$GB_STAT >$OUT/two-gone.json
xl destroy three || fail "xl destroy three"
redraw one
crc one survived
gbctl attach one --driver-domain $DRIVER --module bochs-display --param vram_bytes=4M >$OUT/attach.txt 2>&1 ||
    fail "attach: $(cat $OUT/attach.txt)"
gbctl detach one 1 >$OUT/detach.txt 2>&1 || fail "detach: $(cat $OUT/detach.txt)"
wait_for 20 sh -c "$GB_STAT | grep -q '\"guests\":1,'"
$GB_STAT >$OUT/three-gone.json
wait_for 20 sh -c '[ $(xl list | wc -l) = 4 ]'
xl list >$OUT/three-gone.txt

step "all gone but the driver domain"
gbctl destroy one >/dev/null 2>&1 || fail "destroy one"
wait_gone one 20
wait_for 20 sh -c '[ $(xl list | wc -l) = 3 ]' || fail "guests are left: $(xl list)"
xl dmesg >$OUT/xen-middle.txt
sleep 1
census idle-before
$GB_STAT >$OUT/idle-before.json

step "two comes again, on the same driver domain"
seen=$(grep -c "DRAW ready" $LOGS/guest-two.log)
create two
await_guest two "DRAW ready" 120 $((seen + 1)) || fail "two does not come again"
redraw two
crc two again
xl dmesg >$OUT/xen-end.txt
gbctl destroy two >/dev/null 2>&1 || fail "destroy two"
wait_gone two 20
wait_for 20 sh -c '[ $(xl list | wc -l) = 3 ]' || fail "guests are left: $(xl list)"
sleep 1
census idle-after
$GB_STAT >$OUT/idle-after.json
