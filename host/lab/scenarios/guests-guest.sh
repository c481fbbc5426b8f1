# SPDX-License-Identifier: MIT
#
# One of the three guests: the kernel's own bochs driver, then its own picture as often as somebody types a line.
# $VARIANT is the picture.

load bochs || echo "GUEST failed: cannot insert the module bochs"
for device in /sys/bus/pci/devices/*; do
    [ "$(cat $device/vendor)" = 0x1234 ] || continue
    driver=$(basename "$(readlink $device/driver)")
    echo "GUEST display $(basename $device) $(cat $device/vendor):$(cat $device/device) driver=${driver:-none}"
done
while gb-draw 1024 768 $VARIANT; do :; done
