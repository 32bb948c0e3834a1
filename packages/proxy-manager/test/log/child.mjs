// Loads the library's TypeScript in a process of its own, which the tests may kill.
import { createViteServer } from 'vitest/node';

const [directory, mode] = process.argv.slice(2);
const server = await createViteServer({
  configFile: false,
  logLevel: 'error',
  root: new URL('../..', import.meta.url).pathname,
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
const { openExchangeLog } = await server.ssrLoadModule('/src/log/open-exchange-log.ts');
await server.close();
const away = { name: 'away', ship: () => Promise.reject(new Error('away')), close: () => Promise.resolve() };
const log = openExchangeLog({ directory, sinks: mode === 'forgetful' ? [away] : [], onProblem: () => {} });
let number = 0;
const write = () => {
  const record = { '@timestamp': new Date().toISOString(), event: { id: `${process.pid}-${number}` }, number };
  log.write({ text: JSON.stringify(record) });
  process.stdout.write(`${number++}\n`);
};
// `forgetful` writes once, lets a shipment fail and never closes its log.
if (mode === 'endless') setInterval(() => Array.from({ length: 20 }, write), 1);
else {
  write();
  setTimeout(() => {}, 1500);
}
