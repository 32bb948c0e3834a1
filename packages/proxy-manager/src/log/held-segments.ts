import { existsSync, statSync, utimesSync } from 'node:fs';
import { isGone, NOBODY } from '../owner.js';
import type { Problems } from './problems.js';
import type { Segment } from './segment.js';
import { handOver, isPacked, listSegments, removeSegment } from './segment.js';

/** The segments that one log owns: those it wrote, and those it took over from processes that are no more. */
export interface HeldSegments {
  /** What we wrote comes before what others left, each oldest first. */
  all(): readonly Segment[];
  add(segment: Segment): void;
  /** Takes over what has no living owner, as far as `wants` it, and gives what it got. */
  adopt(wants?: (id: string, path: string) => boolean): readonly Segment[];
  /** Gives a segment up for others to take over. */
  release(segment: Segment): void;
  isThere(segment: Segment): boolean;
  /** Forgets a segment. */
  drop(segment: Segment): void;
  /** Forgets a segment and deletes it. */
  remove(segment: Segment): void;
  /** A sign of life on each, for processes that cannot look this one up. */
  touch(): void;
  /** Gives all of them up for others to take over. */
  letGo(): void;
}

export function heldSegments({
  directory,
  owner,
  problems,
}: {
  readonly directory: string;
  readonly owner: string;
  readonly problems: Problems;
}): HeldSegments {
  const written = new Set<Segment>();
  const adopted = new Set<Segment>();
  const all = (): Segment[] => [...written, ...adopted];

  function drop(segment: Segment): void {
    written.delete(segment);
    adopted.delete(segment);
  }

  function remove(segment: Segment): void {
    try {
      removeSegment(directory, segment);
      drop(segment);
    } catch (error) {
      problems.report('remove', `could not remove ${segment.path}`, error);
    }
  }

  function release(segment: Segment): void {
    handOver(directory, segment, NOBODY);
    drop(segment);
  }

  function isOrphan(path: string, itsOwner: string): boolean {
    try {
      return itsOwner !== owner && isGone(itsOwner, statSync(path).mtimeMs, Date.now());
    } catch {
      // It went away between the listing and the look.
      return false;
    }
  }

  return {
    all,
    add: (segment) => void written.add(segment),
    adopt(wants = () => true) {
      const got: Segment[] = [];
      for (const { id, owner: itsOwner, path } of listSegments(directory)) {
        if (!wants(id, path) || !isOrphan(path, itsOwner)) continue;
        const segment: Segment = { id, path, size: isPacked({ path }) ? Infinity : 0, open: false, takenOver: true };
        if (handOver(directory, segment, owner)) got.push(segment);
      }
      for (const segment of got) adopted.add(segment);
      return got;
    },
    release,
    isThere: (segment) => existsSync(segment.path),
    drop,
    remove,
    touch() {
      const now = new Date();
      for (const { path } of all()) {
        try {
          utimesSync(path, now, now);
        } catch {
          // Whoever reads it next finds out why.
        }
      }
    },
    letGo() {
      for (const segment of all()) {
        if (segment.size === 0) remove(segment);
        else release(segment);
      }
    },
  };
}
