# SPDX-License-Identifier: MIT
#
# Reads the device's signature and its parameter.

gb-regs - <<END
fffe:6762 0 read 0 4
fffe:6762 0 read 0x18 4
END
echo "TARGET done"
read -r order
