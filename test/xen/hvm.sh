# SPDX-License-Identifier: MIT
#
# An HVM guest beside QEMU with a display from the driver domain (hvm.test.ts judges): what Dom0 sees at each step.

# pages NAME: Xen's own count of every domain's pages; its debug key q prints it.
pages() {
    xl dmesg -c >>"$OUT/xen.txt"
    xl debug-keys q
    wait_for 5 sh -c "xl dmesg | grep -q 'General information for domain $guest:'" || fail "Xen does not count pages"
    xl dmesg >"$OUT/pages-$1.txt"
}

# look NAME: the vGPU's figures and Xen's.
look() {
    gbctl stat hvm --json >"$OUT/stat-$1.json" || fail "gbctl stat"
    pages "$1"
}

# drawing WHAT NTH: waits until the guest has said so for the nth time.
drawing() {
    await_guest hvm "DRAW $1 1024x768" 60 $2 || fail "no drawing $2 is $1"
}

# draw NAME NTH: the guest's nth drawing, with the trap counters around it.
draw() {
    drawing ready $2
    gbctl stat hvm --json >"$OUT/draw-$1-begin.json" || fail "gbctl stat before the drawing"
    guest_say hvm go
    drawing done $2
    gbctl stat hvm --json >"$OUT/draw-$1-end.json" || fail "gbctl stat after the drawing"
    gbctl screenshot hvm --crc --json >"$OUT/draw-$1-crc.json" || fail "gbctl screenshot --crc"
    look "$1"
    guest_say hvm next
}

free_memory() {
    xl info | sed -n 's/^free_memory *: //p' >"$OUT/free-$1.txt"
}

free_memory before
step "the HVM guest starts beside QEMU"
gbctl create /lab/guests/hvm.cfg --kernel /lab/files/glovebox.elf --module bochs-display --slot 16 --timeout 180 \
    --json >$OUT/create.json 2>$OUT/create.txt || {
    cat /var/log/xen/qemu-dm-hvm.log
    fail "gbctl create: $(tail -n 1 $OUT/create.txt)"
}
guest=$(xl domid hvm)
wait_guest hvm "GUEST up" 400 # QEMU gives it kernel and ramdisk by fw_cfg, in Dom0
xenstore-read "/local/domain/0/device-model/$guest/state" >$OUT/device-model.txt
step "it draws at the address that hvmloader chose"
wait_guest hvm "DISPLAY boot" 60
draw boot 1
step "its display goes and comes back at another address"
wait_guest hvm "DISPLAY moved" 60
draw moved 2
step "its display is detached"
wait_guest hvm "DETACH ready" 60
gbctl detach hvm >$OUT/detach.txt 2>&1 || fail "gbctl detach: $(cat $OUT/detach.txt)"
pages detached
guest_say hvm go
wait_guest hvm "GUEST end" 60
gbctl destroy hvm >$OUT/destroy.txt 2>&1
wait_gone hvm 30
wait_gone glovebox-hvm 30
# Xen gives a dead domain's pages back in the background.
wait_for 10 sh -c "[ \$(xl info | sed -n 's/^free_memory *: //p') = $(cat $OUT/free-before.txt) ]"
free_memory after
xl dmesg -c >>"$OUT/xen.txt"
