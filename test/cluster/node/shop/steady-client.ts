// Asks for one URL, twenty times a second, each time over a new connection, and prints a Tally as a line of JSON each second.
// Usage: steady-client URL
import http from 'node:http';

/** What the client has seen so far. */
export interface Tally {
  sent: number;
  answered: number;
  /** Requests that got no answer, or one that says that something failed. */
  lost: number;
  /** When and why the first of them were lost; few, for a long line is cut in two. */
  reasons: string[];
}

const tally: Tally = { sent: 0, answered: 0, lost: 0, reasons: [] };

function lose(reason: string): void {
  tally.lost += 1;
  if (tally.reasons.length < 20) tally.reasons.push(`${new Date().toISOString()} ${reason}`);
}

function ask(url: string): void {
  tally.sent += 1;
  const call = http.get(url, { agent: false, timeout: 20_000 }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    answer.once('error', (error) => lose(error.message));
    answer.once('end', () => {
      if (answer.statusCode === 200) tally.answered += 1;
      else lose(`${answer.statusCode ?? ''} ${text.trim()}`);
    });
  });
  call.once('timeout', () => call.destroy(new Error('no answer in 20 s')));
  call.once('error', (error) => lose(error.message));
}

const [, , url = ''] = process.argv;
const asking = setInterval(() => ask(url), 50);
const telling = setInterval(() => process.stdout.write(`${JSON.stringify(tally)}\n`), 1000);
process.once('SIGTERM', () => {
  clearInterval(asking);
  clearInterval(telling);
});
