import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { ExchangeOptions, RequestDefaults } from '../config/options.js';
import { checkExtras } from '../config/validate-options.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import { axiosBody } from './axios-body.js';
import { axiosOutbound } from './axios-call.js';
import { AxiosError, CanceledError, wholeAxios } from './axios-core.js';
import { axiosDoorError, refusedStatus } from './axios-errors.js';
import { veiled } from './axios-veil.js';
import { callerAbort } from './call.js';
import type { Call, Perform } from './door.js';
import { DEFAULT_MAX_RESPONSE_BYTES, disclaimsUserAgent } from './outbound.js';
import { exchangeInfo, maskedRequest, toAxiosHeaders } from './response.js';
import { uploadAbort } from './upload-abort.js';
import { withCause } from './with-cause.js';

/** An axios instance whose adapter is the pipeline; `defaults` are its defaults, as far as they are axios's. */
export function axiosDoor(perform: Perform, defaults: RequestDefaults): AxiosInstance {
  const {
    cache: _c,
    countRedirects: _n,
    labels: _l,
    retry: _r,
    secretType: _s,
    userAgent: _u,
    wait: _w,
    ...ofAxios
  } = defaults;
  const instance = wholeAxios().create({
    maxContentLength: DEFAULT_MAX_RESPONSE_BYTES,
    ...ofAxios,
    adapter: (config) => adapt(perform, config),
  });
  // Such a call axios itself ends before its adapter, and says not why.
  instance.interceptors.request.use(endWithReason, undefined, { runWhen: isAborted });
  return instance;
}

function isAborted({ cancelToken, signal }: InternalAxiosRequestConfig): boolean {
  // What the token says comes first, as in axios.
  return signal?.aborted === true && cancelToken?.reason === undefined;
}

function endWithReason(config: InternalAxiosRequestConfig): never {
  const { signal } = config;
  throw withCause(new CanceledError(undefined, config), signal && 'reason' in signal ? signal.reason : undefined);
}

async function adapt(perform: Perform, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  // It names no server: there is nothing to lease, pace or log.
  if (/^data:/i.test(config.url ?? '')) return wholeAxios().getAdapter('http')(config);
  return perform(() => callOf(config), {
    reply: (exchange, reply) => settled(exchange, veiled(exchange, config), reply),
    error: (exchange, error) => axiosDoorError(exchange, veiled(exchange, config), error),
  });
}

async function callOf(config: InternalAxiosRequestConfig & ExchangeOptions): Promise<Call> {
  checkExtras('axios', config);
  const timeoutMs = timeoutOf(config);
  const outbound = await axiosOutbound(config);
  const { signal, alsoOn } = callerAbort(config);
  const upload = uploadAbort(outbound.body, config);
  return {
    door: 'axios',
    outbound,
    extras: disclaimsUserAgent(config.headers) ? { ...config, userAgent: false } : config,
    timeoutMs,
    signal,
    alsoOn: upload === undefined ? alsoOn : both(alsoOn, upload),
  };
}

function timeoutOf(config: InternalAxiosRequestConfig): number {
  // Not every caller is compiled, and axios takes what parses.
  const timeoutMs = config.timeout ? Number.parseInt(String(config.timeout), 10) : 0;
  if (!Number.isNaN(timeoutMs)) return Math.max(0, timeoutMs);
  const message = 'error trying to parse `config.timeout` to int';
  throw new AxiosError(message, AxiosError.ERR_BAD_OPTION_VALUE, config);
}

type Source = NonNullable<Call['alsoOn']>;

function both(first: Source | undefined, second: Source): Source {
  if (first === undefined) return second;
  return (abort) => {
    const unsubscribe = [first(abort), second(abort)];
    return () => {
      for (const each of unsubscribe) each();
    };
  };
}

/** axios's own settling: the transforms and the parsing of JSON come after it, in axios itself. */
function settled(exchange: Exchange, config: InternalAxiosRequestConfig, reply: Reply): AxiosResponse {
  const { status, statusText } = reply;
  const response = {
    data: axiosBody(reply, config),
    status,
    statusText,
    headers: toAxiosHeaders(reply.headers),
    config,
    request: maskedRequest(exchange, reply.url),
    exchange: exchangeInfo(exchange),
  };
  const { validateStatus } = config;
  if (!validateStatus || validateStatus(status)) return response;
  throw refusedStatus(response);
}
