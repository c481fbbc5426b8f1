# SPDX-License-Identifier: MIT
#
# The demo's guest: the kernel's own bochs driver, then one drawing for each mode.

load bochs || echo "GUEST failed: cannot insert the module bochs"
for device in /sys/bus/pci/devices/*; do
    [ "$(cat $device/vendor)" = 0x1234 ] || continue
    driver=$(basename "$(readlink $device/driver)")
    echo "GUEST display $(basename $device) $(cat $device/vendor):$(cat $device/device) driver=${driver:-none}"
done
for mode in "1024 768" "1280 720"; do gb-draw $mode || break; done
