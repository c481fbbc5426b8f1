# SPDX-License-Identifier: MIT
#
# Modules as files on a real Xen (modules.test.ts judges): a ramdisk with good and bad ones, a live load beside a guest
# that works, versions side by side; and a guest that plays random accesses which the test repeats in V8.

configure a 1

step "a ramdisk with bad files among good ones"
up a --module register-file --param seed=77
told modules gbctl modules --json
ask setup a setup
ask bar a "bar 1 0"
bar=$((${answer##* } & ~15))
ask command a "read $((bar + 28)) 4"

step "the guest plays, the instance's hash before and after"
told before gbctl state a 0 --json
ask play a "play 12345 3000 $((bar + 32)) 3840" 60
told after gbctl state a 0 --json

step "another version comes while the guest is served"
told load gbctl load /lab/files/live.gbx --json
told load-again gbctl load /lab/files/live.gbx
head -c 65536 /lab/files/gbctl >/tmp/program.gbx # an ELF file, and no module
told load-bad gbctl load /tmp/program.gbx
told attach gbctl attach a --module register-file@0.2.0 --json
told in-use gbctl unload register-file@0.2.0
told modules-live gbctl modules --json
told detach gbctl detach a 1
told unload gbctl unload register-file@0.2.0
told modules-end gbctl modules --json
ask alive a "play 1 100 $((bar + 32)) 3840" 20
told stat gbctl stat --driver-domain glovebox-a --json
send a end
wait_gone a 20
