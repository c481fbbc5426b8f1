# SPDX-License-Identifier: MIT
#
# The HVM guest: draws, takes its display away, lets it come back at another address, draws again. At each step it
# says what stands where; hvm.test.ts judges.

device=0000:00:10.0
sys=/sys/bus/pci
VRAM=0x1000000 # the module's default

# bars WHEN: the two BARs as the kernel sees them.
bars() {
    echo "BARS $1: $(sed -n '1p;3p' $sys/devices/$device/resource | tr '\n' ';')"
}

# display WHEN: inserts the kernel's driver and says whether it is bound.
display() {
    load bochs || echo "GUEST failed: cannot insert the module bochs"
    driver=$(basename "$(readlink $sys/devices/$device/driver)")
    echo "DISPLAY $1: $(cat $sys/devices/$device/vendor):$(cat $sys/devices/$device/device) driver=${driver:-none}"
}

bar0() {
    sed -n 1p $sys/devices/$device/resource | cut -d' ' -f1
}

bars boot
display boot
gb-draw 1024 768
old=$(bar0)

# Without its driver, so that nobody draws into the pages while they are compared.
echo 1 >$sys/devices/$device/remove
rmmod bochs || echo "GUEST failed: cannot remove the module bochs"
echo "LOOK at old before"
gb-phys $old $VRAM

# Linux gives a rescanned device the lowest address that fits, which is hvmloader's again. Asked for an alignment of
# 64 MiB it must choose another.
echo 26@pci:1234:1111 >$sys/resource_alignment
echo 1 >$sys/rescan
new=$(bar0)
bars moved
echo 1 >$sys/devices/$device/enable
echo "LOOK at old after"
gb-phys $old $VRAM
echo "LOOK at new after"
gb-phys $new $VRAM
display moved
gb-draw 1024 768

# Dom0 detaches it: the pages must go, too.
echo 1 >$sys/devices/$device/remove
echo "DETACH ready"
read -r _
echo "LOOK at new detached"
gb-phys $new $VRAM
