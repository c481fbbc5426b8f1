# SPDX-License-Identifier: MIT
#
# An HVM guest beside QEMU with a display from the driver domain (hvm.test.ts judges): what Dom0 sees at each step.

GB=gbctl

# look NAME: the vGPU's figures, and what Xen says of each domain's pages.
look() {
    $GB stat hvm --json >"$OUT/stat-$1.json" 2>"$OUT/stat-$1.txt"
    pages "$1"
}

# pages NAME: Xen's own count. `q` makes it print every domain; only the lines since then count.
pages() {
    xl dmesg -c >>"$OUT/xen-before.txt"
    xl debug-keys q
    wait_for 5 sh -c "xl dmesg | grep -q 'nr_pages='"
    sleep 0.5
    xl dmesg >"$OUT/pages-$1.txt"
}

free_kib() {
    xl info | sed -n 's/^free_memory *: //p' >"$OUT/free-$1.txt"
}

# draw NAME: one run of gb-draw in the guest, with the trap counters around it.
draw() {
    wait_for 120 sh -c "[ \$(grep -c 'DRAW ready 1024x768' $LOGS/guest-hvm.log) -ge $2 ]" || wait_guest hvm "DRAW none" 1
    $GB stat hvm --json >"$OUT/draw-$1-begin.json" || fail "gbctl stat before drawing"
    guest_say hvm go
    wait_for 60 sh -c "[ \$(grep -c 'DRAW done 1024x768' $LOGS/guest-hvm.log) -ge $2 ]" || wait_guest hvm "DRAW none" 1
    $GB stat hvm --json >"$OUT/draw-$1-end.json" || fail "gbctl stat after drawing"
    $GB screenshot hvm --crc --json >"$OUT/draw-$1-crc.json" || fail "gbctl screenshot --crc"
}

step "the HVM guest starts beside QEMU"
free_kib start
$GB create /lab/guests/hvm.cfg --kernel /lab/files/glovebox.elf --module bochs-display --slot 16 --timeout 180 --json \
    >$OUT/create.json 2>$OUT/create.txt || {
    cat /var/log/xen/qemu-dm-hvm.log
    fail "gbctl create: $(tail -n 1 $OUT/create.txt)"
}
wait_guest hvm "GUEST up" 150
step "it draws at the address that hvmloader chose"
wait_guest hvm "DISPLAY boot" 60
draw boot 1
look boot
xenstore-ls -f /local/domain/0/device-model >$OUT/device-model.txt
guest_say hvm next
step "its display goes and comes back at another address"
wait_guest hvm "DISPLAY moved" 60
look moved
draw moved 2
guest_say hvm next
step "it is detached"
wait_guest hvm "DETACH ready" 60
look still
$GB detach hvm >$OUT/detach.txt 2>&1 || fail "gbctl detach: $(cat $OUT/detach.txt)"
pages detached
guest_say hvm go
wait_guest hvm "GUEST end" 60
$GB destroy hvm >$OUT/destroy.txt 2>&1
wait_gone hvm 30
wait_gone glovebox-hvm 30
sleep 1
free_kib end
xl dmesg -c >>"$OUT/xen-before.txt"
