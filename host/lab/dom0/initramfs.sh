#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Dom0's first program: finds the root disk (vda), unpacks the scenario's tar (vdb) into /lab and hands over to it. How
# many blocks of 64 KiB the tar takes stands at the end of its disk. An empty vdb: the machine is to be kept as it is
# now, booted, for others to go on from with a scenario (../booted.ts).

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in $(busybox cat /lib/modules/order); do insmod /lib/modules/$module.ko; done
tries=0
while [ ! -b /dev/vdc ] && [ $tries -lt 100 ]; do
    busybox sleep 0.1
    tries=$((tries + 1))
done
look() {
    last=$(($(busybox cat /sys/block/vdb/size) - 1))
    blocks=$(busybox dd if=/dev/vdb bs=512 skip=$last count=1 iflag=direct 2>/dev/null | busybox tr -d '\0')
}
look
if [ -z "$blocks" ]; then
    echo "@@gb booted"
    read -r _ </dev/hvc0
    look
fi
mount -t ext4 -o noatime /dev/vda /mnt || echo "@@gb fail Dom0 cannot mount its root disk"
mount -t tmpfs -o size=75% lab /mnt/lab
busybox dd if=/dev/vdb bs=64k count=$blocks 2>/dev/null | busybox tar -xf - -C /mnt/lab ||
    echo "@@gb fail Dom0 cannot unpack the scenario"
for dir in dev proc sys; do mount --move /$dir /mnt/$dir; done
exec busybox switch_root /mnt /lab/init.sh
