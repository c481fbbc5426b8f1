#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Dom0's first program: finds the root disk (vda), unpacks the scenario's tar (vdb) into /lab and hands over to it.

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in $(busybox cat /lib/modules/order); do insmod /lib/modules/$module.ko; done
tries=0
while [ ! -b /dev/vdc ] && [ $tries -lt 100 ]; do
    busybox sleep 0.1
    tries=$((tries + 1))
done
mount -t ext4 -o noatime /dev/vda /mnt || echo "@@gb fail Dom0 cannot mount its root disk"
mount -t tmpfs -o size=75% lab /mnt/lab
busybox tar -xf /dev/vdb -C /mnt/lab || echo "@@gb fail Dom0 cannot unpack the scenario"
for dir in dev proc sys; do mount --move /$dir /mnt/$dir; done
exec busybox switch_root /mnt /lab/init.sh
