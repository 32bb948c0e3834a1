import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import type { Connection } from './connection.js';
import { KibanaError } from './kibana-error.js';

export interface Question {
  readonly method: 'GET' | 'POST';
  /** With the slash at its start. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export interface Answer {
  readonly status: number;
  /** The body, where it is JSON. */
  readonly json: unknown;
  readonly text: string;
  /** Where a redirect leads; it is not followed. */
  readonly location: string | undefined;
}

/**
 * Asks a server once. Node's own `fetch` takes no certificate of a private CA, which clusters often have.
 *
 * @throws {KibanaError} `ERR_KIBANA_UNREACHABLE`: no connection, or no whole answer in time.
 */
export function ask(connection: Connection, { method, path, headers, body = '' }: Question): Promise<Answer> {
  const { base, ca, timeoutMs, signal } = connection;
  const request = base.startsWith('https:') ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(
        signal?.aborted
          ? (signal.reason as Error)
          : new KibanaError('ERR_KIBANA_UNREACHABLE', `${base} ${why(cause)}`, { cause }),
      );
    const asked = request(
      `${base}${path}`,
      {
        method,
        headers: { ...connection.headers, ...headers, 'content-length': Buffer.byteLength(body) },
        ...(ca !== undefined && { ca }),
        ...(signal !== undefined && { signal }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', fail);
        answer.once('end', () => {
          clearTimeout(timer);
          const text = Buffer.concat(chunks).toString();
          const { statusCode: status = 0, headers: answered } = answer;
          resolve({ status, text, json: parse(text), location: answered.location });
        });
      },
    );
    const timer = setTimeout(() => asked.destroy(new Error(`no answer after ${timeoutMs} ms`)), timeoutMs);
    asked.once('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
    asked.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const TROUBLES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections: is it running, and is this its port?',
  ECONNRESET: 'closed the connection: does it speak https, or http?',
  ENOTFOUND: 'is not known by name',
  EAI_AGAIN: 'could not be looked up by name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that is not trusted: give its CA (--ca file)',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate that is not trusted: give its CA (--ca file)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate that is not trusted: give its CA (--ca file)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has a certificate that is not trusted: give its CA (--ca file)',
  EPROTO: 'does not speak TLS at this port: is it http, not https?',
};

function why(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (code && TROUBLES[code]) ?? `cannot be asked: ${error.message}`;
}
