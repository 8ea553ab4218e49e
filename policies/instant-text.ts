/**
 * How an instant is written for people: day and time in each zone that matters to them, always in the
 * Gregorian calendar and with plain digits. It decides nothing and asks for no clock.
 */
import type { Language } from './language.js';

/**
 * `10 July 2026, 00:00 (Asia/Shanghai); 9 July 2026, 18:00 (Europe/Berlin)`. Zones, IANA names, whose
 * clocks show the same are written once.
 */
export function instantText(at: number, zones: readonly string[], language: Language): string {
  const said = new Map<string, string>();
  for (const zone of zones) {
    const text = inZone(at, zone, language);
    if (!said.has(text)) said.set(text, zone);
  }
  const texts = [...said].map(([text, zone]) => `${text} (${zone})`);
  return texts.join(language === 'zh-CN' ? '；' : '; ');
}

function inZone(at: number, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...(at % 60_000 === 0 ? {} : { second: '2-digit' as const }),
    hourCycle: 'h23',
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
  })
    .format(at)
    .replace(' at ', ', ');
}
