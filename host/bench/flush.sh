# SPDX-License-Identifier: MIT
#
# What a flush of the whole screen costs with Linux' own virtio_gpu driver: in an HVM guest on QEMU's virtio-gpu, then
# in a PVH guest with a vGPU for each row. One run of the machine under -icount, the figures are only collected here.

TIMES=100
MANY=1000
PAUSE_US=20000 # longer than any polling, and than any flush

# next COMMAND...: does something that makes the guest say one more KMS line, which is then in $answer.
next() {
    said=$(grep -c '^KMS' $LOGS/guest-$GUEST.log)
    "$@"
    await_guest $GUEST "^KMS" 400 $((said + 1)) || fail "guest $GUEST says nothing"
    case $answer in *failed*) fail "guest $GUEST: $answer" ;; esac
}

# ask LINE: gb-kms does it.
ask() {
    next guest_say $GUEST "$1"
}

# look NAME: counters of the vGPU, when it is ours.
look() {
    [ $VGPU = none ] || gbctl stat $GUEST $VGPU --json >$OUT/$ROW-$1.json || fail "gbctl stat $GUEST $VGPU"
}

# timed NAME WHAT TIMES PAUSE_US
timed() {
    look $1-before
    ask "time 0 $2 $3 $4"
    look $1-after
    echo "$ROW $1 $answer" | tee -a $OUT/timed.txt
}

# row ROW VGPU SLOT: all that is measured of the card in that slot; VGPU is its number, or none for QEMU's.
row() {
    ROW=$1 VGPU=$2
    step "$ROW"
    next guest_say $GUEST "0000:00:$3.0"
    ask "draw 0 1024 768 0"
    timed clock clock $TIMES $PAUSE_US
    timed flush flush $TIMES $PAUSE_US
    timed fence fence $TIMES $PAUSE_US
    timed both both $TIMES $PAUSE_US
    timed many flush $MANY 0
    next guest_say $GUEST "end"
}

# end: the guest switches itself off.
end() {
    guest_say $GUEST ""
    wait_guest $GUEST "GUEST end" 60
}

polling="--module virtio-gpu"
alone="--module virtio-gpu --param poll_us=0"

GUEST=hvm
step "guest $GUEST: QEMU's"
gzip /lab/guests/$GUEST.img # QEMU hands it over byte by byte, two thousand instructions each
xl create -q /lab/guests/$GUEST.cfg >$OUT/qemu.txt 2>&1 || {
    cat $OUT/qemu.txt /var/log/xen/qemu-dm-$GUEST.log
    fail "guest $GUEST did not start"
}
wait_guest $GUEST "KMS cards" 400
row qemu none 06
end

GUEST=pvh
step "guest $GUEST: ours"
gbctl create /lab/guests/$GUEST.cfg --kernel /lab/files/glovebox.elf \
    $alone $alone --param blob=0 $polling $polling --param blob=0 --json >$OUT/create.json 2>$OUT/create.txt ||
    fail "guest $GUEST did not start: $(tail -n 1 $OUT/create.txt)"
wait_guest $GUEST "KMS cards" 400
row blob 0 01
row transfer 1 02
row polled 2 03
row polled-transfer 3 04
end
