import type { AxiosError as AxiosErrorType, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { TimeoutReason } from '../pipeline/abort.js';
import type { Exchange } from '../pipeline/exchange.js';
import { TransportFault } from '../transport/fault.js';
import { AxiosError, CanceledError } from './axios-core.js';
import { maskedRequest, toAxiosHeaders } from './response.js';
import { withCause } from './with-cause.js';

/** The error for a reply that `validateStatus` refuses. */
export function refusedStatus(response: AxiosResponse): AxiosErrorType {
  const { status, config, request } = response;
  const code = status >= 400 && status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
  return new AxiosError(`Request failed with status code ${status}`, code, config, request, response);
}

/** A failure with the class, the code and the message that axios's own adapter has for it; errors of ours pass as they are. */
export function axiosDoorError(exchange: Exchange, config: InternalAxiosRequestConfig, error: unknown): unknown {
  const { signal } = exchange;
  if (signal.aborted && !(error instanceof AxiosError)) return abortError(exchange, config, signal.reason);
  return error instanceof TransportFault ? faultError(exchange, config, error) : error;
}

function abortError(exchange: Exchange, config: InternalAxiosRequestConfig, reason: unknown): unknown {
  if (reason instanceof TimeoutReason) {
    const code = config.transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
    return new AxiosError(config.timeoutErrorMessage || reason.message, code, config, maskedRequest(exchange));
  }
  if (config.signal?.aborted && 'reason' in config.signal && config.signal.reason === reason) {
    return withCause(new CanceledError(undefined, config, maskedRequest(exchange)), reason);
  }
  // A cancelToken's own, an upload that broke, or a deadline of ours.
  return reason;
}

function faultError(exchange: Exchange, config: InternalAxiosRequestConfig, fault: TransportFault): AxiosErrorType {
  const { received, cause } = fault;
  const request = maskedRequest(exchange);
  const response: AxiosResponse | undefined = received && {
    data: undefined,
    status: received.status,
    statusText: received.statusText,
    headers: toAxiosHeaders(received.headers),
    config,
    request,
  };
  const { code, message } = inAxiosWords(fault, config);
  return withCause(new AxiosError(message, code, config, request, response), cause);
}

/** Programs compare what axios says in these cases; elsewhere the fault's own words tell more. */
function inAxiosWords(
  { code, message, received }: TransportFault,
  config: InternalAxiosRequestConfig,
): { readonly code: string; readonly message: string } {
  if (code === 'ERR_FR_TOO_MANY_REDIRECTS') return { code, message: 'Maximum number of redirects exceeded' };
  if (code === AxiosError.ERR_BAD_RESPONSE && message.includes('maxContentLength')) {
    return { code, message: `maxContentLength size of ${config.maxContentLength} exceeded` };
  }
  if (code === AxiosError.ECONNABORTED || (code === 'ECONNRESET' && received?.isDecoded === false)) {
    return { code: AxiosError.ERR_BAD_RESPONSE, message: 'stream has been aborted' };
  }
  return { code, message };
}
