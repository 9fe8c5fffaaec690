// The demo's client: one long HTTP exchange with a plain HTTP service, every byte of the answer compared with what was sent.
// Usage: shop-client PORT. It prints {"sent", "received", "wrong"} as a JSON line four times a second, and ends on SIGTERM
// when all that it sent has come back.
import { randomBytes } from 'node:crypto';
import http from 'node:http';

const port = Number(process.argv[2]);
const waiting: Buffer[] = [];
const counts = { sent: 0, received: 0, wrong: 0 };
let leaving = false;

const report = (): void => {
  process.stdout.write(`${JSON.stringify(counts)}\n`);
};

const compare = (chunk: Buffer): void => {
  let rest = chunk;
  while (rest.length > 0) {
    const expected = waiting[0];
    if (!expected) {
      counts.wrong += rest.length;
      break;
    }
    const length = Math.min(expected.length, rest.length);
    if (!expected.subarray(0, length).equals(rest.subarray(0, length))) counts.wrong += length;
    if (length === expected.length) waiting.shift();
    else waiting[0] = expected.subarray(length);
    rest = rest.subarray(length);
  }
  counts.received += chunk.length;
};

const request = http.request({ host: '127.0.0.1', port, path: '/echo', method: 'POST' }, (response) => {
  response.on('data', compare);
  response.on('end', () => {
    report();
    process.exitCode = counts.wrong === 0 && counts.received === counts.sent ? 0 : 1;
  });
});
request.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

const sending = setInterval(() => {
  if (leaving || request.destroyed) {
    clearInterval(sending);
    clearInterval(reporting);
    request.end();
    return;
  }
  const chunk = randomBytes(1024);
  waiting.push(chunk);
  counts.sent += chunk.length;
  request.write(chunk);
}, 20);
const reporting = setInterval(report, 250);
process.on('SIGTERM', () => {
  leaving = true;
});
