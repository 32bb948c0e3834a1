/** Columns that a line may take: of the terminal, or `COLUMNS` where there is none, and no more than read well. */
export const width: number = Math.min(80, process.stdout.columns || Number(process.env['COLUMNS']) || 80);
