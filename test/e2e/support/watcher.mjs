// Watches secrets.json, sends once, and closes nothing.
import { ProxyManager } from 'proxy-manager';

const { url, ...options } = JSON.parse(process.argv[2]);
const manager = new ProxyManager({ ...options, watch: true });
const res = await manager.request('test_api').send(url, { headers: { 'x-api-key': '{key}' } });
console.log(res.status);
