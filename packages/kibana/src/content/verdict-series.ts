import { count } from '../lens/column.js';
import type { Column } from '../lens/column.js';
import type { Verdict } from './colors.js';

/** Every verdict but `good`, which is no failure. */
export const BAD_VERDICTS: readonly Verdict[] = ['throttled', 'spent', 'refused', 'blocked', 'proxy-dead', 'down'];

/** One column for each verdict, so that each keeps its colour. */
export const VERDICT_SERIES: Readonly<Record<Verdict, Column>> = {
  good: ofVerdict('good'),
  throttled: ofVerdict('throttled'),
  spent: ofVerdict('spent'),
  refused: ofVerdict('refused'),
  blocked: ofVerdict('blocked'),
  'proxy-dead': ofVerdict('proxy-dead'),
  down: ofVerdict('down'),
};

function ofVerdict(verdict: Verdict): Column {
  return count(verdict.replace('-', ' '), `proxy_manager.verdict: "${verdict}"`);
}
