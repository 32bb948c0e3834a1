import type { Reference } from '../saved-object.js';

/** A panel before it has its place: what it shows, and how wide it is. */
export interface Panel {
  /** Unique in its dashboard. */
  readonly id: string;
  readonly type: 'lens' | 'links' | 'search' | 'visualization';
  readonly title: string;
  /** Of the 48 columns of a dashboard. */
  readonly width: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** With names that are unique in the panel; the dashboard puts the panel's id before them. */
  readonly references: readonly Reference[];
  /** The reference that holds the panel's content, where it does not hold it itself. */
  readonly refName?: string;
}

/** Panels side by side, all of one height. */
export interface Row {
  /** Of 20 pixels each. */
  readonly height: number;
  readonly panels: readonly Panel[];
}

/** How Kibana's grid is divided. */
export const GRID_COLUMNS = 48;
