import type { AxiosError as AxiosErrorType } from 'axios';
import type { RequestDefaults, SendOptions } from '../config/options.js';
import { checkSendOptions } from '../config/validate-options.js';
import { TimeoutReason } from '../pipeline/abort.js';
import type { Exchange, OutboundRequest, Reply } from '../pipeline/exchange.js';
import { TransportFault } from '../transport/fault.js';
import { AxiosError, CanceledError } from './axios-core.js';
import { callerAbort, overDefaults } from './call.js';
import type { Call, Perform } from './door.js';
import { disclaimsUserAgent, toOutbound } from './outbound.js';
import type { ExchangeResponse } from './response.js';
import { maskedConfig, maskedRequest, toResponse } from './response.js';
import { withCause } from './with-cause.js';

/** The door `send()`: fetch's words and axios's in, an axios response out. */
export function send<T>(perform: Perform, defaults: RequestDefaults, call: SendOptions): Promise<ExchangeResponse<T>> {
  let config = call;
  const read = (): Call | Promise<Call> => {
    checkSendOptions(call);
    config = overDefaults(defaults, call);
    return toCall('send', defaults, call, config);
  };
  return perform(read, {
    reply: (exchange, reply) => settleReply<T>(exchange, config, reply),
    error: (exchange, error) => toCallerError(exchange, config, error),
  });
}

/** What the words of a `send` ask for; `config` are those with the defaults under them. */
export function toCall(
  door: 'explain' | 'send',
  defaults: RequestDefaults,
  call: SendOptions,
  config: SendOptions = overDefaults(defaults, call),
): Call | Promise<Call> {
  const extras = disclaimsUserAgent(call.headers) ? { ...call, userAgent: false } : call;
  const { signal, alsoOn } = callerAbort(config);
  const of = (outbound: OutboundRequest): Call => ({
    door,
    outbound,
    extras,
    timeoutMs: config.timeout ?? 0,
    signal,
    alsoOn,
  });
  const outbound = toOutbound(config, defaults.headers, door);
  return outbound instanceof Promise ? outbound.then(of) : of(outbound);
}

/** A reply as an axios user expects it: a response, or an `AxiosError` where `validateStatus` says no. */
function settleReply<T>(exchange: Exchange, config: SendOptions, reply: Reply): ExchangeResponse<T> {
  const response = toResponse<T>(exchange, config, reply);
  const { validateStatus } = config;
  const isAccepted =
    validateStatus === undefined
      ? reply.status >= 200 && reply.status < 300
      : validateStatus === null || validateStatus(reply.status);
  if (isAccepted) return response;
  throw new AxiosError(
    `Request failed with status code ${reply.status}`,
    reply.status >= 400 && reply.status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE,
    response.config,
    response.request,
    response,
  );
}

/** A failure as an axios user expects it; errors of our own pass as they are. */
function toCallerError(exchange: Exchange, config: SendOptions, error: unknown): unknown {
  if (error instanceof TransportFault) return axiosError(error.code, error.message, exchange, config, error.cause);
  if (error instanceof TimeoutReason) {
    const code = config.transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
    return axiosError(code, config.timeoutErrorMessage ?? error.message, exchange, config);
  }
  if (
    exchange.signal.aborted &&
    error === exchange.signal.reason &&
    !(error instanceof Error && 'code' in error && error.code === 'ERR_DEADLINE')
  ) {
    const message = error instanceof CanceledError ? error.message : undefined;
    return withCause(new CanceledError(message, maskedConfig(exchange, config), maskedRequest(exchange)), error);
  }
  return error;
}

function axiosError(
  code: string,
  message: string,
  exchange: Exchange,
  config: SendOptions,
  cause?: unknown,
): AxiosErrorType {
  return withCause(new AxiosError(message, code, maskedConfig(exchange, config), maskedRequest(exchange)), cause);
}
