import { createServer, type TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.js';
import { listen, type Listening } from './listen.js';

/** Types of frames (RFC 9113 §6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;

const HEAD_BYTES = 9;
const PREFACE_BYTES = 24;

/** A frame as bytes; `length` is what it says of itself, be it true or not. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
  length: number = payload.length,
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A field of a header block that no table knows (RFC 7541 §6.2.2), or that joins it (§6.2.1). */
export function field(name: string, value: string, isKept = false): Buffer {
  return Buffer.concat([Buffer.from([isKept ? 0x40 : 0x00]), text(name), text(value)]);
}

function text(written: string): Buffer {
  const bytes = Buffer.from(written, 'latin1');
  const { length } = bytes;
  if (length < 127) return Buffer.concat([Buffer.from([length]), bytes]);
  const prefix = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>= 7) prefix.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...prefix, rest]), bytes]);
}

/**
 * A server that chooses h2, tells its settings and then writes whatever `onRequest` does, each time a request's headers
 * have come: no frame of it need be right.
 */
export function startRawHttp2(
  certificate: Certificate,
  onRequest: (socket: TLSSocket, stream: number) => unknown,
): Promise<Listening> {
  const server = createServer({ ...certificate, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => {});
    let unread = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      if (!isGreeted) {
        if (unread.length < PREFACE_BYTES) return;
        isGreeted = true;
        unread = unread.subarray(PREFACE_BYTES);
        socket.write(frame(FRAME.settings, 0, 0));
      }
      while (unread.length >= HEAD_BYTES) {
        const end = HEAD_BYTES + unread.readUIntBE(0, 3);
        if (unread.length < end) return;
        if (unread[3] === FRAME.headers) onRequest(socket, unread.readUInt32BE(5));
        unread = unread.subarray(end);
      }
    });
  });
  return listen(server);
}
