import { Readable } from 'node:stream';
import type { CanceledError as CanceledErrorType, InternalAxiosRequestConfig } from 'axios';
import { AxiosError, CanceledError } from './axios-core.js';
import type { Call } from './door.js';
import type { OutboundRequest } from '../pipeline/exchange.js';

/** Ends the exchange when the stream that it uploads fails, or is destroyed before its end; undefined without one. */
export function uploadAbort(body: OutboundRequest['body'], config: InternalAxiosRequestConfig): Call['alsoOn'] {
  if (!(body instanceof Readable)) return undefined;
  return (abort) => {
    const onError = (error: Error & { readonly code?: unknown }): void => {
      // So says a stream of which its reader has had enough.
      if (error.code !== 'ABORT_ERR') abort(AxiosError.from(error, undefined, config));
    };
    const onClose = (): void => {
      if (!body.readableEnded && body.errored === null) abort(canceled(config));
    };
    body.once('error', onError).once('close', onClose);
    if (body.errored) onError(body.errored);
    else if (body.destroyed) onClose();
    return () => body.off('error', onError).off('close', onClose);
  };
}

function canceled(config: InternalAxiosRequestConfig): CanceledErrorType<unknown> {
  return new CanceledError('Request stream has been aborted', config);
}
