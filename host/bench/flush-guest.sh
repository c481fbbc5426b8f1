# SPDX-License-Identifier: MIT
#
# The guest of the flush bench: Debian's own drivers, then the cards one after the other, as Dom0 names them. A card's
# turn ends with gb-kms's "end", and "KMS gone" says that the next line is not read by it; the guest's with an empty
# line.

for module in virtio_pci virtio_gpu; do load $module || echo "GUEST failed: cannot insert the module $module"; done
for device in /sys/bus/pci/devices/*; do
    [ "$(cat $device/vendor):$(cat $device/device)" = 0x1af4:0x1050 ] || continue
    echo "CARD $(basename $device) driver=$(basename "$(readlink $device/driver)")"
done
for device in /sys/bus/virtio/devices/*; do echo "VIRTIO $(readlink $device) $(cat $device/features)"; done
grep -E "virtio|timer" /proc/interrupts
echo "KMS cards"
while read -r card && [ -n "$card" ]; do
    gb-kms $card
    echo "KMS gone"
done
grep -E "virtio|timer" /proc/interrupts
