import { savedObject } from '../saved-object.js';
import type { Reference, SavedObject } from '../saved-object.js';
import { CONTROL_GROUP, CONTROL_REFERENCES } from './controls.js';
import { linkBar } from './link-bar.js';
import { markdownPanel } from './markdown-panel.js';
import { GRID_COLUMNS } from './panel.js';
import type { Panel, Row } from './panel.js';

export type DashboardId =
  | 'proxy-manager-cache'
  | 'proxy-manager-credentials'
  | 'proxy-manager-exchanges'
  | 'proxy-manager-failures'
  | 'proxy-manager-overview'
  | 'proxy-manager-proxies';

interface Dashboard {
  readonly id: DashboardId;
  readonly title: string;
  /** The question that it answers. */
  readonly description: string;
  /** What to do when it shows nothing; markdown, a sentence or two. */
  readonly whenEmpty: string;
  readonly rows: readonly Row[];
  /** What is shown at first. @default 'now-1h' */
  readonly timeFrom?: 'now-1h' | 'now-24h';
}

/**
 * A dashboard with the link bar and the controls that all of them have.
 *
 * @throws {Error} two panels of one id, or a row that does not fill the grid.
 */
export function dashboard({ id, title, description, whenEmpty, rows, timeFrom = 'now-1h' }: Dashboard): SavedObject {
  const head = { height: 4, panels: [linkBar(32), markdownPanel('help', 16, whenEmpty)] };
  const all = [head, ...rows];
  const panels = all.flatMap(({ panels: inRow }) => inRow);
  if (new Set(panels.map((panel) => panel.id)).size !== panels.length) throw new Error(`${id}: two panels of one id`);
  return savedObject({
    type: 'dashboard',
    id,
    attributes: {
      title: `[Proxy Manager] ${title}`,
      description,
      version: 1,
      timeRestore: true,
      timeFrom,
      timeTo: 'now',
      refreshInterval: { pause: true, value: 60_000 },
      optionsJSON: JSON.stringify({
        useMargins: true,
        syncColors: false,
        syncCursor: true,
        syncTooltips: false,
        hidePanelTitles: false,
      }),
      panelsJSON: JSON.stringify(place(id, all)),
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }),
      },
      controlGroupInput: CONTROL_GROUP,
    },
    references: [...panels.flatMap(prefixed), ...CONTROL_REFERENCES],
  });
}

function prefixed(panel: Panel): Reference[] {
  return panel.references.map((reference) => ({ ...reference, name: `${panel.id}:${reference.name}` }));
}

/** From left to right, row below row: so nothing can overlap, and a row that is too short or too long is seen. */
function place(id: DashboardId, rows: readonly Row[]): object[] {
  let y = 0;
  return rows.flatMap(({ height, panels }, index) => {
    let x = 0;
    const placed = panels.map(({ id: panelIndex, type, title, width, config, refName }) => {
      const gridData = { x, y, w: width, h: height, i: panelIndex };
      x += width;
      return {
        type,
        title,
        panelIndex,
        gridData,
        embeddableConfig: config,
        ...(refName !== undefined && { panelRefName: refName }),
      };
    });
    if (x !== GRID_COLUMNS) throw new Error(`${id}: row ${index} is ${x} columns wide, not ${GRID_COLUMNS}`);
    y += height;
    return placed;
  });
}
