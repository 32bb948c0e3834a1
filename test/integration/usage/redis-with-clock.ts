import type { Redis } from 'ioredis';
import type { Clock } from '../../../packages/proxy-manager/src/clock.js';

const TIME = "redis.call('TIME')";

/**
 * A client whose scripts go by the given clock in place of the server's: the same script on the same engine, but for
 * where it reads the time, and nothing expires, for Redis would expire it by its own.
 */
export function redisWithClock(client: Redis, clock: Clock): Redis {
  const evalsha = async (): Promise<never> => {
    throw new Error('NOSCRIPT the given clock needs the source');
  };
  const evalSource = async (source: string, keys: number, ...rest: readonly string[]): Promise<unknown> => {
    const last = rest.length - keys;
    const time = `{ tonumber(ARGV[${last + 1}]), tonumber(ARGV[${last + 2}]) }`;
    const nowMs = clock.now();
    const seconds = Math.floor(nowMs / 1_000);
    if (!source.includes(TIME)) throw new Error('the script reads no time');
    const script = source.replace(TIME, time).replaceAll("'PEXPIREAT'", "'EXISTS'");
    return client.eval(script, keys, ...rest, seconds, (nowMs - seconds * 1_000) * 1_000);
  };
  return Object.create(client, { evalsha: { value: evalsha }, eval: { value: evalSource } }) as Redis;
}
