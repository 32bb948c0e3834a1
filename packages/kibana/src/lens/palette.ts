/** One step of a scale: `color` from `from` upwards, until the next step. */
export interface Step {
  readonly from: number;
  readonly color: string;
}

/** A colour by value, in fixed steps that do not move with the data. */
export function steps(list: readonly Step[]): object {
  return {
    type: 'palette',
    name: 'custom',
    params: {
      name: 'custom',
      steps: list.length,
      reverse: false,
      progression: 'fixed',
      rangeType: 'number',
      rangeMin: list[0]?.from ?? 0,
      rangeMax: null,
      continuity: 'above',
      maxSteps: 5,
      colorStops: list.map(({ from, color }) => ({ color, stop: from })),
      // The upper ends; the last step has none, but Kibana wants a number above its start.
      stops: list.map(({ from, color }, index) => ({ color, stop: list[index + 1]?.from ?? from + 1 })),
    },
  };
}
