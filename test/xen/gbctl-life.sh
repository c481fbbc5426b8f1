# SPDX-License-Identifier: MIT
#
# One life of a guest with the test device: looks at registers, then does what Dom0 types.

gb-regs - <<END
fffe:6762 0 read 0 4
fffe:6762 0 read 0x18 4
fffe:6762 0 write 4 4 0x12345678
fffe:6762 0 read 5 2
fffe:6762 1 read 4 4
fffe:6762 1 write 4 1 0xff
fffe:6762 0 read 4 8
fffe:6762 config read 0 4
fffe:6762 config write 0x3c 1 9
fffe:6762 config read 0x3c 1
fffe:6762 5 read 0 4
END
echo "LIFE registers done"
read -r order
[ "$order" = again ] && reboot -f
