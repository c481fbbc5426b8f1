// SPDX-License-Identifier: MIT
//
// The virtio GPU device (virtio 1.2, 5.7), 2D commands: numbers by the names of linux/virtio_gpu.h (test/abi holds them
// against that header), and the offsets of the structures' fields, which the comments draw.
// Plain constants only: imported by AssemblyScript and by the TypeScript host alike.

export const VIRTIO_ID_GPU = 16;

export const VIRTIO_GPU_F_EDID = 1;
export const VIRTIO_GPU_F_RESOURCE_BLOB = 3;

// --- device configuration: 0 events_read, 4 events_clear, 8 num_scanouts, 12 num_capsets; u32 each ---
export const VIRTIO_GPU_CONFIG_EVENTS_READ = 0;
export const VIRTIO_GPU_CONFIG_EVENTS_CLEAR = 4;
export const VIRTIO_GPU_CONFIG_NUM_SCANOUTS = 8;
export const VIRTIO_GPU_CONFIG_BYTES = 16;
export const VIRTIO_GPU_EVENT_DISPLAY = 1;

// --- commands ---
export const VIRTIO_GPU_CMD_GET_DISPLAY_INFO = 0x0100;
export const VIRTIO_GPU_CMD_RESOURCE_CREATE_2D = 0x0101;
export const VIRTIO_GPU_CMD_RESOURCE_UNREF = 0x0102;
export const VIRTIO_GPU_CMD_SET_SCANOUT = 0x0103;
export const VIRTIO_GPU_CMD_RESOURCE_FLUSH = 0x0104;
export const VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D = 0x0105;
export const VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING = 0x0106;
export const VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING = 0x0107;
export const VIRTIO_GPU_CMD_GET_EDID = 0x010a;
export const VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB = 0x010c;
export const VIRTIO_GPU_CMD_SET_SCANOUT_BLOB = 0x010d;
export const VIRTIO_GPU_CMD_UPDATE_CURSOR = 0x0300;
export const VIRTIO_GPU_CMD_MOVE_CURSOR = 0x0301;

// --- responses ---
export const VIRTIO_GPU_RESP_OK_NODATA = 0x1100;
export const VIRTIO_GPU_RESP_OK_DISPLAY_INFO = 0x1101;
export const VIRTIO_GPU_RESP_OK_EDID = 0x1104;
export const VIRTIO_GPU_RESP_ERR_UNSPEC = 0x1200;
export const VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY = 0x1201;
export const VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID = 0x1202;
export const VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID = 0x1203;
export const VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER = 0x1205;

// --- every command and response begins so: 0 type, 4 flags, 8 fence_id u64, 16 ctx_id, 20 ring_idx u8 ---
export const HEADER_FLAGS = 4;
export const HEADER_FENCE_ID = 8;
export const HEADER_CTX_ID = 16;
export const HEADER_BYTES = 24;
export const VIRTIO_GPU_FLAG_FENCE = 1;

// --- bodies, offsets from the start of the command; a rectangle is x, y, width, height ---
export const RECT_BYTES = 16;
/** RESOURCE_CREATE_2D: 24 resource, 28 format, 32 width, 36 height */
export const CREATE_2D_RESOURCE = 24;
export const CREATE_2D_FORMAT = 28;
export const CREATE_2D_WIDTH = 32;
export const CREATE_2D_HEIGHT = 36;
export const CREATE_2D_BYTES = 40;
/** RESOURCE_UNREF, RESOURCE_DETACH_BACKING, GET_EDID (its scanout): 24 id, 28 padding */
export const SIMPLE_ID = 24;
export const SIMPLE_BYTES = 32;
/** SET_SCANOUT: 24 rectangle, 40 scanout, 44 resource (0: off) */
export const SET_SCANOUT_RECT = 24;
export const SET_SCANOUT_SCANOUT = 40;
export const SET_SCANOUT_RESOURCE = 44;
export const SET_SCANOUT_BYTES = 48;
/** RESOURCE_FLUSH: 24 rectangle, 40 resource */
export const FLUSH_RECT = 24;
export const FLUSH_RESOURCE = 40;
export const FLUSH_BYTES = 48;
/** TRANSFER_TO_HOST_2D: 24 rectangle, 40 offset u64 in the backing, 48 resource */
export const TRANSFER_RECT = 24;
export const TRANSFER_OFFSET = 40;
export const TRANSFER_RESOURCE = 48;
export const TRANSFER_BYTES = 56;
/** RESOURCE_ATTACH_BACKING: 24 resource, 28 entries; then the entries: 0 addr u64, 8 length u32, 12 padding */
export const ATTACH_RESOURCE = 24;
export const ATTACH_ENTRIES = 28;
export const ATTACH_BYTES = 32;
export const MEM_ENTRY_LENGTH = 8;
export const MEM_ENTRY_BYTES = 16;
/** RESOURCE_CREATE_BLOB: 24 resource, 28 memory, 32 flags, 36 entries, 40 blob_id u64, 48 size u64; then the entries */
export const BLOB_RESOURCE = 24;
export const BLOB_MEM = 28;
export const BLOB_ENTRIES = 36;
export const BLOB_SIZE = 48;
export const BLOB_BYTES = 56;
export const VIRTIO_GPU_BLOB_MEM_GUEST = 1;
/** SET_SCANOUT_BLOB: 24 rectangle, 40 scanout, 44 resource, 48 width, 52 height, 56 format, 64 strides, 80 offsets */
export const SCANOUT_BLOB_WIDTH = 48;
export const SCANOUT_BLOB_HEIGHT = 52;
export const SCANOUT_BLOB_FORMAT = 56;
export const SCANOUT_BLOB_STRIDE = 64;
export const SCANOUT_BLOB_OFFSET = 80;
export const SCANOUT_BLOB_BYTES = 96;
/** UPDATE_CURSOR, MOVE_CURSOR: 24 scanout, 28 x, 32 y, 40 resource, 44 hot_x, 48 hot_y */
export const CURSOR_SCANOUT = 24;
export const CURSOR_X = 28;
export const CURSOR_Y = 32;
export const CURSOR_RESOURCE = 40;
export const CURSOR_HOT_X = 44;
export const CURSOR_HOT_Y = 48;
export const CURSOR_BYTES = 56;

/** OK_DISPLAY_INFO: 16 times { rectangle, 16 enabled u32, 20 flags u32 } behind the header */
export const VIRTIO_GPU_MAX_SCANOUTS = 16;
export const DISPLAY_ONE_ENABLED = 16;
export const DISPLAY_ONE_BYTES = 24;
export const DISPLAY_INFO_BYTES = 408;
/** OK_EDID: 24 size, 28 padding, 32 the blocks, 1024 bytes */
export const EDID_SIZE = 24;
export const EDID_BLOCKS = 32;
export const EDID_BYTES = 1056;

// --- formats: bytes of a pixel in ascending order ---
export const VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM = 1;
export const VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM = 2;
export const VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM = 3;
export const VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM = 4;
export const VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM = 67;
export const VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM = 68;
export const VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM = 121;
export const VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM = 134;
