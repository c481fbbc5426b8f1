/* SPDX-License-Identifier: MIT */
/* Numbers of the ELF format as a .gbx file meets them: System V ABI chapters 4 and 5, AMD64 supplement, gABI-GNU. */
#ifndef GLOVEBOX_ELF_NUMBERS_H
#define GLOVEBOX_ELF_NUMBERS_H

/* file header: offsets of fields, values */
#define EHDR_BYTES 64u
#define EI_CLASS 4u
#define EI_DATA 5u
#define EI_VERSION 6u
#define E_TYPE 16u
#define E_MACHINE 18u
#define E_PHOFF 32u
#define E_PHENTSIZE 54u
#define E_PHNUM 56u
#define ELFCLASS64 2u
#define ELFDATA2LSB 1u
#define EV_CURRENT 1u
#define ET_DYN 3u
#define EM_X86_64 62u

/* program headers */
#define PHDR_BYTES 56u
#define P_TYPE 0u
#define P_FLAGS 4u
#define P_OFFSET 8u
#define P_VADDR 16u
#define P_FILESZ 32u
#define P_MEMSZ 40u
#define PT_NULL 0u
#define PT_LOAD 1u
#define PT_DYNAMIC 2u
#define PT_INTERP 3u
#define PT_NOTE 4u
#define PT_TLS 7u
#define PT_GNU_STACK 0x6474e551u
#define PT_GNU_RELRO 0x6474e552u
#define PF_X 1u
#define PF_W 2u

/* dynamic section */
#define DYN_BYTES 16u
#define DT_NULL 0u
#define DT_NEEDED 1u
#define DT_PLTRELSZ 2u
#define DT_PLTGOT 3u
#define DT_HASH 4u
#define DT_STRTAB 5u
#define DT_SYMTAB 6u
#define DT_RELA 7u
#define DT_RELASZ 8u
#define DT_RELAENT 9u
#define DT_STRSZ 10u
#define DT_SYMENT 11u
#define DT_INIT 12u
#define DT_FINI 13u
#define DT_SYMBOLIC 16u
#define DT_PLTREL 20u
#define DT_DEBUG 21u
#define DT_TEXTREL 22u
#define DT_JMPREL 23u
#define DT_BIND_NOW 24u
#define DT_INIT_ARRAY 25u
#define DT_FINI_ARRAY 26u
#define DT_FLAGS 30u
#define DT_PREINIT_ARRAY 32u
#define DT_RELACOUNT 0x6ffffff9u
#define DT_FLAGS_1 0x6ffffffbu
#define DF_TEXTREL 4u
#define DF_STATIC_TLS 16u

/* symbols */
#define SYM_BYTES 24u
#define ST_NAME 0u
#define ST_INFO 4u
#define ST_SHNDX 6u
#define ST_VALUE 8u
#define ST_SIZE 16u
#define SHN_UNDEF 0u
#define STT_NOTYPE 0u
#define STT_OBJECT 1u
#define STT_FUNC 2u

/* relocations */
#define RELA_BYTES 24u
#define R_OFFSET 0u
#define R_INFO 8u
#define R_ADDEND 16u
#define R_X86_64_64 1u
#define R_X86_64_GLOB_DAT 6u
#define R_X86_64_JUMP_SLOT 7u
#define R_X86_64_RELATIVE 8u

#endif
