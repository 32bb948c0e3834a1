/** The address of the Elasticsearch that this test run shares. */
export function elasticsearchUrl(): string {
  return urlIn('ELASTICSEARCH_URL');
}

/** The address of the Redis that this test run shares. */
export function redisUrl(): string {
  return urlIn('REDIS_URL');
}

function urlIn(name: string): string {
  const url = process.env[name];
  if (!url)
    throw new Error(`${name} is not set: run the tests by \`npm test\` or \`npx vitest run --project integration\`.`);
  return url;
}
