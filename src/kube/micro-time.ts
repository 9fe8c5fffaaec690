/** A time as the API writes those with microseconds. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
