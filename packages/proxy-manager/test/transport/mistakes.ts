import { TransportFault } from '../../src/transport/fault.js';
import type { Transport } from '../../src/transport/transport.js';
import { observe, textOf, wireRequest } from './wire.js';

const LONGEST_MS = 2_000;
const MOST_BYTES = 100_000;

type Parts = Parameters<typeof wireRequest>[1];

/** What is wrong with how an exchange ends: it must be a reply within its bound, or a fault of ours with a code. */
export async function mistakes(transport: Transport, url: string, parts: Parts = {}): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, LONGEST_MS, `no end within ${LONGEST_MS} ms`);
  });
  try {
    return await Promise.race([mistake(transport, url, parts), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function mistake(transport: Transport, url: string, parts: Parts): Promise<string | undefined> {
  const request = wireRequest(url, { ...parts, options: { maxResponseBytes: MOST_BYTES, ...parts?.options } });
  const observation = observe();
  try {
    const { body, status } = await transport.send(request, observation);
    const { length } = await textOf(body);
    return status < 101 || length > MOST_BYTES ? `status ${status}, ${length} bytes` : undefined;
  } catch (error) {
    if (!(error instanceof TransportFault)) return String(error);
    if (!/^[A-Z][A-Z0-9_]+$/.test(error.code)) return `code ${error.code}`;
    return error.sent === observation.sent ? undefined : `sent ${error.sent} and not ${observation.sent}`;
  }
}
