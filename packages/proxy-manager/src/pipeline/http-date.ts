const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = String.raw`(\d{2}):(\d{2}):(\d{2})`;
/** RFC 9110 §5.6.7: the form to write, and the two old ones to read. */
const IMF_FIXDATE = new RegExp(String.raw`^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) ${TIME} GMT$`);
const RFC850 = new RegExp(String.raw`^[A-Z][a-z]+day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) ${TIME} GMT$`);
const ASCTIME = new RegExp(String.raw`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) ${TIME} (\d{4})$`);

/** The epoch ms of an HTTP-date in any of its three forms (RFC 9110 §5.6.7); undefined for what is none. */
export function httpDateMs(text: string, nowMs: number): number | undefined {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) return utc(match[3], match[2], match[1], match.slice(4));
  match = RFC850.exec(text);
  if (match !== null) return utc(fullYear(Number(match[3]), nowMs), match[2], match[1], match.slice(4));
  match = ASCTIME.exec(text);
  if (match !== null) return utc(match[6], match[1], match[2], match.slice(3, 6));
  return undefined;
}

/** A two-digit year more than 50 years ahead is the past one with these digits. */
function fullYear(digits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + digits;
  return year > thisYear + 50 ? year - 100 : year;
}

function utc(
  year: number | string | undefined,
  month: string | undefined,
  day: string | undefined,
  time: readonly string[],
): number | undefined {
  const index = MONTHS.indexOf(month ?? '');
  if (index === -1) return undefined;
  const ms = Date.UTC(Number(year), index, Number(day), Number(time[0]), Number(time[1]), Number(time[2]));
  return Number.isNaN(ms) ? undefined : ms;
}
