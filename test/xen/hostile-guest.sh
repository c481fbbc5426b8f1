# SPDX-License-Identifier: MIT
#
# A guest with several hostile devices and a sound one on two vCPUs: the first CPU makes the hostile ones do wrong as
# Dom0 says, the second reads the sound one, with pauses that leave Dom0 its time.

SOUND=fffe:6762
PAUSE_US=500
hostile=
for device in /sys/bus/pci/devices/*; do
    [ "$(cat $device/device)" = 0x6768 ] && hostile="$hostile ${device##*/}"
done

# What the kernel set up and a reset forgets: one line of gb-regs a register.
for device in $hostile; do
    for offset in 0x10 0x18; do
        value=$(gb-regs $device config read $offset 4)
        echo "$device config write $offset 4 ${value#REGS }"
    done
    echo "$device config write 0x04 2 2"
done >/tmp/again

# each LINE-WITHOUT-DEVICE...: for every hostile device
each() {
    for device in $hostile; do
        for line; do echo "$device $line"; done
    done
}

each "0 read 0 4" "2 read 0 4" | gb-regs - >/dev/null
gb-regs $SOUND 0 write 0x40 4 0x5eed5eed
echo "HOSTILE ready"
while read -r order name numbers; do
    case $order in
    watch)
        rm -f /tmp/stop
        taskset 2 gb-watch $SOUND 0 0x40 0x5eed5eed /tmp/stop $PAUSE_US >/tmp/watch-$name &
        echo "WATCHING $name"
        ;;
    stop)
        touch /tmp/stop
        wait
        echo "WATCHED $name $(cat /tmp/watch-$name)"
        ;;
    sin) # one number for each device: the write takes so long, the device looks like this after it
        set -- $numbers
        for device in $hostile; do
            [ $# -gt 0 ] || break
            echo "$device 0 write 0x14 4 $1"
            echo "$device 0 read 0 4"
            shift
        done | gb-regs -t - | sed "s/^/DEED $name /"
        echo "SIN $name"
        ;;
    again)
        gb-regs - </tmp/again >/dev/null
        each "0 read 0 4" | gb-regs - | sed "s/^/AFTER $name /"
        echo "AGAIN $name"
        ;;
    end) break ;;
    esac
done
