import { startDaemon, type Daemon, type DaemonCommand } from './daemon.js';
import { removeDir } from './data-dir.js';
import type { Service } from './service.js';

/** A service that is a child process of ours. */
export async function startLocal(url: string, source: string, command: DaemonCommand): Promise<Service> {
  let daemon: Daemon | undefined;
  const start = async (): Promise<void> => {
    daemon ??= await startDaemon(command);
  };
  const kill = async (): Promise<void> => {
    await daemon?.kill();
    daemon = undefined;
  };
  const stop = async (): Promise<void> => {
    await kill();
    await removeDir(command.dataDir);
  };
  await start();
  return { url, source, start, kill, stop };
}
