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

# display WHEN: which driver is bound.
display() {
    tries=0
    while [ ! -e $sys/devices/$device/driver ] && [ $tries -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    driver=$(basename "$(readlink $sys/devices/$device/driver)")
    echo "DISPLAY $1: $(cat $sys/devices/$device/vendor):$(cat $sys/devices/$device/device) driver=${driver:-none}"
}

start_of_bar0() {
    sed -n 1p $sys/devices/$device/resource | cut -d' ' -f1
}

bars boot
load bochs || echo "GUEST failed: cannot insert the module bochs"
display boot
gb-draw 1024 768
old=$(start_of_bar0)

# Linux gives a rescanned device the lowest address that fits. Asked for 64 MiB of alignment (bit 26), it must choose
# another than hvmloader's.
echo 1 >$sys/devices/$device/remove
echo "MOVE before"
gb-phys $old $VRAM
echo 26@pci:1234:1111 >$sys/resource_alignment
echo 0 >$sys/drivers_autoprobe
echo 1 >$sys/rescan
new=$(start_of_bar0)
bars moved
echo 1 >$sys/devices/$device/enable
echo "MOVE after"
gb-phys $old $VRAM
gb-phys $new $VRAM
echo $device >$sys/drivers_probe
display moved
gb-draw 1024 768

# Dom0 detaches it: the pages must go, too.
echo 1 >$sys/devices/$device/remove
echo "DETACH ready"
read -r _
echo "DETACH after"
gb-phys $new $VRAM
