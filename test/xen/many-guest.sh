# SPDX-License-Identifier: MIT
#
# A guest of the test with several, when gb-kms has ended: Debian's modetest with the options that are typed, until an
# empty line is, and gb-kms again. modetest shows its picture until it has read a line.

echo "MODETEST ready"
while read -r options && [ -n "$options" ]; do
    ld-linux-x86-64.so.2 --library-path /lab /lab/modetest -M virtio_gpu $options 2>&1
    echo "MODETEST ended: $?"
done
gb-kms
