// Many requests, ten at a time: results as they come, with a progress bar. The input is read as it goes and may be
// endless: a generator, the lines of a file, the rows of a query.
import { Request } from 'proxy-manager';
import type { SendAllProgress } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';
const total = 60;

const req = new Request({
  endpoint: 'test_api',
  baseURL: api,
  headers: { 'x-api-key': '{key}' },
  secrets: new URL('../secrets.json', import.meta.url),
});

function* pages(): Generator<{ url: string; params: { page: number } }> {
  for (let page = 1; page <= total; page++) yield { url: '/items', params: { page } };
}

/** Redrawn in place on a terminal, a line now and then elsewhere. */
function draw({ done, perSecond, leftMs }: SendAllProgress): void {
  const filled = Math.round((done / total) * 30);
  const bar = '█'.repeat(filled) + '░'.repeat(30 - filled);
  const left = leftMs === undefined ? '' : `${Math.ceil(leftMs / 1000)} s left`;
  const line = `${bar} ${done}/${total}  ${Math.round(perSecond)}/s  ${left}`;
  process.stdout.write(process.stdout.isTTY ? `\r\u001B[2K${line}` : `${line}\n`);
}

let failed = 0;
for await (const result of req.sendAll(pages(), { concurrency: 10, total, onProgress: draw })) {
  if (result.status === 'rejected') failed += 1;
}
console.log(`\n${total} sent, ${failed} failed`);
await req.close();
