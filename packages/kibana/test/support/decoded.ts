import { savedObjects } from '../../src/saved-objects.js';
import type { Column } from '../../src/lens/column.js';
import type { Reference, SavedObject } from '../../src/saved-object.js';

/** A dashboard with what its JSON strings hold. */
export interface DecodedDashboard {
  readonly id: string;
  readonly title: string;
  readonly attributes: SavedObject['attributes'];
  readonly references: readonly Reference[];
  readonly panels: readonly DecodedPanel[];
  readonly controls: Readonly<
    Record<
      string,
      { readonly type: string; readonly explicitInput: { readonly fieldName: string; readonly title: string } }
    >
  >;
}

export interface DecodedPanel {
  readonly type: string;
  readonly title: string;
  readonly panelIndex: string;
  readonly panelRefName?: string;
  readonly gridData: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
    readonly i: string;
  };
  readonly embeddableConfig: {
    readonly description?: string;
    readonly enhancements: { readonly dynamicActions?: { readonly events: readonly DrilldownEvent[] } };
    readonly attributes?: LensAttributes & LinksAttributes;
    readonly savedVis?: { readonly params: { readonly markdown: string } };
  };
}

interface DrilldownEvent {
  readonly eventId: string;
}

interface LinksAttributes {
  readonly links?: readonly { readonly destinationRefName: string; readonly label: string }[];
}

interface LensAttributes {
  readonly visualizationType: string;
  readonly references: readonly Reference[];
  readonly state: {
    readonly query: { readonly query: string };
    readonly visualization: Visualization;
    readonly datasourceStates: { readonly formBased: { readonly layers: Readonly<Record<string, Layer>> } };
  };
}

export interface Layer {
  readonly columns: Readonly<Record<string, Column>>;
  readonly columnOrder: readonly string[];
}

export interface Visualization {
  readonly layerId?: string;
  readonly metricAccessor?: string;
  readonly secondaryMetricAccessor?: string;
  readonly subtitle?: string;
  readonly secondaryPrefix?: string;
  readonly palette?: { readonly params: { readonly stops: readonly { readonly color: string }[] } };
  readonly columns?: readonly { readonly columnId: string }[];
  readonly sorting?: { readonly columnId: string };
  readonly layers?: readonly XyLayer[];
}

export interface XyLayer {
  readonly layerId: string;
  readonly seriesType: string;
  readonly xAccessor: string;
  readonly splitAccessor?: string;
  readonly accessors: readonly string[];
  readonly yConfig: readonly { readonly forAccessor: string; readonly color: string }[];
}

/** A Lens panel, taken apart. */
export interface LensPanel {
  /** `<dashboard>/<panel>` */
  readonly name: string;
  readonly where: string;
  readonly layer: Layer;
  readonly layerId: string;
  readonly visualization: Visualization;
  readonly visualizationType: string;
}

export function decodedDashboards(): DecodedDashboard[] {
  return savedObjects()
    .filter(({ type }) => type === 'dashboard')
    .map(({ id, attributes, references }) => ({
      id,
      title: String(attributes['title']),
      attributes,
      references,
      panels: JSON.parse(String(attributes['panelsJSON'])) as DecodedPanel[],
      controls: JSON.parse(
        (attributes['controlGroupInput'] as { readonly panelsJSON: string }).panelsJSON,
      ) as DecodedDashboard['controls'],
    }));
}

export function lensPanels(): LensPanel[] {
  return decodedDashboards().flatMap(({ id, panels }) =>
    panels.flatMap(({ panelIndex, embeddableConfig: { attributes } }) => {
      if (attributes?.state === undefined) return [];
      const { state, visualizationType } = attributes;
      const { query, visualization, datasourceStates } = state;
      return Object.entries(datasourceStates.formBased.layers).map(([layerId, layer]) => ({
        name: `${id}/${panelIndex}`,
        where: query.query,
        layer,
        layerId,
        visualization,
        visualizationType,
      }));
    }),
  );
}

/** The columns that the chart shows, in no order. */
export function shownColumns({ visualization }: LensPanel): string[] {
  const { metricAccessor, secondaryMetricAccessor, columns = [], layers = [] } = visualization;
  const ids = [
    metricAccessor,
    secondaryMetricAccessor,
    ...columns.map(({ columnId }) => columnId),
    ...layers.flatMap(({ xAccessor, splitAccessor, accessors }) => [xAccessor, splitAccessor, ...accessors]),
  ];
  return ids.filter((id) => id !== undefined);
}
