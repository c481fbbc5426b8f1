# SPDX-License-Identifier: MIT
#
# The guest of the virtio-gpu test: Debian's own drivers, then our program that does what Dom0 types.

for module in virtio_pci virtio_gpu; do load $module || echo "GUEST failed: cannot insert the module $module"; done
for device in /sys/bus/pci/devices/*; do
    [ "$(cat $device/vendor)" = 0x1af4 ] || continue
    echo "GUEST display $(basename $device) $(cat $device/vendor):$(cat $device/device)" \
        "driver=$(basename "$(readlink $device/driver)")"
done
for device in /sys/bus/virtio/devices/*; do
    echo "GUEST virtio $(cat $device/device) driver=$(basename "$(readlink $device/driver)")" \
        "features=$(cat $device/features)"
done
grep -E "virtio|timer" /proc/interrupts
cat /proc/ioports | grep -i virtio
gb-kms
