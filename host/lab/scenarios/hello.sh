# SPDX-License-Identifier: MIT
#
# The smallest scenario: Xen, Dom0, and a PVH guest with Debian's kernel that says hello and switches itself off.

step "guest hello starts"
xl create /lab/guests/hello.cfg || fail "xl create hello"
wait_guest hello "GUEST end" 120
step "guest hello is done"
wait_gone hello 60
