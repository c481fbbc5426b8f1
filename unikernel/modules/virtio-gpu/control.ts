// SPDX-License-Identifier: MIT
//
// The control queue's commands: one after the other, each answered before the next is taken. A long scatter list is
// read in steps, as long as the call's budget lasts, and in the next call; a transfer or a flush waits for the engine.

import { hasFeature } from "../../sdk/virtio/transport";
import * as G from "./protocol";
import { Chain } from "../../sdk/virtio/chain";
import {
  attachBacking, backingCancel, backingForget, backingStep, createBlob, detachBacking, isBackingUnderWay, unref,
} from "./backing";
import { budgetLeft } from "./budget";
import { UNDONE, commandType, readBody, readHeader } from "./message";
import { getDisplayInfo, getEdid } from "./outputs";
import { create2d } from "./resources";
import { flush, setScanout, setScanoutBlob } from "./scanouts";
import { transfer } from "./transfer";
import { WORKLOAD_FLUSH, WORKLOAD_TRANSFER, workloadBegin, workloadForget } from "./workload";

export function controlCancel(): void {
  backingCancel();
  workloadForget();
}

/** The same, when all buffers are gone already. */
export function controlForget(): void {
  backingForget();
  workloadForget();
}

/** A fresh chain: the type of its response, or UNDONE: a list goes on, or the engine has the rest. */
export function controlBegin(chain: Chain): u32 {
  if (!readHeader(chain)) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  const bytes = lengthOf(commandType());
  if (bytes == 0) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  if (!readBody(chain, bytes)) return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  const answer = run(commandType());
  return isBackingUnderWay() ? controlGoOn(chain) : answer;
}

/** Steps through the list under way. */
export function controlGoOn(chain: Chain): u32 {
  while (budgetLeft()) {
    const answer = backingStep(chain);
    if (answer != UNDONE) return answer;
  }
  return UNDONE;
}

/** Bytes of the fixed part; 0: no command that we have. Blobs exist when the driver accepted them. */
function lengthOf(type: u32): u32 {
  switch (type) {
    case G.VIRTIO_GPU_CMD_GET_DISPLAY_INFO: return G.HEADER_BYTES;
    case G.VIRTIO_GPU_CMD_RESOURCE_CREATE_2D: return G.CREATE_2D_BYTES;
    case G.VIRTIO_GPU_CMD_RESOURCE_UNREF: return G.SIMPLE_BYTES;
    case G.VIRTIO_GPU_CMD_SET_SCANOUT: return G.SET_SCANOUT_BYTES;
    case G.VIRTIO_GPU_CMD_RESOURCE_FLUSH: return G.FLUSH_BYTES;
    case G.VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D: return G.TRANSFER_BYTES;
    case G.VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING: return G.ATTACH_BYTES;
    case G.VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING: return G.SIMPLE_BYTES;
    case G.VIRTIO_GPU_CMD_GET_EDID: return hasFeature(G.VIRTIO_GPU_F_EDID) ? G.SIMPLE_BYTES : 0;
    case G.VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB: return hasFeature(G.VIRTIO_GPU_F_RESOURCE_BLOB) ? G.BLOB_BYTES : 0;
    case G.VIRTIO_GPU_CMD_SET_SCANOUT_BLOB: return hasFeature(G.VIRTIO_GPU_F_RESOURCE_BLOB) ? G.SCANOUT_BLOB_BYTES : 0;
    default: return 0;
  }
}

function run(type: u32): u32 {
  switch (type) {
    case G.VIRTIO_GPU_CMD_GET_DISPLAY_INFO: return getDisplayInfo();
    case G.VIRTIO_GPU_CMD_RESOURCE_CREATE_2D: return create2d();
    case G.VIRTIO_GPU_CMD_RESOURCE_UNREF: return unref();
    case G.VIRTIO_GPU_CMD_SET_SCANOUT: return setScanout();
    case G.VIRTIO_GPU_CMD_RESOURCE_FLUSH: return withEngine(flush(), WORKLOAD_FLUSH);
    case G.VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D: return withEngine(transfer(), WORKLOAD_TRANSFER);
    case G.VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING: return attachBacking();
    case G.VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING: return detachBacking();
    case G.VIRTIO_GPU_CMD_GET_EDID: return getEdid();
    case G.VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB: return createBlob();
    default: return setScanoutBlob();
  }
}

@inline
function withEngine(answer: u32, kind: u32): u32 {
  return answer == UNDONE ? workloadBegin(kind) : answer;
}
