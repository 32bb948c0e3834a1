import { Readable } from 'node:stream';
import { header, withoutHeaders } from '../pipeline/headers.js';
import { TransportFault } from './fault.js';
import type { WireObservation, WireReply, WireRequest } from './transport.js';

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const ofBody: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
  'transfer-encoding',
]);
const host: ReadonlySet<string> = new Set(['host']);

/**
 * Sends `first` and goes where the replies point, at most `maxRedirects` times (0: the 3xx is the reply), each hop only
 * after `onRedirect` has let it pass. Methods and bodies change as fetch has it. A 3xx without a Location is the reply;
 * one that leads to no http(s) url is a fault, since following it was asked for.
 *
 * @example
 * import { followRedirects } from 'proxy-manager';
 * import type { Transport } from 'proxy-manager';
 *
 * export function withRedirects(sendOnce: Transport['send']): Transport {
 *   return {
 *     send: (request, observation) => followRedirects(request, observation, sendOnce),
 *     async close() {},
 *   };
 * }
 */
export function followRedirects(
  first: WireRequest,
  observation: WireObservation,
  sendOnce: (request: WireRequest, observation: WireObservation) => Promise<WireReply>,
): Promise<WireReply> {
  try {
    const sending = sendOnce(first, observation);
    if (first.options.maxRedirects === 0) return sending;
    return sending.then((reply) => (leadsOn(reply) ? follow(first, reply, observation, sendOnce) : reply));
  } catch (error) {
    return Promise.reject(error);
  }
}

function leadsOn({ status, headers }: WireReply): boolean {
  return redirects.has(status) && header(headers, 'location') !== undefined;
}

async function follow(
  first: WireRequest,
  reply: WireReply,
  observation: WireObservation,
  sendOnce: (request: WireRequest, observation: WireObservation) => Promise<WireReply>,
): Promise<WireReply> {
  const { maxRedirects } = first.options;
  let request = first;
  let answer = reply;
  for (let hops = 0; leadsOn(answer); hops++) {
    if (answer.body instanceof Readable) answer.body.on('error', () => {}).destroy();

    const subject = `${request.method} ${request.url.origin}`;
    if (hops === maxRedirects) {
      const message = `${subject}: more than ${maxRedirects} redirects, maxRedirects exceeded`;
      throw fault('ERR_FR_TOO_MANY_REDIRECTS', message);
    }
    request = await nextHop(request, answer, header(answer.headers, 'location') ?? '', subject);
    observation.redirects++;
    answer = await sendOnce(request, observation);
  }
  return answer;
}

async function nextHop(
  from: WireRequest,
  { status, headers }: WireReply,
  location: string,
  subject: string,
): Promise<WireRequest> {
  const to = URL.canParse(location, from.url.href) ? new URL(location, from.url) : undefined;
  if (to?.protocol !== 'http:' && to?.protocol !== 'https:') {
    throw fault('ERR_FR_REDIRECTION_FAILURE', `${subject}: status ${status} points to no http or https url`);
  }
  if (to.hash === '') to.hash = from.url.hash;
  const { method } = from;
  const asGet =
    status === 303 ? method !== 'GET' && method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST';
  if (!asGet && from.body instanceof Readable) {
    const why = `status ${status} asks for the body again, and a stream can be sent only once`;
    throw fault('ERR_FR_REDIRECTION_FAILURE', `${subject}: ${why}`);
  }
  const kept = to.origin === from.url.origin ? from : { ...from, headers: withoutHeaders(from.headers, host) };
  return from.onRedirect({
    status,
    headers,
    to,
    from: asGet ? { ...kept, method: 'GET', body: undefined, headers: withoutHeaders(kept.headers, ofBody) } : kept,
  });
}

function fault(code: string, message: string): TransportFault {
  return new TransportFault(code, message, { phase: 'response', sent: true });
}
