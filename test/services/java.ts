import { join } from 'node:path';
import { run } from './run.js';

/** The command of a JDK tool: out of JAVA_HOME where it is set, else by the PATH. */
export function javaTool(name: 'jar' | 'java' | 'javac', env: NodeJS.ProcessEnv = process.env): string {
  return env['JAVA_HOME'] ? join(env['JAVA_HOME'], 'bin', name) : name;
}

/** Why the JDK of this machine cannot be used; undefined when it can. */
export async function jdkProblem(oldest: number): Promise<string | undefined> {
  const java = await run(javaTool('java'), ['-version']);
  if (!java.ok) return java.reason;
  const version = /version "(?:1\.)?(\d+)/.exec(java.output)?.[1];
  if (Number(version) < oldest) return `java: version ${version} is older than ${oldest}`;
  const compiler = await run(javaTool('javac'), ['-version']);
  return compiler.ok ? undefined : `${compiler.reason} (a JRE is not enough)`;
}
