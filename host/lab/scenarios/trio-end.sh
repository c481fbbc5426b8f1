# SPDX-License-Identifier: MIT
#
# The end of the demo: all guests go, then their driver domain.

if [ ! -f /lab/keep ]; then
    for guest in $PAIR panel; do gbctl destroy $guest >>$OUT/destroy.txt 2>&1; done
    gbctl stop $DRIVER >>$OUT/destroy.txt 2>&1
fi
