import { expectTypeOf } from 'vitest';
import type { PoolExhaustedError, ProxyManagerError } from '../../src/index.js';

expectTypeOf<PoolExhaustedError>().toExtend<ProxyManagerError>();
expectTypeOf<PoolExhaustedError['code']>().toEqualTypeOf<'ERR_POOL_EXHAUSTED'>();

// @ts-expect-error a false assertion is refused here, so the others above say something
expectTypeOf<PoolExhaustedError['code']>().toEqualTypeOf<string>();
