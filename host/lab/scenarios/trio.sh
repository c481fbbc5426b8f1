# SPDX-License-Identifier: MIT
#
# What scenarios with Debian guests on virtio-gpu in one driver domain use, and that domain. A guest of $PAIR runs
# gb-kms, which does what is typed. The host sets $MODES: of its outputs.

DRIVER=glovebox-demo
PAIR="left right"

# create NAME GBCTL-CREATE-OPTIONS...: attached to the driver domain that all share, and started.
create() {
    guest=$1
    shift
    gbctl create /lab/guests/$guest.cfg --driver-domain $DRIVER "$@" --timeout 300 --json \
        >$OUT/create-$guest.json 2>$OUT/create-$guest.txt || {
        cat $OUT/create-$guest.txt $OUT/create-$guest.json
        fail "guest $guest did not start: $(tail -n 1 $OUT/create-$guest.txt)"
    }
}

# create_virtio NAME [BLOB]: until it is ready, an output for each of $MODES; without blobs (0), as when nothing is
# said, what is drawn is copied, by the engine that the guests share.
#
# Guests boot one after the other: while Linux does, each of its timer's ticks takes the emulated processor several
# times into Xen and back, and three that boot at once have little of it left between their ticks.
create_virtio() {
    create $1 --module virtio-gpu --outputs "$(echo $MODES | tr ' ' ,)" --param blob=${2:-0}
    wait_guest $1 "KMS ready outputs=$(echo $MODES | wc -w)" 400
}

# create_panel: the third, on bochs-display, ready.
create_panel() {
    create panel --module bochs-display
    wait_guest panel "DRAW ready 1024x768" 400
}

# order NAME LINE: typed, and not waited for; obeyed NAME ANSWER [SECONDS] does that, until there is one line more that
# begins so than when the order was given.
order() {
    cp $LOGS/guest-$1.log /tmp/before-$1
    guest_say $1 "$2"
}
obeyed() {
    seen=$(grep -c "^$2" /tmp/before-$1)
    await_guest $1 "^$2" "${3:-60}" $((seen + 1)) && return 0
    tail -n 15 $LOGS/guest-$1.log
    fail "guest $1 did not answer '$2' within $((${3:-60} * PATIENCE)) s"
}

# look NAME WHEN: its counters.
look() {
    gbctl stat $1 --json >$OUT/stat-$2-$1.json || fail "gbctl stat $1, $2"
}

# engine NAME WHEN WORD...: what the scheduler says of it; the words, like weight=8, are what it is set to.
engine() {
    engine_name=$1
    engine_file=$OUT/engine-$2-$1
    shift 2
    gbctl set $engine_name "$@" --json >$engine_file.json 2>$engine_file.txt ||
        fail "gbctl set $engine_name $*: $(cat $engine_file.txt)"
}

# crc NAME OUTPUT WHEN: of what the driver domain shows.
crc() {
    gbctl screenshot $1 --scanout $2 --crc --json >$OUT/crc-$3-$1-$2.json || fail "gbctl screenshot --crc $1 $2, $3"
}

# draw_pair NAME VARIANT: a picture on each output, of its own.
draw_pair() {
    output=0
    for mode in $MODES; do
        order $1 "draw $output $(echo $mode | tr x ' ') $(($2 + output))"
        obeyed $1 "KMS drawn $output $mode"
        output=$((output + 1))
    done
}

step "driver domain: one Glovebox for all guests starts beside Dom0"
gbctl start $DRIVER --kernel /lab/files/glovebox.elf ${DRIVER_OPTIONS:-} >$OUT/start.txt 2>&1 || {
    cat $OUT/start.txt
    tail -n 15 $LOGS/guest-$DRIVER.log
    fail "the driver domain did not start: $(tail -n 1 $OUT/start.txt)"
}
