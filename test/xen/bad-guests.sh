# SPDX-License-Identifier: MIT
#
# Guests that do what no driver would (bad-guests.test.ts judges). Guest `a` does most of it, with a neighbour `b` that
# only works; guests that must die have a life of their own. After each case: everybody who should answer does.

configure a 2
configure b 1
configure c 2
configure d 1
configure e 1

# alive LABEL: the tools answer, the neighbour's device works, guest a's driver domain too.
alive() {
    told "alive-$1" gbctl stat a 1 --json
    ask "alive-$1" b "use 1 $((turn = turn + 1))"
}

step "two guests"
up b --module register-file
up a --module register-file --module register-file \
    --module bochs-display --param vram_bytes=4M --module bochs-display --param vram_bytes=4M
ask setup-b b setup
ask setup a setup
alive first

step "BARs over each other, RAM, the local APIC, the address register"
ask over-place a "place 2 0 0xe0000000"
ask over-first a "read 0xe0000000 4"
told over-stat gbctl stat a 1 --json
ask over-move a "place 1 0 0xe2000000"
ask over-mark a "write 0xe2000004 4 0x11"
ask over-second a "write 0xe0000004 4 0x22"
ask over-check a "read 0xe2000004 4"
ask over-check2 a "read 0xe0000004 4"
alive over
ask ram-write a "write 0x900000 4 0x5151"
ask ram-place a "place 1 0 0x900000"
ask ram-read a "read 0x900000 4"
ask apic-before a "apic"
ask apic-place a "place 1 0 0xfee00000"
ask apic-after a "apic"
ask back a "place 1 0 0xe2000000"
ask back-read a "read 0xe2000004 4"
ask cf8-place a "place 1 1 0xcf0"
ask cf8-config a "config 1 0 4"
told cf8-stat gbctl stat a 0 --json
ask cf8-back a "place 1 1 0x1000"
ask cf8-port a "in 0x1004 4"
alive apic

step "ram BARs over each other and over the guest's RAM"
ask draw a "draw 3 320 200 1"
ask twin-place a "place 4 0 0xe0400000"
told twin-stat gbctl stat a 3 --json
told twin-crc gbctl screenshot a 2 --crc --json
ask twin-back a "place 4 0 0xe0c00000"
ask twin-draw a "draw 4 320 200 2"
told twin-crc4 gbctl screenshot a 3 --crc --json
ask own-place a "place 3 0 0x800000"
ask own-draw a "draw 3 320 200 3"
told own-crc gbctl screenshot a 2 --crc --json
ask own-back a "place 3 0 0xe0400000"
ask own-again a "draw 3 320 200 4"
told own-crc-again gbctl screenshot a 2 --crc --json
told own-list gbctl list --json
alive ram

step "decoding off and on under the other vCPU's accesses"
ask race a "race 1 300" 60
alive race

step "counts that wrap and cross"
ask rep-cross a "stos 0xe2000ff0 0x77 4 64 0"
ask rep-below a "stos 0xe2000004 0x78 4 8 1"
ask rep-read a "read 0xe2000004 4"
ask rep-copy a "copy 0xe0000100 0xe2000100 4 16"
ask rep-zero a "stos 0xe2000004 0x79 4 0 0"
ask rep-ports a "ins 0x1004 4 3000 0"
alive rep

step "interrupts of nonsense"
ask msi-address a "msi 1 0x1000 0x41 1"
ask msi-ring a "write 0xe2000008 4 0"
ask msi-answer a "read 0xe2000008 4"
ask msi-good a "msi 1 0xfee00000 0x51 1"
ask msi-good-ring a "write 0xe2000008 4 0"
ask msi-good-seen a "interrupts 0x51"
ask msi-illegal a "msi 1 0xfee00000 0xff05 1"
ask msi-illegal-ring a "write 0xe2000008 4 0"
ask msi-off a "msi 1 0 0 0"
ask msix-fill a "stos 0xe0020000 0xdeadbeef 4 1024 0"
ask msix-unmask a "write 0xe002000c 4 0"
ask msix-on a "poke 1 0x62 2 0x8000"
ask msix-ring a "write 0xe2000008 4 0"
ask msix-answer a "read 0xe2000008 4"
ask msix-off a "poke 1 0x62 2 0"
alive msi
ask vector a "write 0xe2000008 4 77"
ask vector-read a "read 0xe2000004 4"
told vector-list gbctl list --json
ask vector-other a "use 2 5"
told vector-reset gbctl reset a 0
ask vector-setup a setup
ask vector-again a "use 1 5"
alive vector

step "a page of the picture ballooned away"
ask balloon-draw a "draw 3 640 480 9"
ask balloon-bar a "bar 3 0"
ask balloon-give a "give 0xe0404000 1"
told balloon-crc gbctl screenshot a 2 --crc --json
told balloon-png gbctl screenshot a 2 $OUT/said/balloon.png
ask balloon-take a "take 0xe0404000 1"
told balloon-crc-again gbctl screenshot a 2 --crc --json
ask balloon-give-again a "give 0xe0404000 3"
told balloon-detach gbctl detach a 2
told balloon-other gbctl screenshot a 3 --crc --json
alive balloon

step "paused, saved, in mid-request"
xl pause glovebox-a
send a "read 0xe0000000 4"
usleep 300000
xl pause a
told save timeout 20 xl save a /tmp/saved
xl unpause glovebox-a
told paused-stat gbctl stat a 1 --json
told paused-crc gbctl screenshot a 3 --crc --json
xl unpause a
await paused-answer a
told save-running timeout 20 xl save a /tmp/saved
told save-file ls /tmp/saved
ask saved-use a "use 1 6"
alive paused

step "a vCPU dies while the other waits; the guest is destroyed while it waits"
up c --module register-file
ask c-setup c setup
xl pause glovebox-c
send c "die 0xe0000000"
await_guest c "^KERNEL dies" 10
usleep 2000000
told dead-waits xl list
xl unpause glovebox-c
wait_for 20 sh -c '! xl domid c'
told dead-domains xl list
told dead-stat gbctl stat glovebox-c --json
told dead-list gbctl list --json
told dead-destroy gbctl destroy c
up d --module register-file
ask d-setup d setup
xl pause glovebox-d
send d "read 0xe0000000 4"
usleep 300000
told gone-destroy xl destroy d
xl unpause glovebox-d
told gone-stat gbctl stat glovebox-d --json
told gone-stop gbctl stop glovebox-d --force
alive dead

step "a guest that writes over itself without end, and over its own console"
up e --module register-file --module bochs-display --param vram_bytes=4M
ask e-setup e setup
send e "stos 0xe0000100 0 8 0x2000000000000004 0"
usleep 1000000
told wrap-stat gbctl stat e --json
told wrap-destroy gbctl destroy e
up e --module register-file --module bochs-display --param vram_bytes=4M
ask e2-setup e setup
send e "place 2 0 0xfec00000"
usleep 500000
told special-stat gbctl stat e 0 --json
told special-list gbctl list --json
told special-destroy gbctl destroy e
alive special

step "all gone"
told end-destroy-a gbctl destroy a
told end-destroy-b gbctl destroy b
xl list >$OUT/said/domains
