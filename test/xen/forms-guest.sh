# SPDX-License-Identifier: MIT
#
# Two register-file devices: every form of access from one CPU, then accesses from four CPUs at once.

# The kernel switches huge pages off in guests as small as this one; gb-forms wants one for frames in a row.
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
echo "CPUS $(grep -c ^processor /proc/cpuinfo)"
gb-forms 20261123 4000 0000:00:01.0 0000:00:02.0
echo "FORMS end"
read -r _
gb-threads 1500 0000:00:01.0 0000:00:02.0
