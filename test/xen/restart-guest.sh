# SPDX-License-Identifier: MIT
#
# A guest with the test device and a display, which does what Dom0 types, one line an order.

DEVICE=/sys/bus/pci/devices/0000:00:01.0
mkfifo /tmp/go
load bochs
gb-draw 1024 768 </tmp/go &
exec 3>/tmp/go
while read -r order rest; do
    case $order in
    regs) # NUMBER, then a line for gb-regs
        echo "ANSWER ${rest%% *} $(echo "${rest#* }" | gb-regs -)"
        ;;
    burst) # how many, one right behind the other; the last one reads configuration space
        {
            for i in $(seq 2 $rest); do echo "fffe:6762 0 read 0x18 4"; done
            echo "fffe:6762 config read 0 4"
        } >/tmp/burst
        gb-regs - </tmp/burst | sed 's/^/BURST /'
        echo "BURST end $rest"
        ;;
    loop)
        yes "fffe:6762 0 read 0x18 4" | gb-regs - >/tmp/loop &
        reader=$!
        ;;
    stop)
        kill $reader
        wait $reader 2>/dev/null
        grep '^REGS 0x[0-9a-f]*$' /tmp/loop | sort | uniq -c | sed 's/^ */LOOP /'
        echo "LOOP end"
        ;;
    go) echo >&3 ;;
    rescan)
        echo 1 >$DEVICE/remove
        echo 1 >/sys/bus/pci/rescan
        echo "RESCAN done"
        ;;
    end) break ;;
    esac
done
