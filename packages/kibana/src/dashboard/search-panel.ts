import type { Panel } from './panel.js';

interface SearchPanel {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly width: number;
  /** The id of the saved search. */
  readonly search: string;
}

/** A list of documents by a saved search. */
export function searchPanel({ id, title, description, width, search }: SearchPanel): Panel {
  const refName = `panel_${id}`;
  return {
    id,
    type: 'search',
    title,
    width,
    config: { description, enhancements: {} },
    references: [{ type: 'search', id: search, name: refName }],
    refName,
  };
}
