# SPDX-License-Identifier: MIT
#
# A guest with one device, which it reads without a break on its second CPU while Dom0 does what it does.

TALLY=fffe:676f
echo "TALLY ready"
while read -r order name offset value; do
    case $order in
    watch)
        rm -f /tmp/stop
        taskset 2 gb-watch $TALLY 0 $offset $value /tmp/stop >/tmp/watch &
        echo "WATCHING $name"
        ;;
    stop)
        touch /tmp/stop
        wait
        echo "WATCHED $name $(cat /tmp/watch)"
        ;;
    read) echo "READ $name $(gb-regs $TALLY 0 read $offset 4)" ;;
    write) echo "WRITTEN $name $(gb-regs $TALLY 0 write $offset 4 $value)" ;;
    end) break ;;
    esac
done
