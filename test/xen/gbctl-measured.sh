# SPDX-License-Identifier: MIT
#
# Times the bench's device, and what Xen answers by itself.

gb-measure --label emulator --device fffe:6762 --bar 0 --io-bar 1 --offset 4 --count 200
gb-measure --label nobody --mmio-phys 0xf2000000 --port 0x5f0 --count 200
