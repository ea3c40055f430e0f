// The multiplexed stream of the recorder, cut into frames: header of 20 bytes, then the payload. Used by the video wall.
export const HEADER = 20;
export const TYPE = { INIT: 1, FRAG: 2, STATE: 3, BEAT: 4, ERROR: 5, END: 6 };
export const WHOLE = 255;

export class Demux {
  constructor(onFrame) { this.onFrame = onFrame; this.rest = new Uint8Array(0); }

  push(chunk) {
    let bytes = this.rest.length ? join([this.rest, chunk]) : chunk;
    while (bytes.length >= HEADER) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const end = HEADER + view.getUint32(4);
      if (bytes.length < end) break;
      this.onFrame({ type: view.getUint8(0), track: view.getUint8(1), flags: view.getUint16(2), seq: view.getUint32(8), wallMs: view.getFloat64(12), body: bytes.slice(HEADER, end) });
      bytes = bytes.subarray(end);
    }
    this.rest = bytes;
  }
}

export function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

export function json(bytes) {
  try { return JSON.parse(new TextDecoder().decode(bytes)); } catch { return {}; }
}
