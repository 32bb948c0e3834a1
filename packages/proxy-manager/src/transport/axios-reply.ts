import type { Readable } from 'node:stream';
import type { AxiosResponse } from 'axios';
import type { HeaderList } from '../pipeline/headers.js';
import { codingsOf, decodeStream } from './decode.js';
import type { ReceivedHead } from './fault.js';
import { decodedHeaders, decodeFault, hasNoBody, tooLargeFault } from './reply-rules.js';
import type { WireReply, WireRequest } from './transport.js';

/** What axios's adapter gave as a `WireReply`; `onEnd` is told when its body ended, however it did. */
export async function replyOf(
  response: AxiosResponse<Readable>,
  request: WireRequest,
  translate: (error: unknown, phase: 'response', received?: ReceivedHead) => unknown,
  onEnd: () => void,
): Promise<WireReply> {
  const { method, url, options } = request;
  let headers = headersOf(response);
  const codings = options.decompress && !hasNoBody(method, response.status) ? codingsOf(headers) : undefined;
  if (codings) headers = decodedHeaders(headers);
  // HTTP/2 has none.
  const statusText = response.statusText ?? '';
  const head = { status: response.status, statusText, headers, url, httpVersion: versionOf(response, request) };
  // Whoever reads a stream has the head already.
  const received =
    options.body !== 'buffer'
      ? undefined
      : { status: head.status, statusText, headers, isDecoded: codings !== undefined };

  let length = 0;
  const count = (bytes: number): void => {
    if ((length += bytes) > options.maxResponseBytes) throw tooLargeFault(request);
  };
  const body = decodeStream(response.data, codings ?? [], count, (error) => {
    if ('code' in error && typeof error.code === 'string' && /^Z_|^ERR_(_ERROR|BROTLI)/.test(error.code)) {
      return decodeFault(request, error, received);
    }
    const cause = translate(error, 'response', received);
    return cause instanceof Error ? cause : new Error('aborted', { cause });
  });
  body.on('error', () => {}).on('close', onEnd);
  if (options.body !== 'buffer') return { ...head, body };

  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return { ...head, body: Buffer.concat(chunks) };
}

/** As they came, repeats and order kept, where the request was Node's; else as axios has them. */
function headersOf({ headers, request }: AxiosResponse): HeaderList {
  const raw: unknown = (request as { res?: { rawHeaders?: unknown } } | undefined)?.res?.rawHeaders;
  const list: [string, string][] = [];
  if (Array.isArray(raw)) {
    for (let i = 0; i + 1 < raw.length; i += 2) list.push([String(raw[i]).toLowerCase(), String(raw[i + 1])]);
    return list;
  }
  for (const [name, value] of Object.entries(headers)) {
    for (const each of [value].flat()) list.push([name.toLowerCase(), String(each)]);
  }
  return list;
}

function versionOf({ request }: AxiosResponse, { options }: WireRequest): string {
  if (Number(options.axios?.httpVersion) === 2) return '2';
  const version: unknown = (request as { res?: { httpVersion?: unknown } } | undefined)?.res?.httpVersion;
  return typeof version === 'string' ? version : '1.1';
}
