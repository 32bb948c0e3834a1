/** A hint that stands beside the links of every dashboard, for the day when its panels are empty. */
export function whenEmpty(needs: string): string {
  return `**Nothing here?** ${needs} Widen the time range and clear the filters, then run \`npx @proxy-manager/kibana check\`: it says what is missing.`;
}
