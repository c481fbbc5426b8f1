// SPDX-License-Identifier: MIT
//
// Virtio 1.2 (OASIS): feature bits, device status, the PCI transport's structures and the split virtqueue, by the names
// of linux/virtio_config.h, virtio_pci.h and virtio_ring.h; test/abi holds them against those headers.
// Plain constants only: imported by AssemblyScript and by the TypeScript host alike.

export const VIRTIO_PCI_VENDOR_ID = 0x1af4;
/** 4.1.2: a modern device's PCI id is this and its virtio device id. */
export const VIRTIO_PCI_DEVICE_ID_BASE = 0x1040;

// --- feature bits (6) ---
export const VIRTIO_RING_F_INDIRECT_DESC = 28;
export const VIRTIO_RING_F_EVENT_IDX = 29;
export const VIRTIO_F_VERSION_1 = 32;
export const VIRTIO_F_ACCESS_PLATFORM = 33;

// --- device status (2.1) ---
export const VIRTIO_CONFIG_S_ACKNOWLEDGE = 1;
export const VIRTIO_CONFIG_S_DRIVER = 2;
export const VIRTIO_CONFIG_S_DRIVER_OK = 4;
export const VIRTIO_CONFIG_S_FEATURES_OK = 8;
export const VIRTIO_CONFIG_S_NEEDS_RESET = 0x40;
export const VIRTIO_CONFIG_S_FAILED = 0x80;

// --- the common configuration structure (4.1.4.3) ---
export const VIRTIO_PCI_COMMON_DFSELECT = 0;
export const VIRTIO_PCI_COMMON_DF = 4;
export const VIRTIO_PCI_COMMON_GFSELECT = 8;
export const VIRTIO_PCI_COMMON_GF = 12;
export const VIRTIO_PCI_COMMON_MSIX = 16;
export const VIRTIO_PCI_COMMON_NUMQ = 18;
export const VIRTIO_PCI_COMMON_STATUS = 20;
export const VIRTIO_PCI_COMMON_CFGGENERATION = 21;
export const VIRTIO_PCI_COMMON_Q_SELECT = 22;
export const VIRTIO_PCI_COMMON_Q_SIZE = 24;
export const VIRTIO_PCI_COMMON_Q_MSIX = 26;
export const VIRTIO_PCI_COMMON_Q_ENABLE = 28;
export const VIRTIO_PCI_COMMON_Q_NOFF = 30;
export const VIRTIO_PCI_COMMON_Q_DESCLO = 32;
export const VIRTIO_PCI_COMMON_Q_DESCHI = 36;
export const VIRTIO_PCI_COMMON_Q_AVAILLO = 40;
export const VIRTIO_PCI_COMMON_Q_AVAILHI = 44;
export const VIRTIO_PCI_COMMON_Q_USEDLO = 48;
export const VIRTIO_PCI_COMMON_Q_USEDHI = 52;
/** struct virtio_pci_common_cfg; what 1.2 adds behind it needs features that we do not offer. */
export const VIRTIO_PCI_COMMON_BYTES = 56;
export const VIRTIO_MSI_NO_VECTOR = 0xffff;

// --- the ISR status (4.1.4.5) ---
export const VIRTIO_PCI_ISR_QUEUE = 1;
export const VIRTIO_PCI_ISR_CONFIG = 2;

// --- capabilities in configuration space (4.1.4): 16 bytes, 20 for NOTIFY_CFG ---
export const VIRTIO_PCI_CAP_COMMON_CFG = 1;
export const VIRTIO_PCI_CAP_NOTIFY_CFG = 2;
export const VIRTIO_PCI_CAP_ISR_CFG = 3;
export const VIRTIO_PCI_CAP_DEVICE_CFG = 4;

// --- the split virtqueue (2.7) ---
//   descriptor, 16 bytes   0 ┌ addr u64 ┬ 8 len u32 ┬ 12 flags u16 ┬ 14 next u16 ┐
//   available ring         0 ┌ flags u16 ┬ 2 idx u16 ┬ 4 ring: u16 each ┬ used_event u16 ┐
//   used ring              0 ┌ flags u16 ┬ 2 idx u16 ┬ 4 ring: { id u32, len u32 } each ┬ avail_event u16 ┐
export const VRING_DESC_BYTES = 16;
export const VRING_DESC_F_NEXT = 1;
export const VRING_DESC_F_WRITE = 2;
export const VRING_DESC_F_INDIRECT = 4;
export const VRING_AVAIL_F_NO_INTERRUPT = 1;
export const VRING_USED_F_NO_NOTIFY = 1;
export const VRING_IDX = 2;
export const VRING_RING = 4;
export const VRING_USED_ELEM_BYTES = 8;
export const VRING_DESC_ALIGN_SIZE = 16;
export const VRING_AVAIL_ALIGN_SIZE = 2;
export const VRING_USED_ALIGN_SIZE = 4;
