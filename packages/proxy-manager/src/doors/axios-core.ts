import { createRequire } from 'node:module';
import type { AxiosStatic } from 'axios';
import CoreAxiosError from 'axios/unsafe/core/AxiosError.js';
import CoreAxiosHeaders from 'axios/unsafe/core/AxiosHeaders.js';
import CoreCanceledError from 'axios/unsafe/cancel/CanceledError.js';

// The very classes of `import axios from 'axios'`, without the rest of it, which takes ten times as long to load and is
// needed by few exchanges: see docs/decisions/axios-core.md.
export const AxiosError: typeof import('axios').AxiosError = CoreAxiosError;
export const AxiosHeaders: typeof import('axios').AxiosHeaders = CoreAxiosHeaders;
export const CanceledError: typeof import('axios').CanceledError = CoreCanceledError;

let whole: AxiosStatic | undefined;

/** All of axios, loaded on first use; at once, since `request.axios` is there at once. */
export function wholeAxios(): AxiosStatic {
  whole ??= (createRequire(import.meta.url)('axios/unsafe/axios.js') as { readonly default: AxiosStatic }).default;
  return whole;
}
