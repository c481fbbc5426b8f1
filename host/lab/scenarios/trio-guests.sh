# SPDX-License-Identifier: MIT
#
# What `npm start` shows, after trio.sh: two Debian guests on virtio-gpu with two outputs each, one on bochs-display.
# All draw on all outputs; then the first two want the engine all the time. Figures are only collected here; the host
# judges them (trio.ts), which also sets $LEFT_WEIGHT, $RIGHT_WEIGHT, $SHARE_SECONDS.

step "guests: two with virtio-gpu, one with bochs-display"
create_virtio left
create_virtio right
create_panel

step "draw: a mode and a picture on each output"
draw_pair left 0
draw_pair right 2
look panel before
guest_say panel go
wait_guest panel "DRAW done 1024x768" 120
look panel after
for guest in $PAIR; do for output in 0 1; do crc $guest $output drawn; done; done
crc panel 0 drawn

step "pictures: a screenshot of each screen"
for screen in left-0 left-1 right-0 right-1 panel-0; do
    gbctl screenshot ${screen%-*} --scanout ${screen#*-} $OUT/$screen.png >$OUT/screen.txt 2>&1 ||
        fail "$(cat $OUT/screen.txt)"
done

# engines WHEN: of both.
engines() {
    engine left $1 weight=$LEFT_WEIGHT
    engine right $1 weight=$RIGHT_WEIGHT
}

step "share: both want the engine all the time, weights $LEFT_WEIGHT and $RIGHT_WEIGHT"
engines idle
for guest in $PAIR; do order $guest "flood 0 600000"; done
for guest in $PAIR; do obeyed $guest "KMS floods 0"; done
sleep 2
engines begin
for guest in $PAIR; do look $guest begin; done
sleep $SHARE_SECONDS
engines end
for guest in $PAIR; do look $guest end; done
for guest in $PAIR; do guest_say $guest stop; done
for guest in $PAIR; do obeyed $guest "KMS flooded 0" 60; done
for guest in $PAIR; do for output in 0 1; do crc $guest $output flooded; done; done

step "summary: figures and logs"
for guest in $PAIR panel; do gbctl stat $guest --json >$OUT/stat-$guest.json || fail "gbctl stat $guest"; done
gbctl stat --driver-domain $DRIVER --json >$OUT/driver.json || fail "gbctl stat of the driver domain"
gbctl policy-check --json >$OUT/policy.json 2>$OUT/policy.txt
echo $? >$OUT/policy.code
gbctl list >$OUT/list.txt 2>&1
xl list -Z >$OUT/labels.txt 2>&1
xl dmesg >$OUT/xen.txt
