import { startElasticsearch } from './elasticsearch.js';
import { STARTED_SUFFIX } from './given.js';
import { startRedis } from './redis.js';
import type { Service } from './service.js';

const STARTERS = { ELASTICSEARCH_URL: startElasticsearch, REDIS_URL: startRedis };

/** Starts what the environment does not name, once for all the test projects of a run; gives the function that ends it. */
export default async function setup(): Promise<() => Promise<void>> {
  const missing = Object.entries(STARTERS).filter(([name]) => !process.env[name]);
  const started = await Promise.allSettled(missing.map(async ([name, start]) => announce(name, await start())));
  const services = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.stop()));
  };
  const failures = started.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length > 0) {
    await stop();
    throw new Error(failures.map((error) => (error instanceof Error ? error.message : String(error))).join('\n'));
  }
  return stop;
}

/** Puts the address where the tests look for it, with the remark that it is ours. */
function announce(name: string, service: Service): Service {
  process.env[name] = service.url;
  process.env[`${name}${STARTED_SUFFIX}`] = service.url;
  return service;
}
