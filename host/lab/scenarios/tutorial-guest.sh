# SPDX-License-Identifier: MIT
#
# The tutorial's guest: its PCI devices as the kernel shows them; of the starting points (vendor fffe) the registers.

for path in /sys/bus/pci/devices/*; do
    [ "$(cat $path/class)" = 0x060000 ] && continue # the host bridge
    device=$(basename $path)
    echo "DEVICE $device $(cat $path/vendor):$(cat $path/device) class=$(cat $path/class)"
    [ "$(cat $path/vendor)" = 0xfffe ] || continue
    echo "IDENTITY $device $(gb-regs $device 0 read 0 4)"
    gb-regs $device 0 write 4 4 0x12345678 >/dev/null
    echo "SCRATCH $device $(gb-regs $device 0 read 4 4)"
    echo "RAISED $device $(gb-interrupt $device 0 8)"
done
echo "TUTORIAL done"
read -r _
