# SPDX-License-Identifier: MIT
#
# For scenarios whose guests are test/guest-kernel: configurations, asking, keeping what was said. Guests' names are
# words of letters and digits, as they become parts of variables' names here.

ELF=/lab/files/glovebox.elf
mkdir -p $OUT/said $OUT/cfg

# configure NAME VCPUS [MORE LINES]: $OUT/cfg/NAME.cfg
configure() {
    cat >"$OUT/cfg/$1.cfg" <<END
name="$1"
type="pvh"
kernel="/lab/files/guest-kernel"
memory=16
vcpus=$2
tsc_mode="native"
extra="${3:-}"
on_poweroff="destroy"
on_reboot="destroy"
on_crash="destroy"
END
}

# told NAME COMMAND...: runs it; $OUT/said/NAME.{out,err,code}
told() {
    name=$1
    shift
    "$@" >"$OUT/said/$name.out" 2>"$OUT/said/$name.err"
    echo $? >"$OUT/said/$name.code"
}

# up NAME GBCTL-CREATE-OPTIONS...: a guest with its driver domain, ready to be asked.
up() {
    up_name=$1
    shift
    gbctl create "$OUT/cfg/$up_name.cfg" --kernel $ELF "$@" >"$OUT/said/create-$up_name.out" \
        2>"$OUT/said/create-$up_name.err" || fail "gbctl create $up_name: $(cat "$OUT/said/create-$up_name.err")"
    eval "tty_$up_name=$(xenstore-read "/local/domain/$(xl domid "$up_name")/console/tty")"
    eval "asked_$up_name=0"
    await_guest "$up_name" "^KERNEL up" 20 || fail "guest $up_name does not start"
}

# send NAME COMMAND: without waiting for the answer
send() {
    eval "asked_$1=\$((asked_$1 + 1)); number=\$asked_$1; tty=\$tty_$1"
    echo "$2" >"$tty"
}

# ask LABEL NAME COMMAND [SECONDS]: its answer goes to $OUT/said/answers as LABEL<tab>answer.
ask() {
    send "$2" "$3"
    await_guest "$2" "^$number (ok|failed)" "${4:-15}"
    printf '%s\t%s\n' "$1" "$answer" >>$OUT/said/answers
}

# await LABEL NAME: the answer to what was sent last.
await() {
    eval "number=\$asked_$2"
    await_guest "$2" "^$number (ok|failed)" "${3:-15}"
    printf '%s\t%s\n' "$1" "$answer" >>$OUT/said/answers
}
