# SPDX-License-Identifier: MIT
#
# Debian's kernel with its own virtio_gpu driver on our virtio-gpu: two outputs, pictures, a cursor, flushes without
# pause. The figures are only collected here; virtio-gpu.test.ts judges them.

DRIVER=glovebox-virtio

step "driver domain"
gbctl start $DRIVER --kernel /lab/files/glovebox.elf >$OUT/start.txt 2>&1 || fail "$(tail -n 1 $OUT/start.txt)"

# create NAME PARAMETER...: a guest with two outputs.
create() {
    GUEST=$1
    shift
    gbctl create /lab/guests/$GUEST.cfg --driver-domain $DRIVER --module virtio-gpu --param outputs=2 \
        --param width1=1280 --param height1=720 "$@" --json >$OUT/create-$GUEST.json 2>$OUT/create.txt ||
        fail "guest $GUEST did not start: $(tail -n 1 $OUT/create.txt)"
    wait_guest $GUEST "KMS ready" 180
}

# ask LINE PATTERN [SECONDS]: the guest does it, and says so.
ask() {
    guest_say $GUEST "$1"
    wait_guest $GUEST "$2" ${3:-60}
}

# look WHEN: the vGPU's counters.
look() {
    gbctl stat $GUEST --json >$OUT/stat-$1.json || fail "gbctl stat $1"
}

# crc OUTPUT WHEN: what the driver domain sees.
crc() {
    gbctl screenshot $GUEST --scanout $1 --crc --json >$OUT/crc-$2-$1.json || fail "gbctl screenshot --crc $2 $1"
}

# crc_cursor WHEN OUTPUT: of its cursor.
crc_cursor() {
    gbctl screenshot $GUEST --scanout $2 --crc --cursor --json >$OUT/cursor-$1.json || fail "gbctl --cursor $1"
}

step "guest"
create virtio --param poll_us=1000

step "list: what the driver learnt of the outputs"
ask list "KMS listed"
look bound
step "draw: a mode on each output"
ask "draw 0 1024 768 0" "KMS drawn 0 1024x768"
ask "draw 1 1280 720 3" "KMS drawn 1 1280x720"
crc 0 first
crc 1 first
gbctl screenshot virtio --scanout 1 $OUT/screen.png >$OUT/screen.txt 2>&1 || fail "$(cat $OUT/screen.txt)"
step "draw again: other pictures, another mode"
ask "draw 0 800 600 7" "KMS drawn 0 800x600"
crc 0 second
crc 1 second
step "hot-plug: output 1 gets another monitor, then none"
gbctl output virtio 0 1 1600x1200 >$OUT/output.txt 2>&1 || fail "$(cat $OUT/output.txt)"
sleep 1
ask "draw 1 1600 1200 5" "KMS drawn 1 1600x1200"
crc 1 third
gbctl output virtio 0 1 off >$OUT/output.txt 2>&1 || fail "$(cat $OUT/output.txt)"
sleep 1
ask "list" "KMS output 1 disconnected"
gbctl output virtio 0 1 1280x720 >$OUT/output.txt 2>&1 || fail "$(cat $OUT/output.txt)"
step "cursor"
ask "cursor 0 10 20" "KMS cursor 0 10 20"
ask "cursor 0 500 400" "KMS cursor 0 500 400"
look cursor
crc_cursor blob 0
gbctl screenshot virtio --scanout 0 $OUT/cursor.png >$OUT/screen.txt 2>&1 || fail "$(cat $OUT/screen.txt)"
gbctl screenshot virtio --scanout 0 --no-cursor $OUT/bare.png >$OUT/screen.txt 2>&1 || fail "$(cat $OUT/screen.txt)"
step "flush: one alone, then 2000 without pause"
look before-one
ask "flush 0 1" "KMS flushed 0 times=1 "
look after-one
ask "flush 0 2000" "KMS flushed 0 times=2000" 240
look after-many
sleep 2
look idle
step "summary"
gbctl stat --driver-domain $DRIVER --json >$OUT/driver.json || fail "gbctl stat of the driver domain"
ask "end" "GUEST end"
gbctl destroy virtio >$OUT/destroy.txt 2>&1
gbctl stop $DRIVER >$OUT/stop.txt 2>&1

step "no blobs: pictures are transferred into the device's own memory"
DRIVER=glovebox-transfer
gbctl start $DRIVER --kernel /lab/files/glovebox.elf >$OUT/start.txt 2>&1 || fail "$(tail -n 1 $OUT/start.txt)"
create transfer --param blob=0
ask "draw 0 1024 768 11" "KMS drawn 0 1024x768"
ask "draw 1 1280 720 12" "KMS drawn 1 1280x720"
crc 0 transfer
crc 1 transfer
look transfer-before
ask "flush 0 20" "KMS flushed 0 times=20 "
look transfer-after
ask "cursor 1 7 8" "KMS cursor 1 7 8"
look transfer-cursor
crc_cursor transfer 1
gbctl destroy transfer >$OUT/destroy.txt 2>&1
xl list >$OUT/domains.txt 2>&1
