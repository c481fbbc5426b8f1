# SPDX-License-Identifier: MIT
#
# A guest with a hostile device and a sound one on two vCPUs: the first CPU makes the hostile one do wrong as Dom0 says,
# the second reads the sound one all the time.

HOSTILE=fffe:6768
regs() {
    gb-regs $HOSTILE "$@"
}
regs 0 read 0 4
regs 2 read 0 4
bar0=$(regs config read 0x10 4 | cut -d' ' -f2)
bar2=$(regs config read 0x18 4 | cut -d' ' -f2)
gb-regs fffe:6762 0 write 0x40 4 0x5eed5eed
echo "HOSTILE ready $bar0 $bar2"
while read -r order name number; do
    case $order in
    watch)
        rm -f /tmp/stop
        taskset 2 gb-watch fffe:6762 0 0x40 0x5eed5eed /tmp/stop >/tmp/watch-$name &
        echo "WATCHING $name"
        ;;
    stop)
        touch /tmp/stop
        wait
        echo "WATCHED $name $(cat /tmp/watch-$name)"
        ;;
    sin)
        regs 0 write 0x14 4 $number >/dev/null
        echo "SIN $name $(regs 0 read 0 4)"
        ;;
    again) # after a reset: what the guest's kernel set up is gone
        regs config write 0x10 4 $bar0 >/dev/null
        regs config write 0x18 4 $bar2 >/dev/null
        regs config write 0x04 2 2 >/dev/null
        echo "AGAIN $name $(regs 0 read 0 4)"
        ;;
    end) break ;;
    esac
done
