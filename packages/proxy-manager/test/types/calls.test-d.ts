import type { AxiosRequestConfig } from 'axios';
import { expectTypeOf } from 'vitest';
import type { CallOptions, Request } from '../../src/index.js';

const config = { params: { page: 1 }, cost: 2, cache: { ttlMs: 60_000 } } satisfies AxiosRequestConfig & CallOptions;
const init = { method: 'POST', body: 'text', timeout: 5_000, ...config } satisfies Parameters<Request['fetch']>[1];
expectTypeOf<Request['fetch']>().toExtend<typeof fetch>();
expectTypeOf<Request['fetch']>().toBeCallableWith('https://api.example.com', init);

// @ts-expect-error a false assertion is refused here, so the others above say something
expectTypeOf<CallOptions['cost']>().toEqualTypeOf<string>();
