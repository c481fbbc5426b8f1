# SPDX-License-Identifier: MIT
#
# One driver domain, three guests at once, FLASK enforcing: each guest's own bochs driver, each its own picture. The
# figures are only collected here; the host judges them (guests.ts). $GUESTS are their names.

DRIVER=glovebox-demo
MODE=1024x768

clock() {
    cut -d' ' -f1 /proc/uptime
}

# create NAME: attached to the driver domain that all share, and started.
create() {
    gbctl create /lab/guests/$1.cfg --driver-domain $DRIVER --module bochs-display --json \
        >$OUT/create-$1.json 2>$OUT/create-$1.txt || {
        cat $OUT/create-$1.txt $OUT/create-$1.json
        fail "guest $1 did not start: $(tail -n 1 $OUT/create-$1.txt)"
    }
}

# look NAME WHEN: its counters.
look() {
    gbctl stat $1 --json >$OUT/$2-$1.json || fail "gbctl stat $1 $2 the drawing"
}

step "driver domain: one Glovebox for all guests starts beside Dom0"
gbctl policy-check --json >$OUT/policy-before.json 2>$OUT/policy-before.txt
gbctl start $DRIVER --kernel /lab/files/glovebox.elf >$OUT/start.txt 2>&1 || {
    cat $OUT/start.txt
    tail -n 15 $LOGS/guest-$DRIVER.log
    fail "the driver domain did not start: $(tail -n 1 $OUT/start.txt)"
}
begin=$(clock)
step "guests: three Debian kernels boot as PVH guests"
# One after the other, as in trio.sh, and for the same reason (docs/decisions/0025).
for guest in $GUESTS; do
    create $guest
    wait_guest $guest "DRAW ready $MODE" 240
done
for guest in $GUESTS; do look $guest before; done
step "draw: all at once"
for guest in $GUESTS; do guest_say $guest go; done
for guest in $GUESTS; do wait_guest $guest "DRAW done $MODE" 120; done
echo "$begin $(clock)" >$OUT/times
for guest in $GUESTS; do
    look $guest after
    gbctl screenshot $guest --crc --json >$OUT/crc-$guest.json || fail "gbctl screenshot --crc $guest"
done
step "pictures: a screenshot of each screen"
for guest in $GUESTS; do
    gbctl screenshot $guest $OUT/screen-$guest.png >$OUT/screen.txt 2>&1 || fail "$(cat $OUT/screen.txt)"
done
step "summary: figures and logs"
for guest in $GUESTS; do gbctl stat $guest --json >$OUT/stat-$guest.json || fail "gbctl stat $guest"; done
gbctl stat --driver-domain $DRIVER --json >$OUT/driver.json || fail "gbctl stat of the driver domain"
gbctl policy-check --json >$OUT/policy.json 2>$OUT/policy.txt
echo $? >$OUT/policy.code
gbctl list >$OUT/list.txt 2>&1
xl list -Z >$OUT/labels.txt 2>&1
xl dmesg >$OUT/xen.txt
