import type { Panel } from './panel.js';

/** A text. */
export function markdownPanel(id: string, width: number, markdown: string): Panel {
  return {
    id,
    type: 'visualization',
    title: '',
    width,
    config: {
      hidePanelTitles: true,
      enhancements: {},
      savedVis: {
        title: '',
        description: '',
        type: 'markdown',
        params: { fontSize: 10, openLinksInNewTab: false, markdown },
        uiState: {},
        data: { aggs: [], searchSource: {} },
      },
    },
    references: [],
  };
}
