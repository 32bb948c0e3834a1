// Opens the lmdb environment in DIRECTORY and closes it, over and over, until it is killed: node opener.mjs DIRECTORY
import { createRequire } from 'node:module';

const { open } = createRequire(new URL('../../../packages/proxy-manager/package.json', import.meta.url))('lmdb');
for (;;) await open({ path: process.argv[2], noSubdir: false, noSync: true, noMetaSync: true }).close();
