import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'demo.json';

/** The API's port of the last run: with the same port the urls are the same, so that a second run finds them cached. */
export async function recallPort(dataDir: string): Promise<number | undefined> {
  try {
    const { port } = JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as { port?: unknown };
    return Number.isInteger(port) ? Number(port) : undefined;
  } catch {
    return undefined;
  }
}

export async function rememberPort(dataDir: string, port: number): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, FILE), `${JSON.stringify({ port })}\n`);
}
