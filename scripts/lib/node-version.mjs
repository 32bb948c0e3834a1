// Imported before everything else, and written for the oldest Node that can load it: it is there to turn that Node away.
import { readFileSync } from 'fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const wanted = manifest.engines.node.replace('>=', '');
const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
  console.error(`Proxy Manager needs Node ${wanted} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}
