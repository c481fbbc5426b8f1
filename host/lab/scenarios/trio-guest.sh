# SPDX-License-Identifier: MIT
#
# One of the two guests on virtio-gpu: Debian's own drivers, then our program that does what Dom0 types.

for module in virtio_pci virtio_gpu; do load $module || echo "GUEST failed: cannot insert the module $module"; done
for device in /sys/bus/virtio/devices/*; do
    echo "GUEST display $(basename "$(readlink -f $device/..)") driver=$(basename "$(readlink $device/driver)")"
done
gb-kms
