import type { Standing } from '../pool/standing.js';
import type { DocumentForm } from './shared-document.js';

type Book = Map<string, Standing>;
type PackedStanding = readonly [id: string, strikes: number, untilMs: number, held: boolean, why: string];

/** One book of standings as a document. */
interface StandingsDocument {
  /** To be read by people. */
  readonly book: string;
  readonly standings: readonly PackedStanding[];
}

export function standingsForm(book: string): DocumentForm<Book> {
  return {
    read(source) {
      if (source === undefined) return new Map();
      if (!isStandingsDocument(source)) throw new Error(`the document of "${book}" holds no standings`);
      return new Map(
        source.standings.map(([id, strikes, untilMs, held, why]) => [id, { strikes, untilMs, held, why }]),
      );
    },
    write: (standings): StandingsDocument => ({
      book,
      standings: Array.from(standings, ([id, { strikes, untilMs, held, why }]) => [id, strikes, untilMs, held, why]),
    }),
  };
}

function isStandingsDocument(source: unknown): source is StandingsDocument {
  return typeof source === 'object' && source !== null && 'standings' in source && Array.isArray(source.standings);
}
