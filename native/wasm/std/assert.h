/* SPDX-License-Identifier: MIT */
/* Stands in for the C library's header in wasm2c's C: its one assert is about initialisation, which we have none of. */
#ifndef GLOVEBOX_STD_ASSERT_H
#define GLOVEBOX_STD_ASSERT_H

#define assert(x) ((void)0)
#undef static_assert
#define static_assert _Static_assert

#endif
